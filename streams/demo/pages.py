"""A receiver of pages on this machine: what would ring a telephone becomes a line of the demo."""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any, Final

import orjson

from models.people import ReachSpec
from models.policy_spec import PolicyFile
from models.receivers import WebhookReceiver

__all__ = ["Pages", "page_line"]

_BODY_BYTES_MAX: Final = 1_000_000


class Pages:
    """Listens as long as the stack that it is given stands."""

    def __init__(self, stack: ExitStack) -> None:
        received: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._received = received

        class _Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name is the library's
                length = min(int(self.headers.get("Content-Length", 0)), _BODY_BYTES_MAX)
                received.put(orjson.loads(self.rfile.read(length)))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_: object) -> None:  # each page is a line of its own
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/pages"

    def take(self) -> list[dict[str, Any]]:
        """What came since the last call."""
        found = []
        while True:
            try:
                found.append(self._received.get_nowait())
            except Empty:
                return found

    def reached(self, policy: PolicyFile) -> PolicyFile:
        """The policy, with everybody told here in place of by mail."""
        here = [WebhookReceiver(id=f"demo-{each.id}", type="webhook", url=self.url, partner=each.partner) for each in policy.people]
        reached = [ReachSpec(receivers=(each.id,)) for each in here]
        people = [each.model_copy(update={"reach": reach}) for each, reach in zip(policy.people, reached, strict=True)]
        return policy.model_copy(update={"people": tuple(people), "receivers": (*policy.receivers, *here)})


def page_line(body: Mapping[str, Any]) -> str:
    """A page as a line: whom, why, and what."""
    page = body["data"]
    target = page["target"]
    who = target["person"] or target["id"]
    what = {"trigger": "pages", "resolve": "tells the end to", "acknowledge": "tells who looks after it to"}.get(page["kind"], "updates")
    return f"{what} {who} ({page['reason'].replace('_', ' ')}): {page['text']}"
