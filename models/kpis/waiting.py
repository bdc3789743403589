"""Who waits now: gauges of this moment, in every window up to 1 h alike."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import INTERACTIONS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, gauge, never, unknown, words

__all__ = ["KPIS"]

_UNKNOWN: Final = unknown(Kind.GAUGE)


def _in_queue(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    return _UNKNOWN if live is None or live.waiting is None else gauge(live.waiting, live.waiting)


def _longest_wait(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    if live is None or live.waiting is None or live.longest_wait_ms is None:
        return _UNKNOWN
    return gauge(live.longest_wait_ms / 1000, live.waiting)


def _waiting_past_threshold(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    return _UNKNOWN if live is None or live.waiting is None else gauge(live.past_threshold, live.past_threshold)


KPIS: Final = (
    Kpi(
        id="in_queue",
        title="Waiting now",
        unit=Unit.COUNT,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="now",
        formula="contacts that wait",
        family=INTERACTIONS,
        estimate=_in_queue,
        describe=words("now"),
        needs_basis=never,
        traps="a contact that never closes expires, and is counted as such",
        leading=True,
        live=True,
    ),
    Kpi(
        id="longest_wait",
        title="Longest wait now",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="now",
        formula="age of the oldest contact that waits",
        family=INTERACTIONS,
        estimate=_longest_wait,
        describe=words("now"),
        needs_basis=never,
        traps="nobody waiting is no value, not 0 s",
        leading=True,
        live=True,
    ),
    Kpi(
        id="waiting_past_threshold",
        title="Waiting past the threshold now",
        unit=Unit.COUNT,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="now",
        formula="contacts that wait longer than X",
        family=INTERACTIONS,
        estimate=_waiting_past_threshold,
        describe=lambda definition: f"over {definition.service_level.threshold_seconds:g} s",
        needs_basis=never,
        traps="each is a miss already that service_level does not know of",
        leading=True,
        live=True,
    ),
)
