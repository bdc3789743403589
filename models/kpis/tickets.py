"""Tickets: how soon they are answered and solved, and how many are open.

A ticket is open from its opening, or its reopening, to the next time that it is solved. Each such stretch is a resolution of its own.
"""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import TICKETS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, gauge, mean, never, proportion, unknown, words
from models.measures import M

__all__ = ["KPIS"]

_FIRST_REPLIES: Final = M.first_replies
_FIRST_RESPONSE_MS: Final = M.first_response_ms
_FIRST_RESPONSE_S2: Final = M.first_response_s2
_RESOLUTIONS: Final = M.resolutions
_RESOLUTION_MS: Final = M.resolution_ms
_RESOLUTION_S2: Final = M.resolution_s2
_WITH_DUE: Final = M.solved_with_due
_WITHIN_DUE: Final = M.solved_within_due
_UNKNOWN: Final = unknown(Kind.GAUGE)


def _first_response(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return mean(flat[_FIRST_RESPONSE_MS], flat[_FIRST_RESPONSE_S2], flat[_FIRST_REPLIES])


def _resolution_time(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return mean(flat[_RESOLUTION_MS], flat[_RESOLUTION_S2], flat[_RESOLUTIONS])


def _attainment(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return proportion(flat[_WITHIN_DUE], flat[_WITH_DUE])


def _backlog(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    return _UNKNOWN if live is None or live.backlog is None else gauge(live.backlog, live.backlog)


def _overdue(_flat: Sequence[int], live: Live | None, _definition: Definition) -> Estimate:
    return _UNKNOWN if live is None or live.backlog is None else gauge(live.backlog_overdue, live.backlog)


KPIS: Final = (
    Kpi(
        id="first_response_mean",
        title="Mean time to first response",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="first reply",
        formula="sum(first reply - opening) / tickets first replied to",
        family=TICKETS,
        estimate=_first_response,
        describe=words("from the opening to the first reply"),
        needs_basis=never,
        traps="once a ticket, whose opening must be known; a ticket without a reply is not in it; a mean, with a heavy tail",
    ),
    Kpi(
        id="resolution_time_mean",
        title="Mean resolution time",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="solved",
        formula="sum(solved - opening or reopening before it) / resolutions",
        family=TICKETS,
        estimate=_resolution_time,
        describe=words("from the opening or reopening to solved"),
        needs_basis=never,
        traps="a reopened ticket is resolved again, from its reopening: see `reopened`; a mean, in practice twice the median",
    ),
    Kpi(
        id="turnaround_attainment",
        title="Solved within due",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="solved",
        formula="solved by their due date / solved with a due date",
        family=TICKETS,
        estimate=_attainment,
        describe=words("solved by the due date"),
        needs_basis=never,
        traps="without a due date a ticket is left out; a reopening says its own; what is open and overdue is not in it",
    ),
    Kpi(
        id="backlog",
        title="Open tickets now",
        unit=Unit.COUNT,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="now",
        formula="tickets that are open",
        family=TICKETS,
        estimate=_backlog,
        describe=words("now"),
        needs_basis=never,
        traps="a reopened ticket is open again; one that is never solved expires, and is counted as such",
        leading=True,
        live=True,
    ),
    Kpi(
        id="backlog_overdue",
        title="Open tickets past due now",
        unit=Unit.COUNT,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="now",
        formula="tickets that are open past their due date",
        family=TICKETS,
        estimate=_overdue,
        describe=words("now"),
        needs_basis=never,
        traps="each is a miss already that turnaround_attainment does not know of; a ticket without a due date is never overdue",
        leading=True,
        live=True,
    ),
)
