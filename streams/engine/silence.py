"""Feed silence: nothing was heard of a partner's contacts for longer than chance explains under its own usual rate.

The gap runs from the last event of a contact: from the end of its 10 s where it came in time, from when it came where it was late. Under
a Poisson process of the usual rate nothing comes in it with a chance of exp(-expected): a feed is silent once that is under 1e-4,
which is 9.21 contacts expected, and no sooner than after 2 minutes. Time in which none is expected, such as a night, adds nothing. The
rate of an hour is the least of its own and of the hours beside it, so that an opening or closing time that drifts is no silence.

What is usual is the median of three weeks and more. Until then it is the least of what is known: of the same hour of the day before, and
of the weeks there are. Of a gap the last 20 hours count; one that is longer is looked at every quarter of an hour.

The clock is the frontier's: while we are behind, recover, or cannot reach a broker, it stands still. Once silent, a feed is so until
something comes: that stands in the partner's row.

Where the source of its contacts says that it lives (`streams.engine.sources`), a gap counts from when the source lives, and up to 90 s
ago, since what came after that may be its own. While the source is silent, nothing can be said of the feed.
"""

from math import inf, log
from statistics import median
from typing import Final

from models.figures import Estimate, Kind
from models.kpis import FED, FED_OR_NOT, unknown
from models.sources import SILENT_AFTER_MS, Voice
from models.statistics import WEEKS_MIN
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.engine.forecasts import offered
from streams.engine.partner import Partner
from streams.engine.profile import hour_start
from streams.engine.totals import ALL, flats
from streams.engine.usual import OFFERED, usual_hour

__all__ = ["decide", "described", "due_ms", "is_silent", "silence"]

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
    heard, since_ms = _heard(partner, at_ms)
    if heard is Voice.SILENT:
        return _UNKNOWN
    gap_ms = max(at_ms - since_ms, feed.silent_after_ms)
    return Estimate(Kind.GAUGE, gap_ms / 1000, gap_ms / 1000, feed.silent_after_ms / 1000, 0)


def described(partner: Partner, at_ms: int) -> str:
    """Whose a silence is, as far as that is known at `at_ms`."""
    return FED if _heard(partner, at_ms)[0] is Voice.ALIVE else FED_OR_NOT


def _heard(partner: Partner, at_ms: int) -> tuple[Voice, int]:
    """What is known of its source at `at_ms`, and from when on a gap counts."""
    feed = partner.feed
    heard = feed.sources.of(partner.policy.source, at_ms)
    return heard.voice, max(feed.heard_ms, heard.since_ms)


def decide(partner: Partner, at_ms: int) -> None:
    """See whether the feed is silent at the grid point `at_ms`, which was closed."""
    feed = partner.feed
    if feed.heard_ms == 0 or feed.silent_after_ms is not None or at_ms - feed.heard_ms < _LEAST_MS:
        return
    heard, since_ms = _heard(partner, at_ms)
    known_ms = at_ms - _margin_ms(heard)
    if heard is Voice.SILENT or known_ms - since_ms < _LEAST_MS:
        return
    if known_ms - since_ms <= _LOOKED_AT_MS:
        limit_ms = _limit_ms(partner, since_ms, known_ms)
    else:
        limit_ms = None if at_ms % QUARTER_MS else _limit_ms(partner, known_ms - _LOOKED_AT_MS, known_ms)
    if limit_ms is not None:
        feed.silent_after_ms = max(_LEAST_MS, round(limit_ms))


def due_ms(partner: Partner) -> int | None:
    """The next grid point at which the feed will be silent, or its source speaks otherwise, if nothing comes.

    None where that is not within 20 hours of the last event.
    """
    feed = partner.feed
    if feed.heard_ms == 0:
        return None
    turns_ms = feed.sources.turns_ms(partner.panes.closed_ms)
    falls_ms = None if feed.silent_after_ms is not None else _falls_silent_ms(partner)
    at_ms = min((each for each in (turns_ms, falls_ms) if each is not None), default=None)
    return None if at_ms is None else at_ms + -at_ms % GRID_MS


def _falls_silent_ms(partner: Partner) -> int | None:
    """When it will be silent if nothing comes and its source stays as it is."""
    closed_ms = partner.panes.closed_ms
    heard, since_ms = _heard(partner, closed_ms)
    if heard is Voice.SILENT or closed_ms - since_ms >= _LOOKED_AT_MS:
        return None
    limit_ms = _limit_ms(partner, since_ms, since_ms + _LOOKED_AT_MS)
    return None if limit_ms is None else since_ms + max(_LEAST_MS, round(limit_ms)) + _margin_ms(heard)


def _margin_ms(heard: Voice) -> int:
    """How much of a gap up to now the source may have been silent without our knowing."""
    return SILENT_AFTER_MS if heard is Voice.ALIVE else 0


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
