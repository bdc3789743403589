"""An event loop whose order and clock come from a seed: what is ready runs in a drawn order, and time jumps to what is due next."""

import asyncio
from collections import deque
from random import Random
from typing import Any

__all__ = ["SimLoop"]


class SimLoop(asyncio.SelectorEventLoop):
    """Deterministic for a seed as long as nothing real is awaited."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self._now = 0.0
        self.steps = 0

    def time(self) -> float:
        """Seconds since the loop began; only the loop moves them."""
        return self._now

    def _run_once(self) -> None:
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]
        scheduled: list[Any] = self._scheduled  # type: ignore[attr-defined]
        if not ready and scheduled:
            self._now = max(self._now, scheduled[0]._when)
        if len(ready) > 1:
            drawn = list(ready)
            self._random.shuffle(drawn)
            ready.clear()
            ready.extend(drawn)
        self.steps += 1
        super()._run_once()  # type: ignore[misc]
