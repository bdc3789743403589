"""Quantiles of durations from logarithmic bins that merge and subtract.

Guarantee: a quantile is within 1 % of the value of its rank, for any data. Cost: a look-up a value (a logarithm above 35 minutes) and
one integer a bin that holds something; a second to a day spans 575 bins, and 64 bits of milliseconds could never fill more than
2,204. Bin 0 holds 0 ms; bin b above it holds 1.02^(b-1) up to 1.02^b ms, where half of that, 0.02/2.02, is the error. Bins are
additive: any order and any split give the same quantile, and what left a window is taken off again.
"""

from array import array
from collections.abc import Mapping
from math import ceil, log
from typing import Final

__all__ = ["ERROR_MAX", "bin_of", "merge_bins", "quantile_ms", "subtract_bins"]

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


def quantile_ms(bins: Mapping[int, int], q: float) -> float | None:
    """The value of rank ceil(q n), for q from 0 to 1, in milliseconds; None where there is none."""
    assert 0 <= q <= 1, f"not a quantile: {q}"
    n = sum(bins.values())
    if not n:
        return None
    rank = max(1, ceil(q * n))
    for each in sorted(bins):
        rank -= bins[each]
        if rank <= 0:
            return _middle_ms(each)
    msg = "the bins hold fewer than they count"
    raise AssertionError(msg)


def merge_bins(into: dict[int, int], bins: Mapping[int, int]) -> None:
    """Add bins to others."""
    for each, n in bins.items():
        into[each] = into.get(each, 0) + n


def subtract_bins(of: dict[int, int], bins: Mapping[int, int]) -> None:
    """Take bins off others that hold them; what becomes empty is removed."""
    for each, n in bins.items():
        left = of.get(each, 0) - n
        assert left >= 0, f"bin {each} lacks {-left}"
        if left:
            of[each] = left
        else:
            of.pop(each, None)


def _middle_ms(each: int) -> float:
    """The value that is relatively as far from either end of the bin."""
    return 2 * _RATIO**each / (_RATIO + 1) if each else 0.0
