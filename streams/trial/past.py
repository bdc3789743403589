"""One partner's past through the engine, closed and judged only where a rule could come to another end.

Guarantee: the conditions change at the same grid points, and to the same, as if every grid point were closed: what is left out is where
every rule is surely at rest (`streams.trial.rest`), and all that is kept for readers or for a restart: rows, records of figures, closed
minutes. Held by `tests/property/test_backtest.py`.

Cost: a grid point that is closed takes some 50 µs, an event alone some 10.
"""

from collections.abc import Sequence
from typing import Any, Final

from models.days import day_end, day_start
from models.figures import Status
from models.forms import Balance, Comparison, Drift, Group, at_quarters
from models.kpis import Better
from models.kpis.kpi import judged
from models.policy_spec import PolicyFile
from models.rules import ADAPTIVE
from models.statistics import ADAPTIVE_WIDTHS_MS
from models.windows import GRID_MS, QUARTER_MS, WINDOWS, Edge
from streams.engine import Engine
from streams.engine.announce import Verdict
from streams.engine.beside import Silences, beside_due_ms
from streams.engine.judge import due_ms
from streams.engine.lanes import unpack
from streams.engine.owed import Length
from streams.engine.partner import Partner
from streams.engine.state import State
from streams.engine.totals import ALL, flats
from streams.trial.offline import CONFIG, TOPICS, Offline, policy_records
from streams.trial.outcome import Days
from streams.trial.rest import Rest, can_rest

__all__ = ["Past", "narrowed"]

_RUN_MAX: Final = 1_000
_FORMS: Final = (type(None), Comparison, Group, Balance, Drift)
_TOPIC: Final = TOPICS.interactions


def narrowed(policy: PolicyFile) -> PolicyFile:
    """The same with the windows of its rules alone: others have readers only."""
    kept, asked = policy.defaults.windows, {look.window for rule in policy.rules for look in rule.looks}
    chosen = {each.name for each in WINDOWS if each.width_ms in ADAPTIVE_WIDTHS_MS} if ADAPTIVE in asked else set()
    windows = tuple(each for each in kept if each in asked | chosen) or kept[:1]
    return policy.model_copy(update={"defaults": policy.defaults.model_copy(update={"windows": windows})})


class _State(State):
    """As live, but due only where a rule could see another figure."""

    def __init__(self) -> None:
        super().__init__(0, CONFIG)
        self.slept_ms = 0
        """Up to this grid point nothing could begin."""

    def want(self, partner: Partner, grid_ms: int) -> None:
        """Not before what was slept through."""
        super().want(partner, max(grid_ms, self.slept_ms))

    def reschedule(self, partner: Partner) -> None:
        """Leave out what only rows, records of figures and closed stretches are made of."""
        catalogue, rules = partner.policy.customs.catalogue, partner.policy.rules
        # What another form of rule waits for nobody knows here: then it is the engine that says. What is usual moves by itself.
        known = all(isinstance(rule.form, _FORMS) for rule in rules) and not partner.profile.compared
        if not known or any(catalogue[kpi].live for rule in rules for kpi in rule.kpis):
            super().reschedule(partner)
            return
        partner.due_ms = None
        due = _dues(partner, self.silences)
        if due:
            self.want(partner, max(min(due), partner.panes.closed_ms + GRID_MS))


def _dues(partner: Partner, silences: Silences) -> list[int]:
    panes, policy, totals = partner.panes, partner.policy, partner.totals
    closed = panes.closed_ms
    due = [start + GRID_MS for start in panes.hot if start >= closed]
    if partner.waits:
        since_ms = min(waiting[0] for waiting in partner.waits.waiting()) + policy.contact_expiry_ms
        due.append(since_ms - since_ms % GRID_MS + GRID_MS)
    standing = any(not each.blank for each in partner.conditions.values())
    if panes and (
        standing
        or partner.visitors
        or any(at_quarters(rule.form) for rule in policy.rules)
        or any(each.window.edge is Edge.QUARTER and each.window.name in totals.names for each in totals.windows)
    ):
        due.append(closed - closed % QUARTER_MS + QUARTER_MS)
    if panes and any(each.window.edge is Edge.DAY for each in totals.windows):
        due.append(day_end(closed, panes.zone))
    more = (
        partner.touched_ms,
        partner.backlog.next_change_ms(closed, policy.ticket_expiry_ms),
        partner.plan.next_end_ms(),
        partner.roster.next_change_ms(closed),
        totals.next_ms(),
        due_ms(partner) if standing or policy.outside is not None else None,
        beside_due_ms(partner, silences) if partner.asides else None,
    )
    return [*due, *(each for each in more if each is not None)]


