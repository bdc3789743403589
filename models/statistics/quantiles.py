"""Quantiles of durations from logarithmic bins that merge and subtract.

Guarantee: a quantile is within 1 % of the value of its rank, for any data. Cost: a look-up a value (a logarithm above 35 minutes) and
one integer a bin that holds something; a second to a day spans 575 bins, and 64 bits of milliseconds could never fill more than
2,204. Bin 0 holds 0 ms; bin b above it holds 1.02^(b-1) up to 1.02^b ms, where half of that, 0.02/2.02, is the error. Bins are
additive: any order and any split give the same quantile, and what left a window is taken off again.
"""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import ceil, floor, inf, log, sqrt
from typing import Final, NamedTuple, Self

from models.figures import Estimate, Kind

__all__ = [
    "ERROR_MAX",
    "Ordered",
    "QuantileEstimate",
    "bin_of",
    "merge_bins",
    "quantile_ranks",
    "subtract_bins",
]

ERROR_MAX: Final = 0.01
"""The relative error of a quantile, at most."""

_RATIO: Final = 1.02
_BINS_A_LOG: Final = 1 / log(_RATIO)
_FINE_MAX_MS: Final = 1 << 17
_COARSE_BITS: Final = 4
_COARSE_MAX_MS: Final = _FINE_MAX_MS << _COARSE_BITS


def _table(granule_ms: int) -> "array[int]":
    """The bin of the middle of each granule."""
    table = array("H", [0]) * _FINE_MAX_MS
    each = start = 0
    while start < _FINE_MAX_MS:
        until = min(max(start, ceil((_RATIO**each - granule_ms // 2) / granule_ms)), _FINE_MAX_MS)
        table[start:until] = array("H", [each]) * (until - start)
        each, start = each + 1, until
    return table


_FINE: Final = _table(1)
# Granules of 16 ms move an edge by 8 ms in 131,072 at most, which the error of 0.0099 has room for.
_COARSE: Final = _table(1 << _COARSE_BITS)


def bin_of(duration_ms: int) -> int:
    """The bin of a duration in whole milliseconds, 0 or more."""
    assert duration_ms >= 0, f"a duration of {duration_ms} ms"
    if duration_ms < _FINE_MAX_MS:
        return _FINE[duration_ms]
    if duration_ms < _COARSE_MAX_MS:
        return _COARSE[duration_ms >> _COARSE_BITS]
    return int(log(duration_ms) * _BINS_A_LOG) + 1


_BINS_MAX: Final = 2_250
_SECONDS: Final = [0.0, *(float(f"{2 * _RATIO**each / (_RATIO + 1) / 1000:.5g}") for each in range(1, _BINS_MAX))]
"""Of each bin the value that is relatively as far from either of its ends; more digits would only lengthen every record."""


class Ordered(NamedTuple):
    """Durations in order of their size, to be looked up by rank."""

    keys: Sequence[int]
    """Of which those of [first, last) are their bins, counted from `zero`."""
    ends: Sequence[int]
    """The running count, from the first of all keys on."""
    first: int
    last: int
    zero: int
    before: int
    """How many the keys before `first` count."""
    n: int

    def bounds(self, percent: int, z: float) -> tuple[int, float, float, float]:
        """The rank ceil(percent n / 100) and the duration of it, with the interval, in seconds; there must be a duration.

        The interval is from 0, or up to infinity, where so few durations say no more.
        """
        keys, ends, first, last, zero, before, n = self
        rank, low, high = quantile_ranks(n, percent, z)
        value = _SECONDS[keys[bisect_left(ends, before + rank, first, last)] - zero]
        lowest = _SECONDS[keys[bisect_left(ends, before + low, first, last)] - zero] if low >= 1 else 0.0
        return rank, value, lowest, _SECONDS[keys[bisect_left(ends, before + high, first, last)] - zero] if high <= n else inf


class QuantileEstimate(Estimate):
    """A quantile in seconds: its rank of n, and the durations that its interval is taken from."""

    percent: int
    ordered: Ordered

    @classmethod
    def of(cls, ordered: Ordered, percent: int) -> Self:
        """The estimate; there must be a duration."""
        n, (rank, value, _, _) = ordered.n, ordered.bounds(percent, 0.0)
        estimate = tuple.__new__(cls, (Kind.QUANTILE, value, rank, n, n, None))
        estimate.percent, estimate.ordered = percent, ordered
        return estimate

    def bounds(self, z: float) -> tuple[float, float]:
        """The interval, in seconds: see `Ordered.bounds`."""
        return self.ordered.bounds(self.percent, z)[2:]


@lru_cache(maxsize=16_384)
def quantile_ranks(n: int, percent: int, z: float) -> tuple[int, int, int]:
    """The rank of a quantile of `n` observations, and those that hold it between them; beyond 1..n there is no bound on that side.

    How many observations lie below the quantile is binomial, whatever their distribution (Conover, Practical Nonparametric
    Statistics, 1999, 3.2). Of its normal approximation the ranks are rounded outwards: from 20 observations on, either end misses
    p50, p90 and p95 no more often than `z` says, but for a fourteenth of that at z = 2.326.
    """
    middle, half = percent * n / 100, z * sqrt(n * percent * (100 - percent)) / 100
    return -(-percent * n // 100), floor(middle - half), ceil(middle + half) + 1


def merge_bins(into: dict[int, int], bins: Mapping[int, int]) -> None:
    """Add bins to others."""
    if not into:
        into.update(bins)
        return
    have = into.get
    for each, n in bins.items():
        into[each] = have(each, 0) + n


def subtract_bins(of: dict[int, int], bins: Mapping[int, int]) -> None:
    """Take bins off others that hold them; what becomes empty is removed."""
    for each, n in bins.items():
        left = of.get(each, 0) - n
        assert left >= 0, f"bin {each} lacks {-left}"
        if left:
            of[each] = left
        else:
            of.pop(each, None)
