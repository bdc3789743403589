"""An event loop whose order and clock come from a seed: what is ready runs in a drawn order, and time jumps to what is due next."""

import asyncio
from heapq import heappop
from random import Random
from typing import Any

__all__ = ["SimLoop"]


class SimLoop(asyncio.BaseEventLoop):
    """Deterministic for a seed. It has no selector, so nothing real can be awaited, and a step costs a fraction of a real loop's."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._draw = random.random
        self.now = 0.0
        self._ready: list[Any] = []
        self._scheduled: list[Any]

    def time(self) -> float:
        """Seconds since the loop began; only the loop moves them."""
        return self.now

    def jump(self, seconds: float) -> None:
        """Let time pass in which nothing runs."""
        self.now += seconds

    def _run_once(self) -> None:
        """Run one of what is ready; where nothing is, the next that is due."""
        ready, scheduled = self._ready, self._scheduled
        while not ready:
            timer = heappop(scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                self.now = max(self.now, timer._when)
                ready.append(timer)
        at = int(self._draw() * len(ready))
        ready[at], ready[-1] = ready[-1], ready[at]
        handle = ready.pop()
        if not handle._cancelled:
            handle._run()
