"""Which measures a KPI is made of, as slices of a flat vector.

A KPI stands in a record once anything of its family was counted in the window: a partner without surveys has no CSAT rather
than an empty one, while abandonment is published, without a value, as soon as one contact was.
"""

from typing import Final

from models.measures import OFFSETS, RATING_MAX, WIDTHS, Family, M

__all__ = [
    "ANSWERED",
    "ATTRITION",
    "CES",
    "CSAT",
    "EMPLOYEES",
    "ENPS",
    "ESAT",
    "FIRST_REPLIES",
    "FORECAST",
    "HANDLED",
    "HISTORY",
    "INTERACTIONS",
    "NPS",
    "OCCUPANCY",
    "QUALITY",
    "RESOLUTIONS",
    "SCHEDULES",
    "SCORED",
    "SCRIPTED",
    "TICKETS",
    "TRAINING",
]


def _of(family: Family) -> slice:
    return slice(OFFSETS[family], OFFSETS[family] + WIDTHS[family])


def _ratings(first: int) -> slice:
    return slice(first, first + RATING_MAX + 1)


def _one(measure: int) -> slice:
    return slice(measure, measure + 1)


INTERACTIONS: Final = _of(Family.INTERACTIONS)
TICKETS: Final = _of(Family.TICKETS)
FORECAST: Final = _of(Family.FORECAST)
HISTORY: Final = _of(Family.HISTORY)
OCCUPANCY: Final = slice(M.contact_ms, M.idle_ms + 1)
SCHEDULES: Final = slice(M.scheduled_ms, M.adherent_ms + 1)
TRAINING: Final = slice(M.trainings_due, M.trainings_done + 1)
ATTRITION: Final = slice(M.agents_left, M.headcount_ms + 1)
CSAT: Final = _ratings(M.csat_0)
NPS: Final = _ratings(M.nps_0)
CES: Final = _ratings(M.ces_0)
ESAT: Final = _ratings(M.esat_0)
ENPS: Final = _ratings(M.enps_0)
EMPLOYEES: Final = slice(M.esat_off_scale, ENPS.stop)
"""All that is counted of surveys of employees: ESAT up to where its ratings end, then eNPS."""
QUALITY: Final = _of(Family.QUALITY)
SCORED: Final = slice(M.scored, M.qa_possible_milli2 + 1)
SCRIPTED: Final = slice(M.scripted, M.script_required_squares + 1)
"""The last two as `models.kpis.kpi.ratio` reads them."""
ANSWERED: Final = _one(M.answered)
HANDLED: Final = _one(M.handled)
FIRST_REPLIES: Final = _one(M.first_replies)
RESOLUTIONS: Final = _one(M.resolutions)
"""What quantiles need one of."""
