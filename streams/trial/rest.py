"""Rest: how much may happen to a partner before any of its rules could begin something.

A rule is at rest while there are too few samples, and while its value is on the good side of `enter`. From what stands in its window
at one grid point follows how many events must come, or fall out, before either can change: of a share each moves the margin
`numerator - enter x denominator` by 1 at most, of a mean by its seconds. So thousands of grid points need not be looked at, and none
at which something begins is missed.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple

from models.days import day_end
from models.decode import ContactAbandoned, ContactAnswered, ContactCompleted, ContactLeft, ContactRecord, SurveyResponse
from models.definitions import DEFAULT
from models.figures import Estimate, Kind
from models.kpis import Kpi, families
from models.measures import SIZE, M
from models.policy import PartnerPolicy
from models.rules import ADAPTIVE, Direction, OnMissing, Rule
from models.windows import DAY_MS, Calendar, Edge, Scope, window
from streams.engine.lanes import unpack
from streams.engine.partner import Partner
from streams.engine.totals import flats
from streams.trial.estimates import kind_of

__all__ = ["Rest", "can_rest"]

_SURVEYS: Final = (families.CSAT, families.NPS, families.CES)
_PLAIN: Final = frozenset(
    {
        *("id", "kpi", "scopes", "window", "direction", "levels", "recover_for_ms", "min_samples", "on_missing"),
        *("owner", "runbook", "suggested_action", "revision", "waits_outside_hours"),
    }
)
"""The fields of a rule that this knows of; one that sets another is judged at every grid point that matters to it."""
_ENDS, _HANDLED, _RATED, _ALL = range(4)
"""Which events are observations of a KPI."""
_OF: Final[dict[type, tuple[int, ...]]] = {
    ContactAnswered: (_ENDS, _ALL),
    ContactAbandoned: (_ENDS, _ALL),
    ContactLeft: (_ENDS, _ALL),
    ContactCompleted: (_HANDLED, _ALL),
    SurveyResponse: (_RATED, _ALL),
    ContactRecord: (_ENDS, _HANDLED, _RATED, _ALL),
}
_SECONDS: Final = ("wait_seconds", "talk_seconds", "hold_seconds", "wrap_seconds")


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


def _observed(kpi: Kpi) -> int:
    """Which events a KPI is of."""
    if kpi.family in _SURVEYS:
        return _RATED

    def counts(measure: int) -> bool:
        flat = [0] * SIZE
        flat[measure] = 1
        return kpi.estimate(flat, None, DEFAULT).n > 0

    ends, handled = counts(M.answered) or counts(M.abandoned), counts(M.handled)
    if counts(M.arrivals) or ends == handled:
        return _ALL
    return _ENDS if ends else _HANDLED


class _Room(NamedTuple):
    """Of one rule in one scope, or in scopes that nobody saw yet."""

    samples: int
    """So many events must come before there are enough."""
    margin: float
    """Below 0 where the value is past `enter` already, or nobody knows how far it can move."""
    coming: float
    """What an event that comes takes of the margin at most; so do the others."""
    going: float
    coming_second: float
    """For each of its seconds."""
    going_second: float


class _Stretch:
    """The rules over one window and one kind of events."""

    def __init__(self, observed: int, name: str, rules: Sequence[tuple[Rule, Kpi]]) -> None:
        self.observed = observed
        self.window = window(name)
        self.rules = rules
        # A window is longer than its width by what its trailing edge is cut by.
        self.width_ms = self.window.width_ms + (2 * DAY_MS if self.window.edge is Edge.DAY else self.window.edge_ms)
        self.samples_min = min(rule.min_samples for rule, _ in rules)
        self.rooms: tuple[_Room, ...] = ()
        self.came = self.went = 0
        """Of the events so far, how many were counted when the rooms were found, and how many had fallen out."""
        self.first = self.gone = 0
        """How many have surely fallen out by now, and how many may have."""
        self._start_ms = self._until_ms = 0

    def start_ms(self, at_ms: int, calendar: Calendar) -> int:
        """No window that ended by `at_ms` begins later."""
        if self.window.edge is not Edge.DAY:
            return at_ms - self.window.width_ms
        if at_ms >= self._until_ms:
            self._start_ms, self._until_ms = self.window.start(at_ms, calendar), day_end(at_ms, calendar.zone)
        return self._start_ms


class Rest:
    """Of one partner, all of whose rules can rest."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        catalogue = partner.policy.customs.catalogue
        grouped: dict[tuple[int, str], list[tuple[Rule, Kpi]]] = {}
        for rule in partner.policy.rules:
            kpi = catalogue[rule.kpi]
            grouped.setdefault((_observed(kpi), rule.window), []).append((rule, kpi))
        self._stretches = [_Stretch(*key, rules) for key, rules in grouped.items()]
        self._times: tuple[list[int], ...] = ([], [], [], [])
        self._seconds: tuple[list[float], ...] = ([0.0], [0.0], [0.0], [0.0])
        """Of all events before, summed."""
        self._calendar = Calendar(partner.policy.timezone, partner.policy.month_starts_on)
        self._last_ms = self._late_ms = 0
        """The latest event so far, and how much earlier one was that came after another."""
        self.blank = True
        self.look()

    def count(self, at_ms: int, event: Any) -> tuple[int, ...]:  # noqa: ANN401 - a struct of `models.decode`
        """An event of `at_ms` came; the kinds of events that it is one of."""
        self._late_ms = max(self._late_ms, self._last_ms - at_ms)
        at_ms = self._last_ms = max(at_ms, self._last_ms)
        kinds = _OF.get(event.__class__, (_ALL,))
        lasted = sum([getattr(event, name, None) or 0.0 for name in _SECONDS])
        for kind in kinds:
            self._times[kind].append(at_ms)
            self._seconds[kind].append(self._seconds[kind][-1] + lasted)
        return kinds

    def holds(self, at_ms: int, without: Sequence[int] = ()) -> bool:
        """Whether nothing can have begun by `at_ms`; `without` the last event of these kinds."""
        if not self.blank:
            return False
        for each in self._stretches:
            times = self._times[each.observed]
            low_ms, first, count = at_ms - each.width_ms, each.first, len(times)
            while first < count and times[first] < low_ms:
                first += 1
            each.first = first
            count -= each.observed in without
            if count - first >= each.samples_min and not self._has_room(each, count, at_ms):
                return False
        return True

    def _has_room(self, of: _Stretch, count: int, at_ms: int) -> bool:
        seconds, times = self._seconds[of.observed], self._times[of.observed]
        # One that came late falls out before its turn.
        start_ms, gone = of.start_ms(at_ms, self._calendar) + self._late_ms, max(of.gone, of.went)
        while gone < count and times[gone] < start_ms:
            gone += 1
        of.gone = gone
        came, went = count - of.came, gone - of.went
        came_seconds, went_seconds = seconds[count] - seconds[of.came], seconds[gone] - seconds[of.went]
        for samples, margin, coming, going, coming_second, going_second in of.rooms:
            taken = came * coming + went * going + came_seconds * coming_second + went_seconds * going_second
            if came >= samples and taken > margin:
                return False
        return True

    def look(self) -> None:
        """Find the rooms anew, after a grid point was judged."""
        partner = self._partner
        self.blank = not partner.asides and all(each.blank for each in partner.conditions.values())
        if not self.blank:
            return
        totals = {total.window.name: total for total in partner.totals.windows}
        summed = {
            name: flats(partner.lifted(partner.totals.parts(totals[name]))) for name in {each.window.name for each in self._stretches}
        }
        scopes, width = partner.scopes(), partner.policy.customs.width
        for each in self._stretches:
            times = self._times[each.observed]
            each.came = bisect_left(times, partner.panes.closed_ms)
            each.went = bisect_left(times, totals[each.window.name].start_ms)
            flat_of = {scope: unpack(summed[each.window.name].get(scope, 0), width) for scope in scopes}
            each.rooms = tuple(self._rooms(each, flat_of))

    def _rooms(self, of: _Stretch, flat_of: Mapping[Scope, Sequence[int]]) -> Iterator[_Room]:
        wide = of.window.edge is Edge.DAY
        for rule, kpi in of.rules:
            if rule.scopes != {"all"}:
                # One that is not there yet, or was silent for a day, has no more than what comes; of a window of days nobody knows.
                yield _Room(0 if wide else rule.min_samples, -1.0, 0.0, 0.0, 0.0, 0.0)
            for scope, flat in flat_of.items():
                if scope.dimension in rule.scopes:
                    estimate = kpi.estimate(flat, None, self._partner.policy.scope_definition(scope))
                    yield _room(rule, estimate)


def _room(rule: Rule, estimate: Estimate) -> _Room:
    below, enter = rule.direction is Direction.BELOW, rule.levels[0].enter
    samples = max(0, rule.min_samples - estimate.n)
    margin = (estimate.numerator - enter * estimate.denominator) * (1 if below else -1)
    # What rounding may have taken.
    margin -= 1e-6
    if estimate.kind is Kind.PROPORTION:
        low, high = min(1.0, max(0.0, enter)), 1 - min(1.0, max(0.0, enter))
        return _Room(samples, margin, low if below else high, high if below else low, 0.0, 0.0)
    if estimate.kind is Kind.MEAN:
        return _Room(samples, margin, enter, 0.0, 0.0, 1.0) if below else _Room(samples, margin, 0.0, enter, 1.0, 0.0)
    return _Room(samples, -1.0, 0.0, 0.0, 0.0, 0.0)
