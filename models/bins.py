"""Bins of durations: which duration, and the bin of `models.statistics.quantiles` that it falls into, as one number.

So all durations that a cell, a scope or a window counted stand in one sparse dict {key: count}. Being integers they add and subtract:
any order and any split give the same bins. Records carry them by name.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from enum import IntEnum
from itertools import accumulate
from typing import Any, Final

from models.statistics.quantiles import Ordered

__all__ = ["NOTHING", "BinKeys", "Bins", "Distributions", "Durations", "Named", "of_records"]

Bins = dict[int, int]
"""By key: how many. What is empty is left out."""

Named = dict[str, list[int]]
"""As records carry them: `bins` in their order, and the `counts` of each."""

_BINS_EACH: Final = 1 << 12
"""Wider than any duration of 64 bits needs; a key stays below 2^16."""


class Durations(IntEnum):
    """What was timed; the number is the top of a key, and so part of stored rows."""

    ANSWERED_WAIT = 0
    HANDLE = 1
    FIRST_RESPONSE = 2
    RESOLUTION = 3


_ZEROS: Final = [kind * _BINS_EACH for kind in Durations]


class BinKeys:
    """Where the bins of each kind begin, as constants: in the hot path an enum's attribute costs as much as the look-up of the bin."""

    HANDLE: Final = Durations.HANDLE * _BINS_EACH
    FIRST_RESPONSE: Final = Durations.FIRST_RESPONSE * _BINS_EACH
    RESOLUTION: Final = Durations.RESOLUTION * _BINS_EACH


_NAMES: Final = [f"{kind.name.lower()}_bins" for kind in Durations]


class Distributions:
    """The durations of a scope and window in order of their size, kind by kind."""

    __slots__ = ("_counts", "_keys", "_ordered")

    def __init__(self, bins: Mapping[int, int]) -> None:
        keys = self._keys = sorted(bins)
        counts = self._counts = [bins[key] for key in keys]
        ends = list(accumulate(counts))
        first, before, ordered = 0, 0, []
        for zero in _ZEROS:
            last = bisect_left(keys, zero + _BINS_EACH, first)
            end = ends[last - 1] if last else 0
            ordered.append(Ordered(keys, ends, first, last, zero, before, end - before))
            first, before = last, end
        self._ordered = ordered

    def of(self, kind: int) -> Ordered:
        """The durations of one kind."""
        return self._ordered[kind]

    def to_names(self) -> dict[str, Named]:
        """The bins by name, as records carry them; kinds without any are left out."""
        found: dict[str, Named] = {}
        for name, (_, _, first, last, zero, _, _) in zip(_NAMES, self._ordered, strict=True):
            if first < last:
                bins = [key - zero for key in self._keys[first:last]] if zero else self._keys[first:last]
                found[name] = {"bins": bins, "counts": self._counts[first:last]}
        return found


NOTHING: Final = Distributions({})


def of_records(parts: Iterable[Mapping[str, Any]]) -> Bins:
    """The sum of the bins among the measures of records, by key."""
    summed: Bins = {}
    for measures in parts:
        for name, zero in zip(_NAMES, _ZEROS, strict=True):
            if name in measures:
                for each, count in zip(measures[name]["bins"], measures[name]["counts"], strict=True):
                    summed[zero + each] = summed.get(zero + each, 0) + count
    return summed
