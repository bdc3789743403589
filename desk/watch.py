"""One reader of Redis for everybody: a board a second for each window that somebody looks at."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final, Literal

import structlog
from redis.exceptions import RedisError

from desk.board import Board, board_of
from desk.errors import Refusal, UnavailableError
from desk.view import Look, ViewReader

__all__ = ["FRESH_SECONDS", "WINDOW", "Watch"]

WINDOW: Final = "15m"
"""What is looked at where nobody says another."""
FRESH_SECONDS: Final = 5.0
"""A board that is older is not shown as if it were now."""
_EVERY_SECONDS: Final = 1.0
_ASKED_SECONDS: Final = 30.0

_log = structlog.stdlib.get_logger("outwatch.desk")


class Watch:
    """Looks at Redis, and has others wait for the next look.

    Args:
        reader: of the view.
        now_ms: the wall clock.
        clock: what moves stream time.
        partition_of: the partition of a partner.
    """

    def __init__(
        self, reader: ViewReader, now_ms: Callable[[], int], clock: Literal["wall", "log"], partition_of: Callable[[str], int]
    ) -> None:
        self.reader = reader
        self._now_ms = now_ms
        self._clock = clock
        self._partition_of = partition_of
        self._asked = {WINDOW: monotonic()}
        """When somebody last looked at a window."""
        self._boards: dict[str, Board] = {}
        self._look = Look()
        self._looked_at: float | None = None
        self._failed_at = 0.0
        self._turned = asyncio.Event()
        self._lock = asyncio.Lock()
        self._number = 0

    @property
    def fresh(self) -> bool:
        """Whether Redis answered within the last seconds."""
        return self._looked_at is not None and monotonic() - self._looked_at <= FRESH_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Look every second until `stop`; Redis away is waited for."""
        while not stop.is_set():
            begun = monotonic()
            try:
                await self._step()
            except RedisError as error:
                _log.warning("Redis does not answer", kind=type(error).__name__, error=str(error))
            wait_seconds = max(0.0, _EVERY_SECONDS - (monotonic() - begun))
            try:
                async with asyncio.timeout(wait_seconds):
                    await stop.wait()
            except TimeoutError:
                continue
        self._turn()

    async def board(self, window: str) -> Board:
        """The newest board of a window.

        Raises:
            UnavailableError: if Redis has not answered for longer than a board is shown.
        """
        self._asked[window] = began = monotonic()
        if window in self._boards and self.fresh:
            return self._boards[window]
        async with self._lock:
            # Whoever waited takes what another one's look brought, or that it failed: while Redis hangs nobody queues for looks.
            self._asked[window] = monotonic()
            if window not in self._boards or not self.fresh:
                if self._failed_at > began:
                    raise UnavailableError(Refusal.NO_VIEW, "Redis does not answer")
                try:
                    await self._read()
                except RedisError as error:
                    self._failed_at = monotonic()
                    raise UnavailableError(Refusal.NO_VIEW, f"Redis does not answer: {type(error).__name__}") from error
        return self._boards[window]

    async def look(self) -> Look:
        """What was read last.

        Raises:
            UnavailableError: if that is too long ago.
        """
        await self.board(WINDOW)
        return self._look

    async def after(self, board: Board, wait_seconds: float) -> Board:
        """The newest board of that window once there is one that is newer; the same after `wait_seconds`."""
        self._asked[board.window] = monotonic()
        newest = self._boards.get(board.window, board)
        if newest.number == board.number:
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._turned.wait()
            except TimeoutError:
                return board
        return self._boards.get(board.window, board)

    async def _step(self) -> None:
        async with self._lock:
            await self._read()

    async def _read(self) -> None:
        now = monotonic()
        self._asked = {window: at for window, at in self._asked.items() if window == WINDOW or now - at < _ASKED_SECONDS}
        self._look = await self.reader.look(self._asked)
        self._number += 1
        self._boards = {
            window: board_of(self._look, window, self._number, self._now_ms(), self._clock, self._partition_of)
            for window in self._look.windows
        }
        self._looked_at = monotonic()
        self._turn()

    def _turn(self) -> None:
        self._turned.set()
        self._turned = asyncio.Event()
