"""A watch: one rule in one scope of a partner's past, judged by the reducer, and when it is to be looked at next."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Final

from alerts.condition import Change, Condition
from alerts.gate import Sample
from alerts.reducer import evaluate, forget, next_due_ms, retire
from models.days import day_end
from models.figures import Estimate
from models.kpis import families
from models.measures import Family
from models.rules import Direction, Rule
from models.windows import DAY_MS, GRID_MS, QUARTER_MS, Calendar, Edge, Scope, window
from streams.engine.judge import Judged
from streams.engine.lanes import unpack, vector_of
from streams.engine.partner import Partner
from streams.engine.totals import ALL
from streams.trial.rest import ALL_KINDS, observed, room
from streams.trial.tally import NEVER, Agenda, Column, Track

__all__ = ["Watch"]

_PRESENCE: Final = window("24h")
Elsewhere = Callable[[Scope, int], bool]
"""Whether anything is counted in a scope in the 24 hours up to a grid point that is in no column."""


class Watch:
    """Judged where an event, or one that fell out of the window, may have changed what the reducer would make of it, and where time does.

    While nothing is open and the figure is on the good side, that is after as much as `streams.trial.rest` finds room for.
    """

    __slots__ = (
        *(
            "_agenda",
            "_by_days",
            "_calendar",
            "_edge_ms",
            "_flat",
            "_column",
            "_conditions",
            "_definition",
            "_elsewhere",
            "_kpi",
            "_track",
            "_window",
        ),
        *("condition", "due_ms", "falls_ms", "limit", "limit_seconds", "number", "rule"),
    )

    def __init__(self, number: int, rule: Rule, partner: Partner, column: Column, agenda: Agenda, elsewhere: Elsewhere) -> None:
        policy = partner.policy
        self.number = number
        self.rule = rule
        self.condition = Condition(rule.id, policy.partner_id, str(column.scope))
        self.due_ms = NEVER
        """The grid point at which it is looked at."""
        self.limit = self.limit_seconds = inf
        """It is to be looked at once its track holds so many events, or more than so many seconds."""
        self.falls_ms = -1
        """What came before this falls out before it is looked at: one more of these was not thought of."""
        self._agenda = agenda
        self._column = column
        self._conditions = partner.conditions
        self._elsewhere = elsewhere
        self._kpi = policy.customs.catalogue[rule.kpi]
        self._definition = policy.scope_definition(column.scope)
        self._window = window(rule.window)
        self._calendar = Calendar(policy.timezone, policy.month_starts_on)
        # In a window of days a scope may have figures and be silent for a day: then whatever is counted there says that it is back.
        kind = ALL_KINDS if column.scope != ALL and self._window.edge is Edge.DAY else observed(self._kpi)
        self._track = column.tracks.get(kind) or column.tracks.setdefault(kind, Track(agenda.want))
        self._track.watches.append(self)
        self._by_days = self._window.edge is Edge.DAY
        self._edge_ms = QUARTER_MS if self._by_days else self._window.edge_ms
        # A figure of contacts needs no more of a flat vector than where it begins.
        self._flat = partial(vector_of, Family.INTERACTIONS) if self._kpi.family == families.INTERACTIONS else unpack
        self._wait(rule.min_samples, inf, -1)

    def look(self, at_ms: int) -> Judged | None:
        """Judge at a grid point; what became of the condition, if it became another."""
        start_ms, before, times = self._window.start(at_ms, self._calendar), self.condition, self._track.times
        if before.blank:
            counted = bisect_left(times, at_ms)
            lacks = self.rule.min_samples - counted + bisect_left(times, start_ms)
            if lacks > 0:
                self._wait(counted + lacks, inf, -1)
                return None
        estimate = self._estimate(start_ms, at_ms)
        if before.blank and not self._is_breached(estimate):
            self._rest(start_ms, at_ms, estimate)
            return None
        column = self._column
        present = (
            column.scope == ALL
            or column.between(_PRESENCE.start(at_ms, self._calendar), at_ms) != 0
            or self._elsewhere(column.scope, at_ms)
        )
        if present:
            sample = Sample(estimate, self._kpi.describe(self._definition), self._kpi.unit.value, start_ms, at_ms, self._window.name)
            self.condition, changes = evaluate(self.rule, before, sample, at_ms)
        else:
            self.condition, changes = _ended(before, at_ms)
        self._conditions[self.rule.id, column.scope] = self.condition
        self._stay_awake(start_ms, at_ms)
        if changes or (self.condition is not before and not (self.condition.blank and before.blank)):
            return Judged(self.rule, column.scope, self.condition, changes)
        return None

    def _estimate(self, start_ms: int, at_ms: int) -> Estimate:
        kpi, column = self._kpi, self._column
        estimate = kpi.estimate(self._flat(column.between(start_ms, at_ms)), None, self._definition)
        if column.blurred and kpi.needs_basis(self._definition) and column.is_blurred(start_ms, at_ms):
            return estimate._replace(n=0)
        return estimate

    def _is_breached(self, estimate: Estimate) -> bool:
        """Whether the plain value is past the mildest level, of enough samples."""
        value, enter = estimate.value, self.rule.levels[0].enter
        if value is None or estimate.n < self.rule.min_samples:
            return False
        return value < enter if self.rule.direction is Direction.BELOW else value > enter

    def _rest(self, start_ms: int, at_ms: int, estimate: Estimate) -> None:
        """Nothing is open, and nothing begins before what there is room for has happened."""
        if self._column.blurred:
            self._stay_awake(start_ms, at_ms)
            return
        # Of a window of days nothing falls out before midnight, when it is looked at anyhow.
        by_days, track = self._by_days, self._track
        found = room(self.rule, estimate, falls=not by_days)
        counted = bisect_left(track.times, at_ms)
        limit, limit_seconds = counted + found.comes + 1, track.seconds[counted] + found.lasts
        if found.falls == found.fallen == inf:
            self._wait(limit, limit_seconds, -1)
            return
        first = bisect_left(track.times, start_ms)
        place = first if by_days else min(first + found.falls, bisect_right(track.seconds, track.seconds[first] + found.fallen) - 1)
        self._wait(limit, limit_seconds, self._falls(int(min(place, len(track.times) - 1)), first, at_ms))

    def _falls(self, place: int, first: int, at_ms: int) -> int:
        """Look again when the event at `place` falls out; its time, or less than any where that does not matter."""
        times = self._track.times
        if not first <= place < len(times):
            return -1
        if self._by_days:
            self._agenda.want(self, day_end(at_ms, self._calendar.zone))
            return -1
        self._agenda.want(self, times[place] - times[place] % self._edge_ms + self._edge_ms + self._window.width_ms)
        return times[place]

    def _stay_awake(self, start_ms: int, at_ms: int) -> None:
        """Look again when an event comes or falls out, when the condition changes by itself, and when the scope falls silent."""
        times, column = self._track.times, self._column
        first, counted = bisect_left(times, start_ms), bisect_left(times, at_ms)
        self._falls(first, first, at_ms)
        due_ms = next_due_ms(self.rule, self.condition)
        if due_ms is not None:
            self._agenda.want(self, max(due_ms, at_ms + GRID_MS))
        if column.scope != ALL:
            silent_ms = column.last_ms - column.last_ms % QUARTER_MS + QUARTER_MS + DAY_MS
            self._agenda.want(self, max(silent_ms, at_ms - at_ms % QUARTER_MS + QUARTER_MS))
        self._wait(counted + 1, inf, NEVER)

    def _wait(self, limit: float, limit_seconds: float, falls_ms: int) -> None:
        """Look again once there are so many events, or more than so many seconds; of those that are known the one is that makes it so."""
        track = self._track
        last = min(limit - 1, bisect_right(track.seconds, limit_seconds) - 1)
        if last < len(track.times):
            at_ms = track.times[int(last)]
            self._agenda.want(self, at_ms - at_ms % GRID_MS + GRID_MS)
            limit = limit_seconds = inf
            falls_ms = NEVER
        self.limit, self.limit_seconds, self.falls_ms = limit, limit_seconds, falls_ms
        track.wait(limit, limit_seconds)


def _ended(condition: Condition, at_ms: int) -> tuple[Condition, tuple[Change, ...]]:
    retired, changes = retire(condition, at_ms, "it has been silent for a day")
    forgotten, more = forget(retired, at_ms)
    return forgotten, changes + more
