"""The wall clock of a zone, as calendars mean it: from a local time to a moment, in order also where clocks are put.

What falls into an hour that clocks leave out is the moment at which they are put; of an hour that comes twice the first is meant. So a
later local time is never an earlier moment, and spans of local time that meet, or follow each other, do so as spans of moments too.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from models.errors import TimeError
from models.times import to_ms

__all__ = ["local_of", "moment_ms", "read_moment"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_LOCAL: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?")


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


def read_moment(text: str, zone: ZoneInfo) -> int:
    """The moment that a text says: RFC 3339 with an offset, or what the clocks of a zone show, such as 2026-12-24T18:00 or 2026-12-24.

    Raises:
        TimeError: if it is neither.
    """
    if _LOCAL.fullmatch(text):
        try:
            return moment_ms(datetime.fromisoformat(text), zone)
        except ValueError as error:
            msg = f"{text!r} is no date: {error}"
            raise TimeError(msg) from None
    try:
        return to_ms(text)
    except TimeError as error:
        msg = f"{error}; or a time of the wall clock there, such as 2026-12-24T18:00"
        raise TimeError(msg) from None
