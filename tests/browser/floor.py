"""What partners' contacts come to between two moments, as measures: a day has its hours, and trouble its beginning. Pure."""

from datetime import UTC, datetime, timedelta
from math import pi, sin
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from models.figures import Live
from models.windows import DAY_MS, MINUTE_MS
from tests.browser.house import Doing, Partner

__all__ = ["CHANNELS", "QUEUES", "counted", "waiting"]

QUEUES: Final = {"billing": 0.45, "technical": 0.35, "sales": 0.2}
"""The share of the contacts of each."""
CHANNELS: Final = {"voice": 0.6, "chat": 0.28, "email": 0.12}

_LOOKS: Final = 6
"""At so many moments of a span its rates are looked at."""
_RISE_MS: Final = 12 * MINUTE_MS
"""How long trouble takes to come."""
_FALLS_TO: Final = {Doing.CRITICAL: 0.36, Doing.WARNING: 0.68, Doing.PENDING: 0.74, Doing.RECOVERING: 0.7, Doing.UNKNOWN: 0.7}
_HANDLE_MS: Final = 290_000
_HASTE: Final = 0.7


def _volume(partner: Partner, at_ms: int) -> float:
    """Contacts a minute: little at night, most at noon and in the afternoon, half of it on weekends."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(partner.zone))
    hour = local.hour + local.minute / 60
    day = max(0.0, sin((hour - 6) / 14 * pi)) if 6 <= hour <= 20 else 0.0
    weekend = 0.5 if local.weekday() >= 5 else 1.0
    return partner.per_minute * weekend * (0.3 + 0.7 * day)


def _trouble(partner: Partner, at_ms: int) -> float:
    """0 before it began, 1 when it is there whole; once a week an afternoon is half as bad."""
    if at_ms >= partner.began_ms:
        return min(1.0, (at_ms - partner.began_ms) / _RISE_MS)
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).timetuple().tm_yday
    return 0.5 if (day + partner.number) % 7 == 0 and at_ms % DAY_MS > DAY_MS * 7 // 12 else 0.0


def _level(partner: Partner, at_ms: int) -> float:
    low = _FALLS_TO.get(partner.doing, partner.level)
    return partner.level + (low - partner.level) * _trouble(partner, at_ms) + 0.02 * sin(at_ms / 1_700_000 + partner.number)


def _noisy(draw: Random, expected: float) -> int:
    return max(0, round(draw.gauss(expected, max(expected, 0.0) ** 0.5 * 0.7)))


def counted(partner: Partner, from_ms: int, to_ms: int, share: float = 1.0, *, worse: float = 0.0) -> dict[str, int]:
    """The measures of [from, to) that are not zero.

    Args:
        partner: whose.
        from_ms: inclusive.
        to_ms: exclusive.
        share: of the partner's contacts, where a part of it is meant.
        worse: how much lower the service level of that part is.
    """
    draw = Random(f"{partner.number} {from_ms // MINUTE_MS} {to_ms // 20_000} {share}")
    looks = min(_LOOKS, max(1, (to_ms - from_ms) // MINUTE_MS))
    step_ms = (to_ms - from_ms) / looks
    at = [round(from_ms + (number + 0.5) * step_ms) for number in range(looks)]
    if partner.doing is Doing.SILENT:
        at = [each for each in at if each < partner.began_ms]
    weights = [_volume(partner, each) * share * step_ms / MINUTE_MS for each in at]
    arrivals = _noisy(draw, sum(weights))
    if arrivals == 0:
        return {}
    level = sum(_level(partner, each) * weight for each, weight in zip(at, weights, strict=True)) / sum(weights) - worse
    level = min(1.0, max(0.02, level + draw.gauss(0, 0.25 / arrivals**0.5)))
    hasty = partner.doing is Doing.HASTY and _trouble(partner, at[-1]) == 1.0
    return {name: value for name, value in _measures(draw, arrivals, level, hasty=hasty).items() if value}


def _measures(draw: Random, arrivals: int, level: float, *, hasty: bool) -> dict[str, int]:
    abandoned = min(arrivals, _noisy(draw, arrivals * (0.012 + (1 - level) * 0.17)))
    answered = arrivals - abandoned
    wait_ms = 4_000 + (1 - level) * 105_000
    handle_ms = _HANDLE_MS * (_HASTE if hasty else 1) * draw.uniform(0.97, 1.03)
    said = _noisy(draw, answered * 0.7)
    asked, content = _noisy(draw, answered * 0.16), 0.55 if hasty else 0.9
    busy = min(0.97, 0.66 + (1 - level) * 0.55)
    contact_ms = round(answered * handle_ms)
    ratings = [min(5, max(1, round(draw.gauss(2.4 + 2.4 * content, 0.75)))) for _ in range(min(asked, 20))]
    return {
        "arrivals": arrivals,
        "answered": answered,
        "answered_within": min(answered, round(arrivals * level)),
        "answered_wait_ms": round(answered * wait_ms),
        "answered_wait_s2": round(answered * (wait_ms / 1000) ** 2 * 2),
        "abandoned": abandoned,
        "abandoned_wait_ms": round(abandoned * wait_ms * 1.4),
        "abandoned_wait_s2": round(abandoned * (wait_ms * 1.4 / 1000) ** 2 * 2),
        "handled": answered,
        "talk_ms": round(contact_ms * 0.74),
        "hold_ms": round(contact_ms * 0.08),
        "wrap_ms": round(contact_ms * 0.18),
        "handle_s2": round(answered * (handle_ms / 1000) ** 2 * 1.4),
        "hold_s2": round(answered * (handle_ms * 0.08 / 1000) ** 2 * 3),
        "held": round(answered * 0.3),
        "transferred": _noisy(draw, answered * 0.07),
        "resolved": min(said, _noisy(draw, said * (0.66 if hasty else 0.79))),
        "resolved_answers": said,
        "csat_invited": round(asked * 4),
        **{f"csat_{score}": round(ratings.count(score) * asked / max(1, len(ratings))) for score in range(1, 6)},
        "contact_ms": contact_ms,
        "idle_ms": round(contact_ms * (1 - busy) / busy),
        "scheduled_ms": round(contact_ms / busy * 1.08),
        "adherent_ms": round(contact_ms / busy * 1.08 * 0.93),
    }


def waiting(partner: Partner, at_ms: int) -> Live:
    """Who waits, and who is there to answer."""
    draw = Random(f"{partner.number} {at_ms // 1000}")
    if partner.doing is Doing.SILENT:
        return Live(0, None, 0, None, 0, 0, 0)
    volume, level = _volume(partner, at_ms), _level(partner, at_ms)
    several = _noisy(draw, volume * (1 - level) * 2.2)
    longest_ms = round((6 + (1 - level) * 260) * 1000 * draw.uniform(0.8, 1.2)) if several else None
    staffed = round(volume * _HANDLE_MS / MINUTE_MS / min(0.97, 0.66 + (1 - level) * 0.55)) + 1
    past = 0 if longest_ms is None else round(several * max(0.0, 1 - 20_000 / longest_ms))
    return Live(several, longest_ms, past, None, 0, staffed, max(0, round(staffed * (level - 0.6))))
