"""Receivers under test: a real HTTP server that does as it is told, and what it was sent."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson
from aiohttp import web

__all__ = ["Got", "Pager", "serving"]


class Got(NamedTuple):
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: Any
    taken: bool
    """Whether what answered took it."""
    step: Any = None
    """Of the script, how it was answered."""


class Pager:
    """Answers `path` by what stands next in `script[path]`, then by `otherwise`.

    A step is a status, a status with Retry-After, or `accept_then_close`, `close`, `hang`: how a network fails.
    """

    def __init__(self, otherwise: int = 202) -> None:
        self.script: dict[str, deque[Any]] = defaultdict(deque)
        self.otherwise: Any = otherwise
        self.got: list[Got] = []
        self.url = ""
        self._changed = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        body = orjson.loads(await request.read() or b"null")
        steps = self.script[request.path]
        step = steps.popleft() if steps else self.otherwise
        status, retry_after = step if isinstance(step, tuple) else (step, None)
        taken = status in {"accept_then_close", "accept_then_hang"} or (isinstance(status, int) and status < 300)
        self.got.append(Got(request.path, dict(request.headers), body, taken, status))
        self._changed.set()
        if status in {"accept_then_close", "close"}:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if status in {"accept_then_hang", "hang"}:
            await asyncio.sleep(60)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return web.json_response({"ok": True, "ts": f"179543{len(self.got):04}.000100", "echo": body}, status=status, headers=headers)

    async def until(self, condition: Callable[[list[Got]], bool], wait_seconds: float = 20.0) -> None:
        """Wait until what came in is as wanted; TimeoutError after that."""
        async with asyncio.timeout(wait_seconds):
            while not condition(self.got):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[Pager]:
    """A server on a free port of the loopback; its `url` has no slash at its end."""
    pager = Pager()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pager.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        pager.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield pager
    finally:
        await runner.cleanup()
