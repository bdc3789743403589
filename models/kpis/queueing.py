"""What customers wait for before anyone answers, and whether they stay."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Live
from models.kpis.families import INTERACTIONS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, mean, never, proportion, words
from models.measures import M

__all__ = ["KPIS"]

_A: Final = M.answered
_A_WAIT_MS: Final = M.answered_wait_ms
_A_WAIT_S2: Final = M.answered_wait_s2
_B: Final = M.abandoned
_B_S: Final = M.abandoned_short
_B_WAIT_MS: Final = M.abandoned_wait_ms
_B_WAIT_S2: Final = M.abandoned_wait_s2


def _asa(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return mean(flat[_A_WAIT_MS], flat[_A_WAIT_S2], flat[_A])


def _avg_time_to_abandon(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return mean(flat[_B_WAIT_MS], flat[_B_WAIT_S2], flat[_B])


def _abandon_rate(flat: Sequence[int], _live: Live | None, definition: Definition) -> Estimate:
    abandoned = flat[_B] - flat[_B_S] if definition.abandon_rate_net_of_short else flat[_B]
    return proportion(abandoned, flat[_A] + abandoned)


def _describe_abandon_rate(definition: Definition) -> str:
    if definition.abandon_rate_net_of_short:
        return f"net of abandons up to {definition.short_abandon_seconds:g} s"
    return "every abandon"


KPIS: Final = (
    Kpi(
        id="asa",
        title="Average speed of answer",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="answer",
        formula="sum(queue wait of answered) / A",
        family=INTERACTIONS,
        estimate=_asa,
        describe=words("zero waits count"),
        needs_basis=never,
        traps="zero waits count: a real month has 73.8 s with them and 126 s without",
    ),
    Kpi(
        id="avg_time_to_abandon",
        title="Average time to abandon",
        unit=Unit.SECONDS,
        better=Better.TWO_SIDED,
        perspective=Perspective.CUSTOMER,
        attributed_to="queue exit",
        formula="sum(queue wait of abandoned) / B",
        family=INTERACTIONS,
        estimate=_avg_time_to_abandon,
        describe=words("every abandon"),
        needs_basis=never,
        traps="patience, not performance: it rises when waits do",
    ),
    Kpi(
        id="abandon_rate",
        title="Abandon rate",
        unit=Unit.RATIO,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="queue exit",
        formula="B / (A + B), or net of short ones (B - B_S) / (A + B - B_S)",
        family=INTERACTIONS,
        estimate=_abandon_rate,
        describe=_describe_abandon_rate,
        needs_basis=lambda definition: definition.abandon_rate_net_of_short,
        traps="who hung up without queueing, or left for a call-back, is no abandon",
    ),
)
