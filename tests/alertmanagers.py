"""An Alertmanager for tests: a real HTTP server that keeps alerts as API v2 does, by a clock that the test holds."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

__all__ = ["Alertmanager", "alertmanager"]

Alert = dict[str, Any]


class Alertmanager:
    """Known by their labels: of two posts the later one holds, an alert whose end is over is resolved and told of no more."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._alerts: dict[bytes, Alert] = {}
        self.url = ""
        self.bearer: str | None = None
        self.failing = 0
        """Requests that are answered with 503."""
        self.ended: list[dict[str, str]] = []
        """Labels of what was resolved by a post."""

    def firing(self) -> list[dict[str, str]]:
        """The labels of what it would notify of now."""
        return [each["labels"] for each in self._alerts.values() if _ms(each["endsAt"]) > self._now_ms()]

    def restart(self) -> None:
        """It forgets, as one without a disk does."""
        self._alerts.clear()

    def put(self, *alerts: Alert) -> None:
        """Take alerts, as a post does."""
        for each in alerts:
            key = orjson.dumps(each["labels"], option=orjson.OPT_SORT_KEYS)
            former = self._alerts.get(key)
            if former is not None and _ms(former["endsAt"]) > self._now_ms():
                each = each | {"startsAt": min(former["startsAt"], each["startsAt"], key=_ms)}  # noqa: PLW2901
            if _ms(each["endsAt"]) <= self._now_ms():
                self.ended.append(each["labels"])
            self._alerts[key] = each

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        if self.failing:
            self.failing -= 1
            return web.Response(status=503)
        if self.bearer is not None and request.headers.get("Authorization") != f"Bearer {self.bearer}":
            return web.Response(status=401)
        if request.method == "POST":
            assert request.content_type == "application/json"
            alerts = orjson.loads(await request.read())
            for each in alerts:
                assert each["labels"], "at least one label pair required"
                assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in each["labels"])
                assert _ms(each["startsAt"]) <= _ms(each["endsAt"]), "start time must be before end time"
            self.put(*alerts)
            return web.json_response({})
        matchers = [_matcher(each) for each in request.query.getall("filter", [])]
        shown = [
            {
                "annotations": each["annotations"],
                "endsAt": each["endsAt"],
                "fingerprint": "0a1b2c3d4e5f6071",
                "receivers": [{"name": "default"}],
                "startsAt": each["startsAt"],
                "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
                "updatedAt": datetime.fromtimestamp(self._now_ms() / 1000, UTC).isoformat(),
                "generatorURL": each.get("generatorURL", ""),
                "labels": each["labels"],
            }
            for each in self._alerts.values()
            if _ms(each["endsAt"]) > self._now_ms() and all(fits(each["labels"]) for fits in matchers)
        ]
        return web.json_response(shown)


def _matcher(text: str) -> Callable[[dict[str, str]], bool]:
    """Of the form name=~"regex", anchored as there."""
    found = re.fullmatch(r'([a-zA-Z_]\w*)=~"(.*)"', text)
    assert found is not None, text
    name, pattern = found.groups()
    return lambda labels: re.fullmatch(pattern, labels.get(name, "")) is not None


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@asynccontextmanager
async def alertmanager(now_ms: Callable[[], int]) -> AsyncIterator[Alertmanager]:
    """One on a free port of the loopback."""
    made = Alertmanager(now_ms)
    app = web.Application()
    app.add_routes([web.get("/api/v2/alerts", made.answer), web.post("/api/v2/alerts", made.answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()
