"""Forecasts: how far what came differs from what was planned for."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Live
from models.kpis.families import FORECAST
from models.kpis.kpi import Better, Kpi, Perspective, Unit, change, never, words
from models.measures import M

__all__ = ["KPIS"]

_MILLI: Final = M.forecast_milli
_OFFERED: Final = M.forecast_offered


def _deviation(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return change(flat[_OFFERED], flat[_MILLI])


KPIS: Final = (
    Kpi(
        id="forecast_deviation",
        title="Deviation from the forecast",
        unit=Unit.CHANGE,
        better=Better.TWO_SIDED,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="interval's start, once it has closed",
        formula="(offered - forecast) / forecast, of closed intervals that have a forecast",
        family=FORECAST,
        estimate=_deviation,
        describe=words("offered in closed intervals against their forecast"),
        needs_basis=never,
        traps="0.1 is a tenth more than planned; offered is A + B at the exit from the queue; intervals of one queue that go over and "
        "under cancel out; a contact under two forecasts (its queue's and its channel's) counts in both",
        leading=True,
    ),
)
