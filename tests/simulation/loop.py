"""An event loop whose order and clock come from a seed: what is ready runs in a drawn order, and time jumps to what is due next."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, TypeVarTuple

__all__ = ["SimLoop", "nap"]

_Args = TypeVarTuple("_Args")


class _Call(asyncio.Handle):
    """A handle without what the standard one prepares for debugging: to make and run handles was a tenth of a schedule."""

    __slots__ = ()

    def __init__(self, callback: Callable[..., object], args: Any, context: Context | None) -> None:
        self._callback, self._args = callback, args
        self._context = context or copy_context()
        self._cancelled = False

    def cancel(self) -> None:
        """It will not run."""
        self._cancelled = True


class SimLoop(asyncio.BaseEventLoop):
    """Deterministic for a seed. It has no selector, so nothing real can be awaited, and a step costs a fraction of a real loop's."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._draw = random.random
        self.now = 0.0
        self._ready: list[Any] = []
        self._stopping: bool
        self._due: list[tuple[float, int, Any]] = []
        """By time, then in the order of asking: a future to be resolved, or a call to be made."""
        self._asked = count()

    def time(self) -> float:
        """Seconds since the loop began; only the loop moves them."""
        return self.now

    def get_debug(self) -> bool:
        """Never: it is asked for every future."""
        return False

    def jump(self, seconds: float) -> None:
        """Let time pass in which nothing runs."""
        self.now += seconds

    def nap(self, seconds: float) -> "asyncio.Future[None]":
        """What `asyncio.sleep` does, at half its cost."""
        future = self.create_future()
        heappush(self._due, (self.now + seconds, next(self._asked), future))
        return future

    def call_soon(self, callback: Callable[[*_Args], object], *args: *_Args, context: Context | None = None) -> asyncio.Handle:
        """Run it in one of the next steps."""
        call = _Call(callback, args, context)
        self._ready.append(call)
        return call

    def call_at(
        self, when: float, callback: Callable[[*_Args], object], *args: *_Args, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run it at a time of the loop's clock."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._due, (when, next(self._asked), timer))
        return timer

    def _run_once(self) -> None:
        """Run one of what is ready, and again; where nothing is, the next that is due."""
        ready, due, draw = self._ready, self._due, self._draw
        while not self._stopping:
            while not ready:
                when, _, what = heappop(due)
                if isinstance(what, asyncio.TimerHandle):
                    if not what.cancelled():
                        self.now = max(self.now, when)
                        ready.append(what)
                elif not what.done():
                    self.now = max(self.now, when)
                    what.set_result(None)
            at = int(draw() * len(ready))
            ready[at], ready[-1] = ready[-1], ready[at]
            call = ready.pop()
            if not call._cancelled:
                call._context.run(call._callback, *call._args)


def nap(seconds: float) -> "asyncio.Future[None]":
    """Let simulated time pass."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    return loop.nap(seconds)
