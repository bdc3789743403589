"""Calendar days and contract months of a zone, as epoch milliseconds."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["day_end", "day_name", "day_start", "days_before", "month_start"]

_QUARTER_MS: Final = 900_000
"""Every zone's midnights since 1980 lie on quarter hours of UTC."""


@lru_cache(maxsize=4096)
def _day_bounds(quarter_ms: int, zone: str) -> tuple[int, int]:
    """The day around the quarter hour `quarter_ms`, cut at the zone's midnights: 23, 24 or 25 hours long."""
    local = datetime.fromtimestamp(quarter_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    first = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone))
    after = first + timedelta(days=1)
    return round(first.timestamp() * 1000), round(after.timestamp() * 1000)


def day_start(at_ms: int, zone: str) -> int:
    """When the calendar day of `at_ms` begins in `zone`, as epoch milliseconds."""
    return _day_bounds(at_ms - at_ms % _QUARTER_MS, zone)[0]


def day_end(at_ms: int, zone: str) -> int:
    """When the calendar day of `at_ms` ends in `zone`."""
    return _day_bounds(at_ms - at_ms % _QUARTER_MS, zone)[1]


def day_name(at_ms: int, zone: str) -> str:
    """The date of `at_ms` in `zone`, such as `2026-03-29`."""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).date().isoformat()


def days_before(at_ms: int, days: int, zone: str) -> int:
    """When the calendar day began in `zone` that lies so many days before that of `at_ms`."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    first = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone)) - timedelta(days=days)
    return round(first.timestamp() * 1000)


def month_start(at_ms: int, zone: str, starts_on: int) -> int:
    """When the contract month of `at_ms` began in `zone`: on its last day number `starts_on` (1 to 28)."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    year, month = local.year, local.month
    if local.day < starts_on:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return round(datetime(year, month, starts_on, tzinfo=ZoneInfo(zone)).timestamp() * 1000)
