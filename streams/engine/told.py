"""Told: what an event does that is not one count in one cell: contact records, tickets, agents, forecasts, and money of periods."""

from collections.abc import Callable
from typing import Any, Final

from xxhash import xxh3_64_intdigest

from models import decode
from models.decode import ContactRecord, CostReported, RevenueReported, VolumeForecast
from models.measures import WIDTHS, Family
from models.money import fact_of
from models.reasons import LateReason
from models.times import to_ms
from models.windows import GRID_MS
from streams.engine.admission import Admission, AheadError
from streams.engine.agent import Shift, Stint
from streams.engine.books import KEPT_MS
from streams.engine.cells import Cell
from streams.engine.config import FORECAST_MS
from streams.engine.contributions import Contribution
from streams.engine.counted import UNCOUNTED, Counted, counted_of
from streams.engine.customs import custom_cell
from streams.engine.fold import Fold, fold_exit, fold_handled, fold_queued
from streams.engine.forecasts import forecast_of
from streams.engine.letters import SourceRecord
from streams.engine.news import news_of
from streams.engine.partner import Partner
from streams.engine.sides import aside
from streams.engine.slot import Slot
from streams.engine.state import State
from streams.engine.ticket import Mark, Step

__all__ = ["Told", "counted_by", "times_of"]

_STEPS: Final[dict[type, Step]] = {
    decode.TicketOpened: Step.OPENED,
    decode.TicketReplied: Step.REPLIED,
    decode.TicketSolved: Step.SOLVED,
    decode.TicketReopened: Step.REOPENED,
}
"""By the struct of an event: what happened to its ticket."""

_NEWS: Final[tuple[type, ...]] = (
    *(decode.AgentState, decode.AgentScheduled, decode.AgentJoined, decode.AgentLeft),
    *(decode.TrainingDue, decode.TrainingDone),
)
"""The structs of events that tell of an agent."""


