"""Attribution: what an alert's figure is taken apart by, in its window and in the equal one before. Looked at only when one fires."""

from collections.abc import Iterable
from typing import Final

from alerts.drivers import NAMELESS, Before, Parts, attribute, can_be_attributed
from models.figures import Estimate
from models.kpis import Kpi
from models.records import Attribution
from models.windows import DAY_MS, DIMENSIONS, SIDES, Scope
from streams.engine.cells import Cells, SideCell
from streams.engine.lanes import unpack
from streams.engine.partner import Partner
from streams.engine.totals import WindowTotal

__all__ = ["attribution"]

_WIDEST_MS: Final = DAY_MS
"""Wider windows, and those that grow, have no equal one before them that anybody would compare with."""
_Summed = dict[str, dict[str, int]]
"""Packed flat vectors by dimension and key."""


def attribution(partner: Partner, kpi: Kpi, total: WindowTotal, scope: Scope, at_ms: int, min_samples: int) -> Attribution | None:
    """What changed since the equal window before the closed one of `scope`; None where that says nothing.

    Nothing is said of live figures and quantiles, which do not add up, nor of a site or another side, of which only the whole is known,
    nor where the window before held fewer than `min_samples`, or anything that was counted under another definition.
    """
    window = total.window
    if scope.dimension in SIDES or kpi.live or kpi.quantile is not None or window.since != "width" or window.width_ms > _WIDEST_MS:
        return None
    begin_ms = partner.panes.slot(2 * total.start_ms - at_ms)[1]
    parts = partner.lifted(list(partner.panes.cells_between(begin_ms, total.start_ms)))
    definition = partner.policy.scope_definition(scope)
    if partner.rebased(parts).get(scope, 0) >> kpi.counted_under & kpi.needs_basis(definition):
        return None

    def estimate(packed: int) -> Estimate:
        return kpi.estimate(unpack(packed, partner.policy.customs.width), None, definition)

    def split(summed: _Summed, dimension: str) -> Parts:
        return {key: estimate(packed) for key, packed in summed.get(dimension, {}).items()}

    now_all, now = _sums(partner.lifted(partner.totals.parts(total)), scope)
    before_all, before = _sums(parts, scope)
    was, present = estimate(before_all), estimate(now_all)
    if not can_be_attributed(was) or was.n < min_samples:
        return None
    dimensions = [(each, split(before, each), split(now, each)) for each in DIMENSIONS if each in now]
    return attribute(Before(was, begin_ms, total.start_ms), present, kpi.unit, dimensions)


def _sums(parts: Iterable[Cells], scope: Scope) -> tuple[int, _Summed]:
    """What `scope` holds: as a whole, and by every dimension but its own; of sides the whole partner only."""
    whole, summed, sides = 0, _Summed(), _Summed()
    for cells in parts:
        for cell, packed in cells.items():
            if isinstance(cell, SideCell):
                side = Scope.parse(cell.side)
                _add(sides, side.dimension, side.value, packed)
                continue  # What it counts is counted in a queue and channel too.
            places = {"queue": cell.queue, "channel": cell.channel}
            if scope.dimension != "all" and places.pop(scope.dimension) != scope.value:
                continue
            whole += packed
            for dimension, key in places.items():
                _add(summed, dimension, key or NAMELESS, packed)
    if scope.dimension == "all":
        for dimension, named in sides.items():
            summed[dimension] = named | {NAMELESS: whole - sum(named.values())}
    return whole, summed


def _add(summed: _Summed, dimension: str, key: str, packed: int) -> None:
    of = summed.setdefault(dimension, {})
    of[key] = of.get(key, 0) + packed
