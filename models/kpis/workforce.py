"""Agents: how busy they are, whether they keep to the plan and to their courses, and whether they stay.

Time is counted up to the last grid point that was closed. An observation of a share of time is a minute of one agent.
"""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import ATTRITION, OCCUPANCY, SCHEDULES, TRAINING
from models.kpis.kpi import Better, Kpi, Perspective, Unit, gauge, never, proportion, unknown, words
from models.measures import M
from models.windows import DAY_MS, MINUTE_MS

__all__ = ["KPIS"]

_CONTACT_MS: Final = M.contact_ms
_IDLE_MS: Final = M.idle_ms
_SCHEDULED_MS: Final = M.scheduled_ms
_ADHERENT_MS: Final = M.adherent_ms
_DUE: Final = M.trainings_due
_DONE: Final = M.trainings_done
_LEFT: Final = M.agents_left
_HEADCOUNT_MS: Final = M.headcount_ms
_YEAR_MS: Final = 365 * DAY_MS
_UNKNOWN: Final = unknown(Kind.GAUGE)


def _share_of_time(part_ms: int, whole_ms: int) -> Estimate:
    """In minutes, of which each counts as one observation."""
    if whole_ms == 0:
        return unknown(Kind.PROPORTION)
    return Estimate(Kind.PROPORTION, part_ms / whole_ms, part_ms / MINUTE_MS, whole_ms / MINUTE_MS, whole_ms // MINUTE_MS)


def _occupancy(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return _share_of_time(flat[_CONTACT_MS], flat[_CONTACT_MS] + flat[_IDLE_MS])


def _adherence(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return _share_of_time(flat[_ADHERENT_MS], flat[_SCHEDULED_MS])


def _training(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return proportion(flat[_DONE], flat[_DUE])


def _attrition(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    left, years = flat[_LEFT], flat[_HEADCOUNT_MS] / _YEAR_MS
    return Estimate(Kind.RATE, left / years if years else None, left, years, flat[_HEADCOUNT_MS] // DAY_MS)


def _available(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    return _UNKNOWN if live is None or live.agents_staffed is None else gauge(live.agents_available, live.agents_staffed)


def _staffed(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    return _UNKNOWN if live is None or live.agents_staffed is None else gauge(live.agents_staffed, live.agents_staffed)


KPIS: Final = (
    Kpi(
        id="occupancy",
        title="Occupancy",
        unit=Unit.RATIO,
        better=Better.TWO_SIDED,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="time as it passes",
        formula="time on contacts and in wrap-up / (that + time available)",
        family=OCCUPANCY,
        estimate=_occupancy,
        describe=words("breaks, training and offline left out"),
        needs_basis=never,
        traps="above 0.85 for long is burnout; numerator and denominator are minutes of agents, up to 15 s ago; n takes each for one "
        "observation; a state without an end holds until `agent_expiry_seconds`, and is counted then",
        leading=True,
    ),
    Kpi(
        id="schedule_adherence",
        title="Schedule adherence",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="time as it passes",
        formula="scheduled time in which the agent did what the schedule says / scheduled time",
        family=SCHEDULES,
        estimate=_adherence,
        describe=words("breaks and training are scheduled time too"),
        needs_basis=never,
        traps="restated when a schedule or a state of the last 48 hours changes; work outside of the schedule is in neither; minutes of "
        "agents, as in occupancy",
        leading=True,
    ),
    Kpi(
        id="training_completion",
        title="Training completed when due",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.LEARNING_AND_GROWTH,
        attributed_to="due date",
        formula="courses done by their due date / courses due",
        family=TRAINING,
        estimate=_training,
        describe=words("done by the due date"),
        needs_basis=never,
        traps="overdue is a miss, also when it is done later; what is done early counts on its due date; done before it was told to be "
        "due is not known to be for it",
        leading=True,
    ),
    Kpi(
        id="attrition",
        title="Attrition, annualised",
        unit=Unit.RATIO,
        better=Better.LOWER,
        perspective=Perspective.LEARNING_AND_GROWTH,
        attributed_to="leaving",
        formula="leavers / years of staff time, which is leavers / average headcount x 365 days / window",
        family=ATTRITION,
        estimate=_attrition,
        describe=words("a year has 365 days"),
        needs_basis=never,
        traps="only in windows of 24 hours and more, and even a month says little of a small team: mind the interval; n is days of "
        "staff time; settled by quarters of an hour; tell of everybody who belongs to the staff by `agent.joined`",
        narrowest_ms=DAY_MS,
    ),
    Kpi(
        id="agents_staffed",
        title="Agents there now",
        unit=Unit.COUNT,
        better=Better.TWO_SIDED,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="now",
        formula="agents in any state but offline",
        family=OCCUPANCY,
        estimate=_staffed,
        describe=words("now"),
        needs_basis=never,
        traps="an agent in a break is there; a missing logout expires, and is counted as such; a queue's are those whose state names it",
        leading=True,
        live=True,
    ),
    Kpi(
        id="agents_available",
        title="Agents available now",
        unit=Unit.COUNT,
        better=Better.TWO_SIDED,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="now",
        formula="agents who wait for a contact",
        family=OCCUPANCY,
        estimate=_available,
        describe=words("now"),
        needs_basis=never,
        traps="none of a known staff is 0; of agents of whom nothing was ever told it is no value",
        leading=True,
        live=True,
    ),
)
