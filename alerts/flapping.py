"""Flapping: alerts that begin and end too often, as Nagios tells it: 21 looks, and the 20 spans between them.

Of the last 20 spans of 5 minutes those count in which the alert fired or resolved, the newest 1.25, the oldest 0.75. It flaps from
30 % of 20 on, until it is under 20 %: after three or four episodes within 100 minutes.
"""

from typing import Final

from models.windows import MINUTE_MS

__all__ = ["SPANS", "SPAN_MS", "flapping", "settles_ms", "share"]

SPAN_MS: Final = 5 * MINUTE_MS
SPANS: Final = 20
_START: Final = 0.30
_STOP: Final = 0.20
_NEWEST: Final = 1.25
_OLDEST: Final = 0.75


def flapping(flips: tuple[int, ...], flaps: bool, flipped: bool, at_ms: int) -> tuple[tuple[int, ...], bool]:  # noqa: FBT001 - two facts
    """The spans in which it changed, and whether it flaps, after the grid point `at_ms`.

    Args:
        flips: the spans of the last 100 minutes in which it fired or resolved, oldest first, counted from 1970.
        flaps: whether it flapped before.
        flipped: whether it fires or resolved at `at_ms`.
        at_ms: the grid point.
    """
    now = at_ms // SPAN_MS
    if flipped and now not in flips:
        flips = (*flips, now)
    if flips and flips[0] <= now - SPANS:
        flips = tuple(each for each in flips if each > now - SPANS)
    level = share(flips, at_ms)
    return flips, level >= (_STOP if flaps else _START)


def share(flips: tuple[int, ...], at_ms: int) -> float:
    """The weighted share of spans in which it changed; from 0 to 1."""
    now = at_ms // SPAN_MS
    return sum(_NEWEST - (now - each) * (_NEWEST - _OLDEST) / (SPANS - 1) for each in flips if now - each < SPANS) / SPANS


def settles_ms(flips: tuple[int, ...], flaps: bool, after_ms: int) -> int | None:  # noqa: FBT001 - a fact
    """When it stops to flap by itself, or nothing is left to remember; None if nothing is."""
    if not flips:
        return None
    gone = flips[-1] + SPANS
    stops = (span for span in range(after_ms // SPAN_MS + 1, gone) if share(flips, span * SPAN_MS) < _STOP)
    return (next(stops, gone) if flaps else gone) * SPAN_MS
