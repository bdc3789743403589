"""The very engine, driven by time alone, for one partner's past: what only readers and restarts need is left out and let go."""

from typing import Final

from models.days import day_end
from models.forms import Balance, Comparison, Drift, Group, at_quarters
from models.windows import GRID_MS, QUARTER_MS, Edge
from streams.engine import Engine
from streams.engine.announce import Verdict
from streams.engine.beside import Silences, beside_due_ms
from streams.engine.judge import due_ms
from streams.engine.owed import Length
from streams.engine.partner import Partner
from streams.engine.state import State
from streams.trial.offline import CONFIG, TOPICS

__all__ = ["DrivenEngine", "DrivenState"]

_FORMS: Final = (type(None), Comparison, Group, Balance, Drift)
_TOPIC: Final = TOPICS.interactions


class DrivenState(State):
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


class DrivenEngine(Engine):
    """Driven by time alone: what would be written is let go."""

    def __init__(self, state: DrivenState) -> None:
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
