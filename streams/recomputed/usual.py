"""What was usual at a time of the past, out of the quarter hours of the weeks before it: as `streams.engine.usual`, by the same hours."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from models.kpis import Kpi
from models.statistics import Baseline
from models.windows import DAY_MS
from streams.engine.profile import WEEKS, hour_start, weeks_before
from streams.engine.usual import baseline_of, hours_of, weekly_sums
from streams.recomputed.kept import Kept

__all__ = ["REACH_MS", "since_of", "usual_of"]

Json = Mapping[str, Any]

REACH_MS: Final = (7 * WEEKS + 1) * DAY_MS
"""How long before a window begins that begins which is looked at; the day is for summer time."""


def since_of(whole: Sequence[Json], zone: str) -> int | None:
    """When the first hour began of which anything is known of a partner, by the quarter hours of all of it; None where there is none."""
    first_ms = min((each["from"] for each in whole), default=None)
    return None if first_ms is None else hour_start(first_ms, zone)


def usual_of(kept: Kept, since_ms: int, kpi: Kpi, stretch: tuple[int, int]) -> Baseline | None:
    """What `kpi` usually was in a stretch of time; None where fewer weeks tell than it takes.

    Args:
        kept: of the scope, the quarter hours of at least `REACH_MS` before the stretch.
        since_ms: of the partner, see `since_of`.
        kpi: the figure.
        stretch: its beginning and its end.
    """
    zone, by_hour = kept.policy.timezone, dict[int, list[Json]]()
    for each in kept.quarters:
        by_hour.setdefault(hour_start(each["from"], zone), []).append(each)
    hours = hours_of(*stretch, zone)
    weeks = {hour_ms: {week: before_ms for week, before_ms in weeks_before(hour_ms, zone) if before_ms >= since_ms} for hour_ms in hours}
    if kpi.adds_up:

        def counted(hour_ms: int) -> tuple[frozenset[int], Mapping[int, float]]:
            found = {week: kept.estimate(kpi, by_hour.get(before_ms, ())).value or 0.0 for week, before_ms in weeks[hour_ms].items()}
            return frozenset(found), found

        return baseline_of(weekly_sums(stretch, zone, counted))
    values = []
    for week in sorted(set.intersection(*map(set, weeks.values())), reverse=True):
        found = [each for of in weeks.values() for each in by_hour.get(of[week], ())]
        value = kept.estimate(kpi, found).value
        if value is not None and not kept.mixed(kpi, found):
            values.append(value)
    return baseline_of(values)