class _Engine(Engine):
    """Driven by time alone: what would be written is let go."""

    def __init__(self, state: _State) -> None:
        super().__init__(0, CONFIG, state)

    def until(self, at_ms: int) -> None:
        """Close what falls due by `at_ms`."""
        state = self._state
        while (next_ms := state.next_due_ms) <= at_ms:
            state.frontier.tick(_TOPIC, next_ms, (_TOPIC,))
            for _ in self.advance():
                pass

    def begin(self, at_ms: int) -> None:
        """Stream time is `at_ms`."""
        self._state.frontier.tick(_TOPIC, at_ms, (_TOPIC,))
        for _ in self.advance():
            pass

    def take(self) -> list[Verdict]:
        """What became of conditions since the last call."""
        found, self._verdicts = self._verdicts, []
        return found

    def forget(self) -> None:
        """Let go what a commit would: ids beyond the horizon, what is owed to readers."""
        state = self._state
        state.seen.expire(state.frontier.value_ms)
        for _ in state.seen.drain(0):
            pass
        for _ in state.contacts.drain(0):
            pass
        state.contacts.forget_early(state.frontier.value_ms)
        state.tickets.forget(state.frontier.value_ms)
        self._expire_hourly()
        state.outputs.clear()
        for partner in state.partners.values():
            for length in Length:
                partner.owed.wrote_all(length, partner.panes)


