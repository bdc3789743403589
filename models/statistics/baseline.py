"""What is usual: the same hour of the week over the last weeks, by median and median absolute deviation.

Both are unmoved by a few bad weeks: half of the values must be wrong before they are.
"""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from statistics import median
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["Baseline", "baseline", "hour_of_week"]

_TO_DEVIATION: Final = 1.4826
"""The median absolute deviation of a normal variable times this is its standard deviation."""
_WEEKS: Final = 8


class Baseline(NamedTuple):
    """What a figure usually is in an hour of the week, in the figure's unit."""

    median: float
    deviation: float
    """The median absolute deviation, scaled to compare with a standard deviation."""
    n: int
    """Values it was made of."""

    def z(self, value: float) -> float | None:
        """By how many deviations `value` lies above the median; None where nothing deviated, which is no scale."""
        return (value - self.median) / self.deviation if self.deviation else None


def hour_of_week(at_ms: int, zone: str) -> int:
    """The hour of the week in `zone`: 0 is Monday from 00:00, 167 Sunday from 23:00.

    By the clock on the wall: when summer time ends an hour comes twice, and when it begins one is left out.
    """
    local = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour


def baseline(values: Iterable[tuple[int, float]], hour: int, weeks: int = _WEEKS) -> Baseline | None:
    """The baseline of an hour of the week (`hour_of_week`), from (hour of the week, value) in order of time; None without a value.

    Only the last `weeks` values of the hour count, so that what was usual long ago is forgotten.
    """
    last = deque((value for at, value in values if at == hour), maxlen=weeks)
    if not last:
        return None
    middle = median(last)
    return Baseline(middle, _TO_DEVIATION * median(abs(value - middle) for value in last), len(last))
