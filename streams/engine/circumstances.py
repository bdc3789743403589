"""Circumstances of an alert: how many contacts came, and how many agents were at work, against what is usual in these hours.

Looked at only when one fires or escalates, over the rule's window: at least an hour, since what is usual is known by the hour, and at
most a day. Agents are counted by their time on contacts and available; who is in a break is not at work.
"""

from datetime import UTC, datetime
from math import hypot
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.figures import Estimate
from models.kpis.kpi import gauge
from models.measures import M
from models.records import Circumstance, Circumstances
from models.statistics import Z_PAGE, Baseline, Compare, Compared, interval
from models.windows import DAY_MS, GRID_MS, HOUR_MS, SIDES, Scope
from streams.engine.lanes import unpack
from streams.engine.partner import Partner
from streams.engine.totals import WindowTotal, flats
from streams.engine.usual import OFFERED, Flat, usual, usual_sum

__all__ = ["circumstances"]

_STAFF_DEVIATION: Final = 0.5
"""Agents: so many more or fewer are not worth a word, however alike the weeks were."""
_ERROR_OF_A_MEDIAN: Final = 1.2533
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def circumstances(partner: Partner, total: WindowTotal, scope: Scope, at_ms: int) -> Circumstances:
    """Those of `scope` at the grid point `at_ms`, which was closed."""
    width_ms = min(max(at_ms - total.start_ms, HOUR_MS), DAY_MS)
    start_ms = partner.panes.slot(at_ms - width_ms)[1]
    if scope.dimension in SIDES:
        arrivals = staffing = _without("not_kept")
    else:
        parts = partner.lifted([partner.panes.sum_between(start_ms, at_ms)])
        flat = unpack(flats(parts).get(scope, 0), partner.policy.customs.width)
        arrivals, staffing = _arrivals(partner, scope, flat, (start_ms, at_ms)), _staffing(partner, scope, flat, (start_ms, at_ms))
    told: dict[str, Any] = {"arrivals": arrivals, "staffing": staffing, "from": start_ms, "to": at_ms}
    return Circumstances.model_validate(told | {"text": _text(arrivals, staffing, at_ms, partner.panes.zone)})


def _arrivals(partner: Partner, scope: Scope, flat: Flat, stretch: tuple[int, int]) -> Circumstance:
    offered = flat[M.answered] + flat[M.abandoned]
    found = usual(partner, OFFERED, scope, *stretch)
    figure: Estimate = gauge(offered, offered)
    bounds = interval(Compared.of(figure, found, Compare.CHANGE, counts=True), Z_PAGE)
    return _made(offered, found, unusual=bounds is not None and not bounds[0] <= 0 <= bounds[1])


def _staffing(partner: Partner, scope: Scope, flat: Flat, stretch: tuple[int, int]) -> Circumstance:
    width_ms = stretch[1] - stretch[0]
    value = _worked_ms(flat) / width_ms
    found = usual_sum(partner, "worked", _worked_ms, scope, stretch)
    if found is None or not (value or found.median or found.deviation):
        return _made(value, None, unusual=False) if value else _without("not_counted")
    found = Baseline(found.median / width_ms, found.deviation / width_ms, found.n)
    deviation = max(found.deviation, _STAFF_DEVIATION)
    noise = hypot(deviation, _ERROR_OF_A_MEDIAN * deviation / found.n**0.5)
    return _made(value, found, unusual=abs(value - found.median) > Z_PAGE * noise)


def _worked_ms(flat: Flat) -> float:
    return flat[M.contact_ms] + flat[M.idle_ms]


def _made(value: float, found: Baseline | None, *, unusual: bool) -> Circumstance:
    if found is None:
        return _without("no_baseline", value)
    return Circumstance(value=value, usual=found.median, deviation=found.deviation, weeks=found.n, unusual=unusual, reason=None)


def _without(reason: str, value: float | None = None) -> Circumstance:
    told = {"value": value, "usual": None, "deviation": None, "weeks": 0, "unusual": False, "reason": reason}
    return Circumstance.model_validate(told)


def _text(arrivals: Circumstance, staffing: Circumstance, at_ms: int, zone: str) -> str | None:
    """`arrivals are 40 % over the usual Monday 10:00, staffing is 25 % under it`; None where both are as usual."""
    said = [
        f"{name} {verb} {abs(each.value - each.usual) / each.usual:.0%} {'over' if each.value > each.usual else 'under'}".replace("%", " %")
        for name, verb, each in (("arrivals", "are", arrivals), ("staffing", "is", staffing))
        if each.unusual and each.value is not None and each.usual
    ]
    if not said:
        return None
    local = datetime.fromtimestamp((at_ms - GRID_MS) / 1000, UTC).astimezone(ZoneInfo(zone))
    said[0] += f" the usual {_WEEKDAYS[local.weekday()]} {local.hour:02d}:00"
    return ", ".join([said[0], *(f"{each} it" for each in said[1:])])
