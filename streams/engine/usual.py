"""What is usual: the median of a figure in the same hours of the week, out of a partner's profile.

A share or a mean is taken of the whole hours that a stretch touches, since its volume is what its noise is made of. A count is taken of
the stretch itself: of the hours it begins and ends in that part of what they count which it covers. So it is right where volume rises
evenly from hour to hour as long as the stretch is an hour or longer, and across an opening time that is a full hour.

What is made of a profile is remembered until the profile, or the policy, becomes another.
"""

from collections.abc import Callable, Mapping
from typing import Final

from models.kpis import CATALOGUE, Kpi
from models.statistics import WEEKS_MIN, Baseline, baseline
from models.windows import HOUR_MS, Scope
from streams.engine.lanes import unpack
from streams.engine.partner import Partner
from streams.engine.profile import hour_start
from streams.engine.totals import flats

__all__ = ["OFFERED", "baseline_of", "hours_of", "usual", "usual_hour", "usual_sum", "weekly_sums"]

OFFERED: Final = CATALOGUE["offered"]
_MADE_MAX: Final = 256
"""Hours, and stretches of hours, by KPI, that are remembered."""
_HOUR: Final = 0

Flat = tuple[int, ...]
_ByScope = dict[Scope, list[tuple[int, float]]]
"""(how many weeks before, value) in order of time."""
_Counted = tuple[frozenset[int], dict[Scope, dict[int, float]]]


def usual(partner: Partner, kpi: Kpi, scope: Scope, start_ms: int, end_ms: int) -> Baseline | None:
    """What `kpi` usually is in `scope` from `start_ms` to `end_ms`; None where fewer than `WEEKS_MIN` weeks tell."""
    if kpi.adds_up:
        return usual_sum(partner, kpi.id, _value_of(partner, kpi, scope), scope, (start_ms, end_ms))
    hours = tuple(hours_of(start_ms, end_ms, partner.panes.zone))
    found: _ByScope | None = partner.profile.made.get((kpi.id, hours))
    if found is None:
        found = _values(partner, kpi, hours)
        _remember(partner, (kpi.id, hours), found)
    return baseline_of([value for _, value in found.get(scope, ())])


def usual_hour(partner: Partner, kpi: Kpi, scope: Scope, hour_ms: int) -> list[float]:
    """What a `kpi` that adds up was in the same hour of each of the weeks before that are known."""
    known, counted = _counted(partner, kpi.id, _value_of(partner, kpi, scope), hour_ms)
    of = counted.get(scope, {})
    return [of.get(week, 0.0) for week in sorted(known)]


def _value_of(partner: Partner, kpi: Kpi, scope: Scope) -> Callable[[Flat], float]:
    definition = partner.policy.scope_definition(scope)
    return lambda flat: kpi.estimate(flat, None, definition).value or 0.0


def usual_sum(partner: Partner, name: str, count: Callable[[Flat], float], scope: Scope, stretch: tuple[int, int]) -> Baseline | None:
    """As `usual`, of what adds up: `count` says how much of it there is in measures, and `name` what to remember it by."""

    def counted(hour_ms: int) -> tuple[frozenset[int], Mapping[int, float]]:
        known, by_scope = _counted(partner, name, count, hour_ms)
        return known, by_scope.get(scope, {})

    return baseline_of(weekly_sums(stretch, partner.panes.zone, counted))


def weekly_sums(stretch: tuple[int, int], zone: str, counted: Callable[[int], tuple[frozenset[int], Mapping[int, float]]]) -> list[float]:
    """What a count was in a stretch of time of each week that is known, in order of time.

    Args:
        stretch: its beginning and its end.
        zone: by whose clock hours begin.
        counted: of an hour the weeks before that are known, and how much there was in each of which anything is.
    """
    start_ms, end_ms = stretch
    sums: dict[int, float] | None = None
    for hour_ms in hours_of(start_ms, end_ms, zone):
        share = (min(end_ms, hour_ms + HOUR_MS) - max(start_ms, hour_ms)) / HOUR_MS
        known, of = counted(hour_ms)
        if sums is None:
            sums = {week: share * of.get(week, 0.0) for week in known}
        else:
            sums = {week: total + share * of.get(week, 0.0) for week, total in sums.items() if week in known}
    return [sums[week] for week in sorted(sums, reverse=True)] if sums else []


def baseline_of(values: list[float]) -> Baseline | None:
    """What is usual where a figure was this in each week, in order of time; None of fewer than `WEEKS_MIN`."""
    return None if len(values) < WEEKS_MIN else baseline(((_HOUR, value) for value in values), _HOUR)


def hours_of(start_ms: int, end_ms: int, zone: str) -> range:
    """When the whole hours began that a stretch touches."""
    return range(hour_start(start_ms, zone), end_ms, HOUR_MS)


def _remember(partner: Partner, key: tuple[object, ...], found: object) -> None:
    made = partner.profile.made
    if len(made) >= _MADE_MAX:
        made.clear()
    made[key] = found


def _counted(partner: Partner, name: str, count: Callable[[Flat], float], hour_ms: int) -> _Counted:
    """Of an hour the weeks that are known, and by scope how much there was, by how many weeks before."""
    found: _Counted | None = partner.profile.made.get((name, hour_ms))
    if found is not None:
        return found
    weeks, by_scope = partner.profile.weeks(hour_ms, partner.panes.zone), dict[Scope, dict[int, float]]()
    width = partner.policy.customs.width
    for week, (_, cells) in weeks.items():
        for scope, packed in flats(partner.lifted([cells])).items():
            by_scope.setdefault(scope, {})[week] = count(unpack(packed, width))
    found = frozenset(weeks), by_scope
    _remember(partner, (name, hour_ms), found)
    return found


def _values(partner: Partner, kpi: Kpi, hours: tuple[int, ...]) -> _ByScope:
    """The KPI of the hours together, in each week that is known of all of them and was counted under the present definition."""
    found: _ByScope = {}
    past = [partner.profile.weeks(hour_ms, partner.panes.zone) for hour_ms in hours]
    since, policy = partner.since, partner.policy
    for week in sorted(set.intersection(*(set(each) for each in past)), reverse=True):
        parts = partner.lifted([each[week][1] for each in past])
        rebased = partner.rebased(parts)
        for scope, packed in flats(parts).items():
            definition = policy.scope_definition(scope)
            if rebased.get(scope, 0) >> kpi.counted_under & kpi.needs_basis(definition):
                continue
            if kpi.scale and since.at_ms and since.holds_from(kpi.scale, scope) > past[0][week][0]:
                continue
            value = kpi.estimate(unpack(packed, policy.customs.width), None, definition).value
            if value is not None:
                found.setdefault(scope, []).append((week, value))
    return found
