"""The wall clock of a zone, as calendars mean it: from a local time to a moment, in order also where clocks are put.

What falls into an hour that clocks leave out is the moment at which they are put; of an hour that comes twice the first is meant. So a
later local time is never an earlier moment, and spans of local time that meet, or follow each other, do so as spans of moments too.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["local_of", "moment_ms"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def local_of(at_ms: int, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show at a moment, in whole seconds, without the zone."""
    return datetime.fromtimestamp(at_ms // 1000, zone).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=4096)
def moment_ms(local: datetime, zone: ZoneInfo) -> int:
    """The moment at which the clocks of a zone show a time, given in whole seconds and without a zone."""
    low, high = (_seconds(local.replace(tzinfo=zone, fold=fold)) for fold in (1, 0))
    if low >= high or local_of(high * 1000, zone) == local:
        return min(low, high) * 1000
    # They never show it: `low` is before they are put and `high` is not, and whatever is shown before is under `local`.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if local_of(middle * 1000, zone) > local else (middle, high)
    return high * 1000


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // _SECOND