class Past:
    """Of one partner: events go in, in the order of their times."""

    def __init__(self, policy: PolicyFile, partner: str, at_ms: int) -> None:
        """Begin at `at_ms`, the time of the first event, under a policy whose windows are those of its rules (`narrowed`)."""
        self._state = _State()
        self._engine = _Engine(self._state)
        self._offline = Offline(self._engine)
        self._offline.send(TOPICS.policies, policy_records(policy, at_ms, partner), at_ms)
        self._engine.begin(at_ms - at_ms % GRID_MS)
        found = self._state.partner(partner)
        assert found is not None, "with one partition number every partner is at home"
        self.partner = found
        # What is usual is for rules that ask: what it was like beside an alert is told to nobody here.
        found.profile.kept = found.profile.compared or found.feed.watched
        self._key = partner.encode()
        self._rest = Rest(found) if can_rest(found.policy) else None
        self._asleep = self._rest is not None
        self._safe_ms = 0
        """Up to this grid point nothing could begin."""
        self._run: list[tuple[bytes | None, bytes]] = []
        self._run_due_ms = self._last_ms = at_ms
        self._zone = found.policy.timezone
        self._began_ms, self._day_ms = day_start(at_ms, self._zone), day_end(at_ms, self._zone)
        self._definition = found.policy.base
        catalogue = found.policy.customs.catalogue
        kept = [catalogue[name] for name in self._definition.targets if name in catalogue]
        self._aims = [kpi for kpi in kept if not (kpi.live or kpi.of_period or kpi.quantile or kpi.matures)]
        self.days: dict[str, Days] = {kpi.id: Days() for kpi in self._aims}
        """By KPI, how often its target was met in days that are over."""

    def feed(self, at_ms: int, value: bytes, event: Any) -> None:  # noqa: ANN401 - a struct of `models.decode`
        """An event of `at_ms`, as its producer wrote it and as it was decoded; one that is earlier than those before comes late."""
        occurred_ms, at_ms = at_ms, max(at_ms, self._last_ms)
        self._last_ms = at_ms
        if at_ms >= self._day_ms:
            self._over(at_ms)
        counted = () if self._rest is None else self._rest.count(occurred_ms, event)
        if self._asleep and not self._sleeps_on(at_ms, counted):
            self._asleep = False
        if occurred_ms < at_ms:
            self._come_late(at_ms)
        elif not self._asleep:
            self._catch_up(at_ms)
            if not self._run:
                self._run_due_ms = at_ms - at_ms % GRID_MS + GRID_MS + self.partner.policy.settle_ms
        self._run.append((self._key, value))
        if len(self._run) >= _RUN_MAX or occurred_ms < at_ms:
            self._flush(at_ms)
        if not self._asleep:
            self._asleep = self._rest is not None and self._rest.holds(at_ms)
            self._safe_ms = 0

    def end(self, at_ms: int) -> list[Verdict]:
        """No more events before `at_ms`."""
        if self._asleep and self._rest is not None and not self._rest.holds(at_ms):
            self._judge(self._safe_ms)
            self._asleep = False
        self._flush(at_ms)
        if not self._asleep:
            self._engine.until(at_ms)
        return self._engine.take()

    def _sleeps_on(self, at_ms: int, counted: Sequence[int]) -> bool:
        """Whether nothing can begin, with this event; else all is judged up to where nothing could."""
        assert self._rest is not None, "only what can rest sleeps"
        grid_ms = at_ms - at_ms % GRID_MS
        if not self._rest.holds(at_ms):
            if self._rest.holds(at_ms, without=counted):
                self._judge(grid_ms)
            else:
                # What fell out of a window since the last event may have begun something.
                self._judge(self._safe_ms)
            if not self._rest.holds(at_ms):
                return False
        self._safe_ms = grid_ms
        return True

    def _judge(self, grid_ms: int) -> None:
        """Close and judge at a grid point, and at none that lies before."""
        if grid_ms <= self.partner.panes.closed_ms:
            return
        self._flush(grid_ms)
        self._state.slept_ms, self.partner.due_ms = grid_ms, None
        self._state.want(self.partner, grid_ms)
        self._engine.begin(grid_ms + self.partner.policy.settle_ms)
        if self._rest is not None:
            self._rest.look()

    def _catch_up(self, at_ms: int) -> None:
        """Close and judge what falls due."""
        if self._run and self._run_due_ms <= at_ms:
            self._flush(at_ms)
        if self._state.next_due_ms <= at_ms:
            self._flush(at_ms)
            self._engine.until(at_ms)
            if self._rest is not None:
                self._rest.look()

    def _come_late(self, at_ms: int) -> None:
        """Have all judged as it was before an event came that belongs to a time before others."""
        if self._asleep:
            self._judge(self._safe_ms)
            self._asleep = False
        self._flush(at_ms)
        self._engine.until(at_ms)
        self._engine.begin(at_ms)

    def _flush(self, at_ms: int) -> None:
        if self._run:
            self._offline.send(_TOPIC, self._run, at_ms)
            self._run = []

    def _over(self, at_ms: int) -> None:
        """A day is over."""
        self._flush(self._day_ms)
        self._look_back()
        if self._asleep:
            # Once a day panes move on to coarser tiers.
            self._judge(self._safe_ms)
        self._engine.forget()
        self._began_ms, self._day_ms = day_start(at_ms, self._zone), day_end(at_ms, self._zone)

    def _look_back(self) -> None:
        """Hold the day against the targets."""
        partner = self.partner
        flat = flats(partner.lifted([partner.panes.sum_between(self._began_ms, self._day_ms)])).get(ALL)
        if flat is None:
            return
        measures = unpack(flat, partner.policy.customs.width)
        for kpi in self._aims:
            value, target = kpi.estimate(measures, None, self._definition).value, self._definition.targets[kpi.id]
            if value is not None:
                days = self.days[kpi.id]
                days.days += 1
                days.met += judged(value, target.target, None, higher=kpi.better is Better.HIGHER) == Status.OK
