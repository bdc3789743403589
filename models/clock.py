"""The only place that reads the wall clock. Everything else is handed a time."""

import time

__all__ = ["now_ms"]


def now_ms() -> int:
    """The wall clock now, in whole milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000
