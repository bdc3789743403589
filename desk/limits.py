"""How often something may be asked: token buckets in bounded memory. Pure."""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Final

__all__ = ["Limits"]

_KEYS_MAX: Final = 10_000


class Limits:
    """A bucket for each of the keys that asked last; of more than `keys_max` the one that asked longest ago is forgotten.

    Args:
        burst: what may be asked at once.
        per_second: what comes back.
        forgotten: called where one is.
        keys_max: how many are remembered.
    """

    def __init__(self, burst: float, per_second: float, forgotten: Callable[[], None], keys_max: int = _KEYS_MAX) -> None:
        self._burst = burst
        self._per_second = per_second
        self._keys_max = keys_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._forgotten = forgotten

    def take(self, key: str, now_seconds: float) -> int:
        """Whole seconds until it may be asked again; 0: now, and it is taken."""
        left, at = self._buckets.pop(key, (self._burst, now_seconds))
        left = min(self._burst, left + (now_seconds - at) * self._per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now_seconds)
        if len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)
            self._forgotten()
        return 0 if allowed else max(1, ceil((1 - left) / self._per_second))
