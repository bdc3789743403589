"""What was counted in one cell: its packed measures, and its bins."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from models.bins import Bins
from models.measures import WIDTHS
from streams.engine.lanes import pack

__all__ = ["UNCOUNTED", "Counted", "count_bins", "counted_of", "difference"]


class Counted(NamedTuple):
    """Not to be changed."""

    packed: int
    bins: Bins


UNCOUNTED: Final = Counted(0, {})


def counted_of(family: int, vector: Sequence[int]) -> Counted:
    """From a vector as the fold leaves it: the measures, and behind them the keys of bins."""
    bins: Bins = {}
    count_bins(bins, vector[WIDTHS[family] :])
    return Counted(pack(family, vector[: WIDTHS[family]]), bins)


def difference(family: int, vector: Sequence[int]) -> tuple[Counted, Counted]:
    """What is not counted any more, and what is instead, from what each measure changes by."""
    gone, come = (pack(family, [max(0, by * each) for each in vector]) for by in (-1, 1))
    return Counted(gone, {}), Counted(come, {})


def count_bins(bins: Bins, keys: Iterable[int]) -> None:
    """Count keys."""
    for key in keys:
        bins[key] = bins.get(key, 0) + 1
