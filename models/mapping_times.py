"""Times as logs write them: clock times of a date, and whole timestamps with or without an offset."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from models.errors import TimeError

__all__ = ["DAY_SECONDS", "clock_seconds", "seconds", "wall_ms", "whole_ms"]

DAY_SECONDS: Final = 86_400
_CLOCK: Final = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?")


def clock_seconds(text: str, entered: float | None = None) -> float | None:
    """Seconds since midnight of `H:MM[:SS]`, past 86,400 for the next day; None where it is no clock time.

    A time more than half a day before `entered` has wrapped, so it is the next day's. One only a little before it is not: clocks of
    two machines differ by a second or two.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, secs, fraction = match.groups()
    at = int(hours) * 3600 + int(minutes) * 60 + int(secs or 0) + float(fraction or 0)
    if entered is not None and at < entered - DAY_SECONDS / 2:
        at += DAY_SECONDS
    return at


def seconds(text: str) -> float:
    """A duration: a number of seconds, or `H:MM:SS`; two numbers could be minutes or hours, so they are none.

    Raises:
        ValueError: for anything else.
    """
    if ":" not in text:
        return float(text)
    total = clock_seconds(text.removeprefix("-")) if text.count(":") == 2 else None  # noqa: PLR2004 - hours, minutes, seconds
    if total is None:
        msg = f"no duration: {text!r}"
        raise ValueError(msg)
    return -total if text.startswith("-") else total


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def wall_ms(day: date, since_midnight: float, zone: str) -> int:
    """Epoch milliseconds of a wall clock that shows `since_midnight` seconds of `day`; the first of two where it goes back."""
    local = datetime(day.year, day.month, day.day, tzinfo=_zone(zone)) + timedelta(seconds=since_midnight)
    return round(local.timestamp() * 1000)


def whole_ms(text: str, zone: str) -> int:
    """Epoch milliseconds of a date and time; one without an offset is of `zone`.

    Raises:
        TimeError: if it is neither.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        msg = f"no date and time: {text!r}"
        raise TimeError(msg) from None
    return round((at if at.tzinfo else at.replace(tzinfo=_zone(zone))).astimezone(UTC).timestamp() * 1000)