class Told:
    """Of one engine."""

    def __init__(self, state: State, admission: Admission) -> None:
        self._state = state
        self._admission = admission
        self._from_log = state.config.clock_from_log
        self._agents_of: dict[str, Partner] = {}
        """Partners whose agents count something otherwise than is counted: see `recount`."""
        self.agents = 0
        """How often one of them was told of."""
        self.counts: Final[dict[type, Callable[[str, SourceRecord, Any, int], int]]] = {
            ContactRecord: self._record,
            VolumeForecast: self._forecast,
            CostReported: self._fact,
            RevenueReported: self._fact,
            **dict.fromkeys(_STEPS, self._ticket),
            **dict.fromkeys(_NEWS, self._agent),
        }
        """By the struct of an event, what it does: (topic, record, event, wall time) -> how many events were counted."""

    def recount(self) -> None:
        """Count what was told of agents since this was last done, of all at once; before anything is closed or committed."""
        self.agents = 0
        while self._agents_of:
            _, partner = self._agents_of.popitem()
            if missed := partner.recount_agents():
                self._state.counters["agents_not_recounted"] += missed

    def _record(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`contact.record`: an arrival, an exit from the queue, a handled contact, each at its own time; a newer one replaces it."""
        partner = self._admission.routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        times = times_of(event)
        updated_ms = None if event.updated_at is None else to_ms(event.updated_at)
        digest = self._admission.unseen(record, event, partner, max(*times, updated_ms or 0))
        if digest is None:
            return 0
        slot = partner.slot(Family.INTERACTIONS, event.queue, event.channel)
        counted = counted_by(event, times, slot)  # first, since what raises must leave nothing half done
        customs = _customs_of(event, times, partner) if partner.counters else {}
        contact, before, arrived_ms = None, None, self._arrived_ms(record, times[-1], now_ms)
        if event.contact_id is not None and updated_ms is not None:
            contact = xxh3_64_intdigest(event.contact_id.encode(), partner.seed)
            since_ms = self._state.contributions.since_ms(arrived_ms, partner.policy.record_retention_ms)
            before = self._state.contributions.find(contact, since_ms)
            if before is not None and updated_ms <= before.updated_ms:
                if updated_ms == before.updated_ms:
                    self._state.counters["duplicates"] += 1
                else:
                    self._state.counters["records_outdated"] += 1
                return 0
            if before is None and times[-1] < since_ms <= updated_ms:
                why = f"completed at {times[-1]} and updated at {updated_ms}: what its contact counted is known from {since_ms} on"
                self._admission.late(record, LateReason.UNMATCHED, why, now_ms)
                return 0
        if not all(self._admission.in_time(topic, record, at_ms, partner, now_ms) for at_ms in counted):
            return 0
        if before is not None:
            self._state.counters["records_restated"] += 1
        contribution = Contribution(updated_ms or 0, slot.cell, counted, customs, sides=partner.sides.of(event))
        self._restate(partner, before, contribution)
        if partner.policy.repeats and event.outcome == "answered" and event.customer_key is not None:
            contribution = contribution._replace(visit=partner.visited(event, times[-1]))
        if contact is not None and updated_ms is not None:
            self._state.contributions.put(contact, arrived_ms, contribution)
        self._admission.counted(record, partner, digest, now_ms)
        return 1

    def _restate(self, partner: Partner, before: Contribution | None, contribution: Contribution) -> None:
        """Count what a record says in place of what the one before it said."""
        if before is not None and before.visit is not None:
            partner.not_visited(before.visit)
        old = {} if before is None else _packed(before)
        new = _packed(contribution)
        for place, at_ms in old | new:
            was, now = (each.get((place, at_ms), UNCOUNTED) for each in (old, new))
            if was == now:
                continue
            if partner.recount(place, at_ms, was, now):
                self._admission.falls_due(partner, at_ms)
            else:
                self._state.counters["records_not_recounted"] += 1

    def _arrived_ms(self, record: SourceRecord, at_ms: int, now_ms: int) -> int:
        """When a record counts as arrived: a log that is replayed has the time of its own clock."""
        return max(self._state.frontier.value_ms, at_ms) if self._from_log else self._admission.remembered_ms(record.timestamp, now_ms)

    def _ticket(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`ticket.*`: what it adds to what is known of its ticket, and all that the ticket counts otherwise for it."""
        state = self._state
        partner = self._admission.routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        at_ms, step = to_ms(event.occurred_at), _STEPS[event.__class__]
        due_at = None if step is Step.REPLIED else event.due_at
        due_ms = None if due_at is None else to_ms(due_at)
        digest = self._admission.unseen(record, event, partner, at_ms)
        if digest is None:
            return 0
        slot = partner.slot(Family.TICKETS, event.queue, event.channel)
        cell = slot.cell
        if not self._admission.in_time(topic, record, at_ms, partner, now_ms):
            return 0
        if not partner.takes_tickets:
            partner.takes_tickets = partner.row_changed = True
        mark = Mark(at_ms, step, due_ms, cell.queue, cell.channel, partner.sides.of(event))
        for counted_ms, queue, channel, sides, old, new in state.tickets.tell(partner.backlog, event.contact_id, mark):
            if partner.recount_all(cell._replace(queue=queue, channel=channel), sides, counted_ms, old, new):
                self._admission.falls_due(partner, counted_ms)
            else:
                state.counters["tickets_not_recounted"] += 1
        for each in (slot, *slot.beside(event)):
            partner.fold_customs(event, at_ms, each)
        self._admission.counted(record, partner, digest, now_ms)
        return 1

    def _forecast(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`volume.forecast`: what is expected in an interval, which counts once that has closed."""
        state = self._state
        partner = self._admission.routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        start_ms, forecast = forecast_of(event)
        ahead_ms = start_ms - record.timestamp
        if ahead_ms > FORECAST_MS:
            raise AheadError(ahead_ms)
        digest = self._admission.unseen(record, event, partner, to_ms(event.occurred_at))
        if digest is None or not self._admission.in_time(topic, record, forecast.end_ms - 1, partner, now_ms):
            return 0
        if start_ms < partner.panes.final_before_ms:
            error = f"the interval began at {start_ms}, days are kept as a whole before {partner.panes.final_before_ms}"
            self._admission.late(record, LateReason.PAST_FORECAST, error, now_ms)
            return 0
        partner.recount_forecasts(state.plans.tell(partner.plan, (event.queue, event.channel), start_ms, forecast, partner.panes))
        self._admission.counted(record, partner, digest, now_ms)
        return 1

    def _agent(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`agent.*` and `training.*`: what it tells of an agent, and all that the agent counts otherwise for it."""
        state = self._state
        partner = self._admission.routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        at_ms = to_ms(event.occurred_at)
        digest = self._admission.unseen(record, event, partner, at_ms)
        if digest is None:
            return 0
        cell = partner.slot(Family.WORKFORCE, event.queue, event.channel).cell
        news = news_of(event, at_ms, (cell.queue, cell.channel, partner.sides.of_agent(event)), partner.policy.agent_expiry_ms)
        self._admission.bring_up(topic, record, partner, now_ms)
        closed_ms, roster = partner.panes.closed_ms, partner.roster
        if isinstance(news, Stint | Shift) and news[0] < roster.oldest_ms(closed_ms):
            error = f"tells of {news[0]}, what agents did is known from {roster.oldest_ms(closed_ms)} on"
            self._admission.late(record, LateReason.PAST_AGENTS, error, now_ms)
            return 0
        if roster.tell(event.agent_id, news, partner.panes):
            self._agents_of[partner.id] = partner
            self.agents += 1
            state.counters["late_corrections"] += 1
            state.touch(partner, closed_ms + GRID_MS)
        due_ms = roster.next_change_ms(closed_ms, event.agent_id)
        if closed_ms and due_ms is not None:
            state.want(partner, due_ms)
        self._admission.counted(record, partner, digest, now_ms)
        return 1

    def _fact(self, _: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`cost.reported`, `revenue.reported`: what is known of a period, whose record is owed anew."""
        state = self._state
        partner = self._admission.routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        period, line, fact = fact_of(event)
        ahead_ms = period.end_ms - record.timestamp
        if ahead_ms > FORECAST_MS:
            raise AheadError(ahead_ms)
        digest = self._admission.unseen(record, event, partner, to_ms(event.occurred_at))
        if digest is None:
            return 0
        books, oldest_ms = partner.books, state.frontier.value_ms - KEPT_MS
        if period.end_ms < oldest_ms:
            self._admission.late(record, LateReason.PAST_PERIOD, f"the period ended at {period.end_ms}, books begin at {oldest_ms}", now_ms)
            return 0
        if (
            line not in books.facts.get(period, ())
            and sum(each.books.size for each in state.partners.values()) >= state.config.limits.facts
        ):
            state.counters["facts_dropped"] += 1
        elif not books.tell(period, line, fact):
            state.counters["facts_outdated"] += 1
        elif 0 < partner.panes.closed_ms < period.end_ms:
            state.want(partner, period.end_ms + -period.end_ms % GRID_MS)
        self._admission.counted(record, partner, digest, now_ms)
        return 1


def _packed(contribution: Contribution) -> dict[tuple[Cell, int], Counted]:
    _, cell, counted, customs, _, sides = contribution
    own = {at_ms: counted_of(cell.family, vector) for at_ms, vector in counted.items()}
    made = {at: counted_of(Family.CUSTOM, vector) for at, vector in customs.items()}
    cells = (cell, *aside(cell, sides))
    return {
        **{(each, at_ms): what for each in cells for at_ms, what in own.items()},
        **{(custom_cell(each, formula), at_ms): what for each in cells for (formula, at_ms), what in made.items()},
    }


def times_of(event: Any) -> tuple[int, int, int]:
    """When the contact of a record was queued, left the queue, and was completed (ms)."""
    done_ms = to_ms(event.occurred_at)
    exited_ms = done_ms if event.queue_exited_at is None else to_ms(event.queue_exited_at)
    return exited_ms if event.queued_at is None else to_ms(event.queued_at), exited_ms, done_ms


def _customs_of(event: Any, times: tuple[int, int, int], partner: Partner) -> dict[tuple[int, int], list[int]]:
    """What a record counts for the KPIs of the policy's own, as the events would that it stands for."""
    queued_ms, exited_ms, done_ms = times
    parts = {f"contact.{event.outcome}": exited_ms}
    if event.outcome != "not_queued":
        parts["contact.queued"] = queued_ms
    if event.outcome == "answered":
        parts["contact.completed"] = done_ms
    counted: dict[tuple[int, int], list[int]] = {}
    for name, at_ms in parts.items():
        for formula, matches, fold in partner.policy.customs.parts.get(name, ()):
            if matches(event):
                fold(event, counted.setdefault((formula, at_ms), [0] * WIDTHS[Family.CUSTOM]), 0, 0)
    return {at: vector for at, vector in counted.items() if any(vector)}


def counted_by(event: Any, times: tuple[int, int, int], slot: Slot) -> dict[int, list[int]]:
    """What a record counts: by time, a vector of the interactions' family, and behind its measures the keys of bins."""
    queued_ms, exited_ms, done_ms = times
    parts: list[tuple[Fold, int]] = [(fold_exit, exited_ms)]
    if event.outcome != "not_queued":
        parts.append((fold_queued, queued_ms))
    if event.outcome == "answered":
        parts.append((fold_handled, done_ms))
    counted: dict[int, list[int]] = {}
    for fold, at_ms in parts:
        fold(event, counted.setdefault(at_ms, [0] * WIDTHS[Family.INTERACTIONS]), slot.first, slot.second)
    return counted
