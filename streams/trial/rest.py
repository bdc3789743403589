"""Rest: how much may happen to a partner before one of its rules could begin something.

A rule is at rest while there are too few samples, and while its value is on the good side of `enter`. From what stands in its window
at one grid point follows how many events must come, or fall out, before either can change: of a share each moves the margin
`numerator - enter x denominator` by 1 at most, of a mean by its seconds. So thousands of grid points need not be looked at, and none
at which something begins is missed.
"""

from dataclasses import fields
from math import inf
from typing import Final, NamedTuple

from models.decode import ContactAbandoned, ContactAnswered, ContactCompleted, ContactLeft, SurveyInvited, SurveyResponse
from models.definitions import DEFAULT
from models.figures import Estimate, Kind
from models.kpis import Kpi, families
from models.measures import SIZE, M
from models.policy import PartnerPolicy
from models.rules import ADAPTIVE, Direction, OnMissing, Rule
from streams.trial.estimates import kind_of

__all__ = ["ALL_KINDS", "ENDS", "HANDLED", "KINDS", "RATED", "Room", "can_rest", "observed", "room"]

_SURVEYS: Final = (families.CSAT, families.NPS, families.CES)
_PLAIN: Final = frozenset(
    {
        *("id", "kpi", "scopes", "window", "direction", "levels", "recover_for_ms", "min_samples", "on_missing"),
        *("owner", "runbook", "suggested_action", "revision", "waits_outside_hours"),
    }
)
"""The fields of a rule that this knows of; one that sets another is judged at every grid point that matters to it."""
ENDS, HANDLED, RATED, ALL_KINDS = range(4)
"""Which events are observations of a KPI: those that end the waiting, that complete a contact, that rate it, or any."""
KINDS: Final[dict[type, tuple[int, ...]]] = {
    ContactAnswered: (ENDS, ALL_KINDS),
    ContactAbandoned: (ENDS, ALL_KINDS),
    ContactLeft: (ENDS, ALL_KINDS),
    ContactCompleted: (HANDLED, ALL_KINDS),
    SurveyInvited: (RATED, ALL_KINDS),
    SurveyResponse: (RATED, ALL_KINDS),
}


def can_rest(policy: PartnerPolicy) -> bool:
    """Whether counting events tells of all rules that they are at rest: an event is one observation of their KPIs at most."""
    return not policy.scopes and all(_can_rest(rule, policy) for rule in policy.rules)


def _can_rest(rule: Rule, policy: PartnerPolicy) -> bool:
    kpi = policy.customs.catalogue[rule.kpi]
    plain = all(getattr(rule, each.name) == each.default for each in fields(rule) if each.name not in _PLAIN)
    asks = rule.on_missing in {OnMissing.HOLD, OnMissing.OK, OnMissing.NO_DATA}
    counted = kpi.family == families.INTERACTIONS or kpi.family in _SURVEYS
    plain = plain and rule.window != ADAPTIVE and rule.direction is not Direction.OUTSIDE
    return plain and asks and counted and not kpi.live and kind_of(kpi, policy.customs) is not Kind.GAUGE


def observed(kpi: Kpi) -> int:
    """Which events a KPI is of."""
    if kpi.family in _SURVEYS:
        return RATED

    def counts(measure: int) -> bool:
        flat = [0] * SIZE
        flat[measure] = 1
        return kpi.estimate(flat, None, DEFAULT).n > 0

    ends, handled = counts(M.answered) or counts(M.abandoned), counts(M.handled)
    if counts(M.arrivals) or ends == handled:
        return ALL_KINDS
    return ENDS if ends else HANDLED


class Room(NamedTuple):
    """How much may happen before a rule at rest is to be looked at again: no more than one of these."""

    comes: float
    """So many events that come."""
    lasts: float
    """So many seconds that these take together."""
    falls: float
    """So many events that fall out of the window, and it does not matter how many seconds they took; inf: as many as there are."""
    fallen: float
    """So many seconds that those took together."""


def room(rule: Rule, estimate: Estimate, *, falls: bool) -> Room:
    """Of a rule whose value is none, of too few samples, or on the good side of `enter`.

    With `falls` as many events may fall out of the window as may come, or else none is thought to.
    """
    if estimate.n < rule.min_samples:
        return Room(rule.min_samples - estimate.n - 1, inf, inf, inf)
    below, enter = rule.direction is Direction.BELOW, rule.levels[0].enter
    # Less what rounding may have taken.
    margin = max(0.0, (estimate.numerator - enter * estimate.denominator) * (1 if below else -1) - 1e-6)
    if estimate.kind is Kind.PROPORTION:
        # One that comes takes `enter` of it, or what is left of 1, and one that falls out takes the other.
        high = min(1.0, max(0.0, enter))
        events = margin if falls else margin / coming if (coming := high if below else 1 - high) else inf
        return Room(events // 1, inf, events // 1 if falls else 0, inf)
    if estimate.kind is Kind.MEAN and enter > 0 and estimate.value is not None:
        share = (enter if below else estimate.value) / (enter + estimate.value) if falls else 1.0
        comes, goes = share * margin, (1 - share) * margin
        return Room(comes // enter, inf, inf, goes) if below else Room(inf, comes, goes // enter, inf)
    return Room(0, inf, 0, inf)
