"""Those who watch: a snapshot at once, then what differs, at most a frame a second, and every 5 s how old it all is."""

import asyncio
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from time import monotonic
from typing import Final

import orjson
import structlog
from aiohttp import web

from desk.board import Board, delta, snapshot
from desk.errors import Refusal, UnavailableError
from desk.identity import Caller
from desk.metrics import Metrics
from desk.packing import BEGIN, piece
from desk.users import User
from desk.watch import Watch

__all__ = ["NOW_SECONDS", "VIEWERS_MAX", "Streams"]

VIEWERS_MAX: Final = 500
VIEWERS_OF_ONE_MAX: Final = 20
"""Of one user: pages left open are many, and each takes a frame a second."""
NOW_SECONDS: Final = 5.0
VERSION: Final = version("outwatch")
"""Told with every `now`: a wall that is left open for weeks loads itself anew where it becomes another."""
_SLOW_SECONDS: Final = 20.0
"""Who does not take a frame in this time is let go, and comes again when it can."""

_log = structlog.stdlib.get_logger("outwatch.desk")


class Streams:
    """Serves the streams of one desk, all from one watch.

    Args:
        watch: the view.
        now_ms: the wall clock.
        stop: set when the desk ends, so that nobody is waited for.
        metrics: takes counts.
    """

    def __init__(self, watch: Watch, now_ms: Callable[[], int], stop: asyncio.Event, metrics: Metrics) -> None:
        self._watch = watch
        self._now_ms = now_ms
        self._stop = stop
        self._metrics = metrics
        self._viewers = Counter[str]()
        self._number = 0
        """Of the newest board that a delta led to."""
        self._told: dict[tuple[str, int, str | None, bool], bytes] = {}
        """Frames to it, by window, number before, the partner whose sight it is, and whether packed; empty: nothing differs."""

    async def serve(self, request: web.Request, caller: Caller, window: str) -> web.StreamResponse:
        """Stream until the viewer goes, is too slow, or may not look any more.

        Raises:
            UnavailableError: if too many are watching.
        """
        name = caller.user.name
        if self._viewers.total() >= VIEWERS_MAX or self._viewers[name] >= VIEWERS_OF_ONE_MAX:
            raise UnavailableError(Refusal.VIEWERS, "too many are watching", wait_seconds=30)
        self._count(name, 1)
        try:
            board = await self._watch.board(window)
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Vary": "Accept-Encoding"}
            )
            packed = "gzip" in map(str.strip, request.headers.get("Accept-Encoding", "").split(","))
            if packed:
                response.headers["Content-Encoding"] = "gzip"
            await response.prepare(request)
            try:
                await self._follow(request, response, caller, board, packed=packed)
            except TimeoutError:
                self._metrics.slow()
                _log.info("viewer was too slow", user=name)
                if request.transport is not None:
                    request.transport.abort()
            except ConnectionError:
                pass  # It went: that is how streams end.
        finally:
            self._count(name, -1)
        return response

    async def _follow(self, request: web.Request, response: web.StreamResponse, caller: Caller, board: Board, *, packed: bool) -> None:
        if packed:
            await _write(response, BEGIN)
        await _write(response, _frame("snapshot", snapshot(board, caller.user), packed=packed))
        said_at = monotonic()
        # Boards come every second: who went is missed with the next, also where nothing is to be told.
        while not self._stop.is_set() and not _is_gone(request):
            newer = await self._watch.after(board, max(0.0, said_at + NOW_SECONDS - monotonic()))
            if newer is not board:
                told = self._delta(board, newer, caller.user, packed=packed)
                board = newer
                if told:
                    await _write(response, told)
            if monotonic() - said_at >= NOW_SECONDS:
                if caller.again() != caller.user:
                    return
                now = {"at": self._now_ms(), "as_of": board.as_of_ms(caller.user), "seen_at": board.at_ms, "version": VERSION}
                await _write(response, _frame("now", orjson.dumps(now), packed=packed))
                said_at = monotonic()

    def _delta(self, old: Board, new: Board, user: User, *, packed: bool) -> bytes:
        """What is told to everybody who sees the same and was told the same last: made once."""
        if new.number > self._number:
            self._number = new.number
            self._told.clear()
        if new.number < self._number:
            return _difference(old, new, user, packed=packed)  # Somebody looked at an older one still.
        key = new.window, old.number, user.partner, packed
        if key not in self._told:
            self._told[key] = _difference(old, new, user, packed=packed)
        return self._told[key]

    def _count(self, name: str, by: int) -> None:
        self._viewers[name] += by
        self._viewers = +self._viewers  # Names without a viewer are not remembered.
        self._metrics.viewers(self._viewers.total())


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _difference(old: Board, new: Board, user: User, *, packed: bool) -> bytes:
    differs = delta(old, new, user)
    return b"" if differs is None else _frame("delta", differs, packed=packed)


def _frame(event: str, data: bytes, *, packed: bool) -> bytes:
    frame = b"event: %s\ndata: %s\n\n" % (event.encode(), data)
    return piece(frame) if packed else frame


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_SLOW_SECONDS):
        await response.write(data)
