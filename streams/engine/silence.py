"""Feed silence: nothing was heard of a partner's contacts for longer than chance explains under its own usual rate.

The gap runs from the last event of a contact: from the end of its 10 s where it came in time, from when it came where it was late. Under
a Poisson process of the usual rate nothing comes in it with a chance of exp(-expected): a feed is silent once that is under 1e-4,
which is 9.21 contacts expected, and no sooner than after 2 minutes. Time in which none is expected, such as a night, adds nothing. The
rate of an hour is the least of its own and of the hours beside it, so that an opening or closing time that drifts is no silence.

What is usual is the median of three weeks and more. Until then it is the least of what is known: of the same hour of the day before, and
of the weeks there are. Of a gap the last 20 hours count; one that is longer is looked at every quarter of an hour.

The clock is the frontier's: while we are behind, recover, or cannot reach a broker, it stands still. Once silent, a feed is so until
something comes: that stands in the partner's row.
"""

from math import inf, log
from statistics import median
from typing import Final

from models.figures import Estimate, Kind
from models.kpis import unknown
from models.statistics import WEEKS_MIN
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.engine.forecasts import offered
from streams.engine.partner import Partner
from streams.engine.profile import hour_start
from streams.engine.totals import ALL, flats
from streams.engine.usual import OFFERED, usual_hour

__all__ = ["decide", "due_ms", "is_silent", "silence"]

_EXPECTED: Final = -log(1e-4)
_LEAST_MS: Final = 2 * MINUTE_MS
_LOOKED_AT_MS: Final = 20 * HOUR_MS
"""As far back and as far ahead: a day before that, and an hour beside it, quarter hours are held, and closed."""
_RATES_MAX: Final = 100
_UNKNOWN: Final = unknown(Kind.GAUGE)
_HEARD: Final = Estimate(Kind.GAUGE, 0.0, 0, 0, 0)


def is_silent(partner: Partner) -> bool:
    """Whether nothing was heard of its contacts for too long, as of its last grid point; only where its policy asks."""
    return partner.feed.watched and partner.feed.silent_after_ms is not None


def silence(partner: Partner, at_ms: int) -> Estimate:
    """The gap at the grid point `at_ms` in seconds once it is too long, with the gap that was; 0 until then, and no value of an unheard."""
    feed = partner.feed
    if feed.heard_ms == 0:
        return _UNKNOWN
    if feed.silent_after_ms is None:
        return _HEARD
    gap_ms = at_ms - feed.heard_ms
    return Estimate(Kind.GAUGE, gap_ms / 1000, gap_ms / 1000, feed.silent_after_ms / 1000, 0)


def decide(partner: Partner, at_ms: int) -> None:
    """See whether the feed is silent at the grid point `at_ms`, which was closed."""
    feed = partner.feed
    if feed.heard_ms == 0 or feed.silent_after_ms is not None or at_ms - feed.heard_ms < _LEAST_MS:
        return
    if at_ms - feed.heard_ms <= _LOOKED_AT_MS:
        limit_ms = _limit_ms(partner, feed.heard_ms, at_ms)
    else:
        limit_ms = None if at_ms % QUARTER_MS else _limit_ms(partner, at_ms - _LOOKED_AT_MS, at_ms)
    if limit_ms is not None:
        feed.silent_after_ms = max(_LEAST_MS, round(limit_ms))


def due_ms(partner: Partner) -> int | None:
    """The next grid point at which the feed will be silent if nothing comes; None where that is not within 20 hours of the last event."""
    feed, closed_ms = partner.feed, partner.panes.closed_ms
    if feed.heard_ms == 0 or feed.silent_after_ms is not None:
        return None
    limit_ms = _limit_ms(partner, feed.heard_ms, feed.heard_ms + _LOOKED_AT_MS) if closed_ms - feed.heard_ms < _LOOKED_AT_MS else None
    if limit_ms is None:
        return None
    at_ms = feed.heard_ms + max(_LEAST_MS, round(limit_ms))
    return at_ms + -at_ms % GRID_MS


def _limit_ms(partner: Partner, from_ms: int, to_ms: int) -> float | None:
    """How long from `from_ms` on it takes until as many contacts are expected as never fail to come; None where that is beyond `to_ms`."""
    left, at_ms, zone = _EXPECTED, from_ms, partner.panes.zone
    while at_ms < to_ms:
        hour_ms = hour_start(at_ms, zone)
        rate, end_ms = _rate(partner, hour_ms), hour_ms + HOUR_MS
        needed_ms = left / rate * HOUR_MS if rate else inf
        if at_ms + needed_ms <= min(end_ms, to_ms):
            return at_ms + needed_ms - from_ms
        left -= rate * (end_ms - at_ms) / HOUR_MS
        at_ms = end_ms
    return None


def _rate(partner: Partner, hour_ms: int) -> float:
    """Contacts an hour that are to be expected at least."""
    return min(_usual(partner, hour_ms + beside) for beside in (-HOUR_MS, 0, HOUR_MS))


def _usual(partner: Partner, hour_ms: int) -> float:
    rates = partner.feed.rates
    found = rates.get(hour_ms)
    if found is None:
        if len(rates) >= _RATES_MAX:
            rates.clear()
        found = rates[hour_ms] = _looked_up(partner, hour_ms)
    return found


def _looked_up(partner: Partner, hour_ms: int) -> float:
    weeks = usual_hour(partner, OFFERED, ALL, hour_ms)
    if len(weeks) >= WEEKS_MIN:
        return median(weeks)
    before_ms = hour_ms - DAY_MS
    cells = partner.panes.sum_between(before_ms, before_ms + HOUR_MS)
    return min([offered(flats([cells]).get(ALL, 0)), *weeks])
