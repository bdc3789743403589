"""What happens to contacts that were answered, counted at the end of their wrap-up."""

from collections.abc import Callable, Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Live
from models.kpis.families import INTERACTIONS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, mean, never, proportion, words
from models.measures import M

__all__ = ["KPIS"]

_HANDLED: Final = M.handled
_TALK_MS: Final = M.talk_ms
_HOLD_MS: Final = M.hold_ms
_WRAP_MS: Final = M.wrap_ms
_HANDLE_S2: Final = M.handle_s2


def _share(of: int, base: int) -> Callable[[Sequence[int], Live | None, Definition], Estimate]:
    return lambda flat, _live, _definition: proportion(flat[of], flat[base])


def _mean_hold(base: int) -> Callable[[Sequence[int], Live | None, Definition], Estimate]:
    squares = M.hold_s2
    return lambda flat, _live, _definition: mean(flat[_HOLD_MS], flat[squares], flat[base])


def _aht(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return mean(flat[_TALK_MS] + flat[_HOLD_MS] + flat[_WRAP_MS], flat[_HANDLE_S2], flat[_HANDLED])


KPIS: Final = (
    Kpi(
        id="aht",
        title="Average handle time",
        unit=Unit.SECONDS,
        better=Better.TWO_SIDED,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="end of wrap-up",
        formula="sum(talk + hold + wrap) / handled",
        family=INTERACTIONS,
        estimate=_aht,
        describe=words("talk, hold and wrap"),
        needs_basis=never,
        traps="too low is call dumping; its tail is heavy, so that ±10 % needs about 1,500 contacts",
    ),
    Kpi(
        id="avg_hold",
        title="Average hold",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="end of wrap-up",
        formula="sum(hold) / handled",
        family=INTERACTIONS,
        estimate=_mean_hold(_HANDLED),
        describe=words("over handled"),
        needs_basis=never,
        traps="over all handled contacts; avg_hold_held is another formula",
        leading=True,
    ),
    Kpi(
        id="avg_hold_held",
        title="Average hold of held contacts",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="end of wrap-up",
        formula="sum(hold) / contacts that were held",
        family=INTERACTIONS,
        estimate=_mean_hold(M.held),
        describe=words("over held"),
        needs_basis=never,
        traps="over held contacts only; avg_hold is another formula",
        leading=True,
    ),
    Kpi(
        id="transfer_rate",
        title="Transfer rate",
        unit=Unit.RATIO,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="completion",
        formula="transferred / handled",
        family=INTERACTIONS,
        estimate=_share(M.transferred, _HANDLED),
        describe=words("over handled"),
        needs_basis=never,
        traps="a transfer starts a new contact in the same chain",
        leading=True,
    ),
    Kpi(
        id="escalation_rate",
        title="Escalation rate",
        unit=Unit.RATIO,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="completion",
        formula="raised to tier 2 / handled",
        family=INTERACTIONS,
        estimate=_share(M.escalated, _HANDLED),
        describe=words("over handled"),
        needs_basis=never,
        traps="what counts as raised is each source's to say: look at one partner over time, not at two side by side",
        leading=True,
    ),
    Kpi(
        id="fcr_reported",
        title="First contact resolution, reported",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="completion",
        formula="resolved = yes / contacts that say yes or no",
        family=INTERACTIONS,
        estimate=_share(M.resolved, M.resolved_answers),
        describe=words("over contacts that say"),
        needs_basis=never,
        traps="over those that say, not over all: one real file has 89.9 % against 72.9 %",
    ),
)
