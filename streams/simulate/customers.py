"""Who contacts a simulated partner: whoever was not helped may come back."""

import heapq
from random import Random
from typing import Final

from models.windows import HOUR_MS, MINUTE_MS

__all__ = ["Customers"]

_SOONEST_MS: Final = 5 * MINUTE_MS
_MEAN_MS: Final = 2 * HOUR_MS
"""From a contact to the next, beyond the soonest."""


class Customers:
    """Of one partner; they draw from their own randomness, so that contacts are the same whoever makes them."""

    def __init__(self, random: Random, returning: float) -> None:
        """`returning` is the share of those who were not helped that come back."""
        self._random = random
        self._returning = returning
        self._coming: list[tuple[int, str]] = []
        """A heap of who comes back, and from when on; the next contact from then on is theirs."""

    def who(self, at_ms: int) -> str:
        """The key of whoever makes the contact that arrives at `at_ms`, such as a keyed hash would be."""
        if self._coming and self._coming[0][0] <= at_ms:
            return heapq.heappop(self._coming)[1]
        return f"{self._random.getrandbits(128):032x}"

    def not_helped(self, customer: str, at_ms: int) -> None:
        """Their contact ended at `at_ms` without a solution."""
        if self._random.random() < self._returning:
            again_ms = at_ms + _SOONEST_MS + round(self._random.expovariate(1 / _MEAN_MS))
            heapq.heappush(self._coming, (again_ms, customer))
