"""Intake: what one record does to the state. The loop in `Intake.count` is the way of every event; look at the budget before adding.

A record's effects are computed whole before any is added: whatever raises leaves nothing half done, goes to the dead letters, and
the rest of its run counts.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from typing import Any, Final

from xxhash import xxh3_64_intdigest

from models import decode
from models.decode import ClockAdvanced, ContactRecord, CostReported, Rejection, RevenueReported, VolumeForecast, decode_run
from models.errors import FieldError, TimeError
from models.measures import WIDTHS, Family
from models.money import fact_of
from models.reasons import LateReason, RejectReason
from models.times import EARLIEST_MS, to_ms
from models.topics import Partitioner, partition_of
from models.windows import GRID_MS, MINUTE_MS
from streams.engine.agent import Shift, Stint
from streams.engine.books import KEPT_MS
from streams.engine.cells import Cell
from streams.engine.config import FORECAST_MS, FUTURE_MS
from streams.engine.contributions import Contribution
from streams.engine.fold import FOLDS, Fold, fold_exit, fold_handled, fold_queued
from streams.engine.forecasts import forecast_of
from streams.engine.lanes import pack
from streams.engine.letters import Origin, SourceRecord, dead_letter, late_record
from streams.engine.news import news_of
from streams.engine.panes import LEDGER_MS
from streams.engine.partner import EVERYTHING, Partner, Slot
from streams.engine.state import State
from streams.engine.ticket import Mark, Step

__all__ = ["Intake"]

_NEVER: Final = 2**62


class _Contact(Enum):
    """What an event does to the live contact it names."""

    NOTHING = auto()
    OPENS = auto()
    CLOSES = auto()
    CLOSES_IF_OPEN = auto()


# On Python 3.11 a member is looked up by a function, which costs as much as a fold.
_NOTHING: Final = _Contact.NOTHING
_OPENS: Final = _Contact.OPENS
_CLOSES: Final = _Contact.CLOSES

_CONTACT: Final = {
    "contact.queued": _OPENS,
    "contact.answered": _CLOSES,
    "contact.abandoned": _CLOSES,
    "contact.left": _CLOSES,
    "contact.completed": _Contact.CLOSES_IF_OPEN,
}

_STRUCTS: Final[dict[str, type]] = {
    "contact.queued": decode.ContactQueued,
    "contact.answered": decode.ContactAnswered,
    "contact.abandoned": decode.ContactAbandoned,
    "contact.completed": decode.ContactCompleted,
    "contact.left": decode.ContactLeft,
    "survey.response": decode.SurveyResponse,
    "survey.invited": decode.SurveyInvited,
    "quality.evaluated": decode.QualityEvaluated,
}

_EFFECTS: Final[dict[type, tuple[Family, Fold, _Contact]]] = {
    _STRUCTS[name]: (family, fold, _CONTACT.get(name, _NOTHING)) for name, (family, fold) in FOLDS.items()
}
"""By the struct of an event: the family and fold it counts by, and what it does to a live contact."""

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


class _AheadError(Exception):
    """Raised when an event lies too far ahead of its record's timestamp: its source's clock is wrong."""

    def __init__(self, ahead_ms: int) -> None:
        super().__init__(f"{ahead_ms // 1000} s ahead of its record's timestamp")


class Intake:
    """Of one engine; `advance` is the engine's, called where a run is cut at a grid point that fell due."""

    def __init__(self, state: State, advance: Callable[[], Iterator[None]]) -> None:
        self._state = state
        self._advance = advance
        self._from_log = state.config.clock_from_log
        self._origin = Origin("", state.partition)
        """Of the run that is counted."""
        self._counts: Final[dict[type, Callable[[str, SourceRecord, Any, int], int]]] = {
            ContactRecord: self._record,
            VolumeForecast: self._forecast,
            CostReported: self._fact,
            RevenueReported: self._fact,
            **dict.fromkeys(_STEPS, self._ticket),
            **dict.fromkeys(_NEWS, self._agent),
        }
        """By the struct of an event that does not count in one cell."""

    def _limit(self, topic: str) -> int:
        """The record timestamp of `topic` at which a grid point falls due, as things stand."""
        due = self._state.next_due_ms
        return due if not self._from_log and self._state.frontier.others_ms(topic) >= due else _NEVER

    def count(self, topic: str, records: Sequence[SourceRecord], now_ms: int) -> Iterator[None]:  # noqa: C901, PLR0912, PLR0915 - one loop: calls cost
        """Count the records of one run, cut where their timestamps pass a due grid point; yields between the steps of an advance."""
        state, self._origin = self._state, Origin(topic, self._state.partition)
        partners, seen, hashes = state.partners, state.seen, state.seen.hashes
        limit, minute, remember, counted, duplicates = self._limit(topic), -1, seen.hashes.add, 0, 0
        future_ms = _NEVER if self._from_log else FUTURE_MS
        events: list[Any] = list(decode_run([record.value for record in records], [record.headers for record in records]))
        for record, event in zip(records, events, strict=True):
            arrived_ms = record.timestamp
            if arrived_ms >= limit:
                self._reached(topic, record.offset, min(arrived_ms, now_ms), counted, duplicates)
                counted = duplicates = 0
                yield from self._advance()
                limit, minute = self._limit(topic), -1
            effect = _EFFECTS.get(event.__class__)
            if effect is None:
                counted += self._other(topic, record, event, now_ms)
                limit = self._limit(topic)
                if event.__class__ is ClockAdvanced:
                    self._reached(topic, record.offset + 1, min(arrived_ms, now_ms), counted, duplicates)
                    counted = duplicates = 0
                    yield from self._advance()
                    minute = -1
                continue
            family, fold, contact = effect
            try:
                partner = partners.get(event.partner_id)
                if partner is None or record.key != partner.key:
                    partner = self._routed(record, event.partner_id, now_ms)
                    if partner is None:
                        continue
                at_ms = event.occurred_at
                if at_ms.__class__ is not int or at_ms < EARLIEST_MS:
                    at_ms = to_ms(at_ms)
                if at_ms - arrived_ms > future_ms:
                    raise _AheadError(at_ms - arrived_ms)  # noqa: TRY301 - a letter like all that may be wrong below
                digest = xxh3_64_intdigest(event.event_id.encode(), partner.seed)
                if digest in hashes:
                    duplicates += 1
                    continue
                slot = partner.slots[family].get((event.queue, event.channel)) or partner.slot(family, event.queue, event.channel)
                panes, start = partner.panes, at_ms - at_ms % GRID_MS
                if at_ms >= panes.closed_ms and start in panes.hot:
                    # Open, and whoever made it saw to it that it will be closed.
                    if slot.start != start:
                        partner.fold(fold, event, at_ms, slot)
                    else:
                        if not slot.pane.dirty:
                            slot.pane.dirty = True
                            panes.dirty.append(start)
                        fold(event, slot.vector, slot.first, slot.second)
                else:
                    if not self._in_time(topic, record, at_ms, partner, now_ms):
                        continue
                    partner.fold(fold, event, at_ms, slot)
                    limit = self._limit(topic)
                if contact is not _NOTHING:
                    self._contact(contact, partner, event, at_ms, slot.first)
            except Exception as error:  # noqa: BLE001 - whatever our own code raises, the rest of the run counts
                self._failed(record, error, now_ms)
                continue
            if arrived_ms // MINUTE_MS != minute:
                minute = arrived_ms // MINUTE_MS
                remember = seen.adder(self._remembered_ms(arrived_ms, now_ms)).append
            hashes.add(digest)
            remember(digest)
            partner.changed = EVERYTHING
            counted += 1
        self._reached(topic, records[-1].offset + 1, min(records[-1].timestamp, now_ms), counted, duplicates)
        yield from self._advance()

    def _reached(self, topic: str, offset: int, at_ms: int, counted: int, duplicates: int) -> None:
        """Account for the run up to `offset`, before a commit may come and the rest be read again by another worker."""
        state = self._state
        state.applied[topic] = offset
        state.counters["events"] += counted
        state.counters["duplicates"] += duplicates
        state.frontier.observe(topic, at_ms)

    def _remembered_ms(self, arrived_ms: int, now_ms: int) -> int:
        """From when on an id is remembered: a producer's clock (CreateTime) neither keeps it for ever nor has it forgotten at once."""
        return min(max(arrived_ms, self._state.frontier.arrival_ms), now_ms)

    def _in_time(self, topic: str, record: SourceRecord, at_ms: int, partner: Partner, now_ms: int) -> bool:
        """Whether the ledger still takes an event of `at_ms`; sees to it that its pane is closed when that falls due.

        Asked for the first event of a pane, and for all that come after their pane was closed.
        """
        state, panes = self._state, partner.panes
        self._bring_up(topic, record, partner, now_ms)
        # While nothing was closed, the time of the record's own topic is what is known.
        oldest = panes.ledger_start() or (state.frontier.clock_ms(topic) if self._from_log else record.timestamp) - LEDGER_MS
        if at_ms < oldest:
            self._late(record, LateReason.PAST_LEDGER, f"occurred at {at_ms}, the ledger begins at {oldest}", now_ms)
            return False
        if at_ms < panes.closed_ms:
            state.counters["late_corrections"] += 1
        self._falls_due(partner, at_ms)
        return True

    def _bring_up(self, topic: str, record: SourceRecord, partner: Partner, now_ms: int) -> None:
        """Have a partner closed as far as the frontier is."""
        state, panes = self._state, partner.panes
        if not self._from_log:
            state.frontier.observe(topic, min(record.timestamp, now_ms))
        if panes.closed_ms and panes.closed_ms < (grid := state.grid_ms(partner.policy.settle_ms)):
            # A partner that lies idle is not closed at every grid point: nothing of it became different up to this one.
            partner.close(grid)

    def _falls_due(self, partner: Partner, at_ms: int) -> None:
        """See to it that a grid point is closed, and judged, at which something that counts at `at_ms` shows."""
        closed_ms = partner.panes.closed_ms
        if closed_ms == 0:
            return
        if at_ms < closed_ms:
            self._state.touch(partner, closed_ms + GRID_MS)
        else:
            self._state.want(partner, at_ms - at_ms % GRID_MS + GRID_MS)

    def _routed(self, record: SourceRecord, partner_id: str, now_ms: int) -> Partner | None:
        """The partner of a record whose key did not match at once; None, and a dead letter, where it does not belong here."""
        state = self._state
        if record.key is None:
            self._reject(record, RejectReason.NO_KEY, f"no key; the partner is {partner_id!r}", now_ms)
            return None
        partner = state.partner(partner_id)
        if partner is None and state.at_home(partner_id):
            limit = state.config.limits.unconfigured_partners
            self._reject(record, RejectReason.PARTNERS, f"{limit} partners without a policy are counted already", now_ms)
            return None
        if partner is None or record.key != partner.key:
            msg = self._where_it_belongs(record, partner_id)
            state.counters[f"misrouted.{self._origin.topic}"] += 1
            self._reject(record, RejectReason.MISROUTED, msg, now_ms)
            return None
        return partner

    def _where_it_belongs(self, record: SourceRecord, partner_id: str) -> str:
        """What is wrong with a record's key or partition, and the setting that changes it."""
        config, key, partition = self._state.config, record.key or b"", self._origin.partition
        if key != partner_id.encode():
            return f"the key {key[:128]!r} is not the partner {partner_id!r}: key every record by its partner_id"
        home = partition_of(partner_id, config.partitions, config.partitioner)
        fitting = [each for each in Partitioner if partition_of(partner_id, config.partitions, each) == partition]
        hint = f": the producer uses {fitting[0]}, set it or OUTWATCH_PARTITIONER" if fitting else ""
        return f"partition {partition}, but by {config.partitioner} the key {partner_id!r} belongs to {home}{hint}"

    def _contact(self, contact: _Contact, partner: Partner, event: Any, at_ms: int, within_ms: int) -> None:
        contacts, contact_id = self._state.contacts, event.contact_id
        if contact is _OPENS:
            if not partner.queues_contacts:
                partner.queues_contacts = partner.row_changed = True
            contacts.open(partner.waits, contact_id, (at_ms, event.queue, event.channel, within_ms))
        elif contact_id is not None and (partner.queues_contacts or partner.may_queue()):
            contacts.close(partner.waits, contact_id, at_ms, remember=contact is _CLOSES)

    def _other(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """Everything that is not one event in one cell; returns how many events were counted."""
        if event.__class__ is Rejection:
            self._reject(record, event.reason, event.error, now_ms)
        elif event.__class__ is ClockAdvanced:
            if self._from_log:
                self._state.frontier.tick(topic, event.to, self._fed(topic, event.topics))
            else:
                self._reject(record, RejectReason.CLOCK, "clock.advanced counts only under `clock: log`", now_ms)
        elif (count := self._counts.get(event.__class__)) is not None:
            try:
                return count(topic, record, event, now_ms)
            except Exception as error:  # noqa: BLE001 - as above
                self._failed(record, error, now_ms)
        return 0

    def _fed(self, topic: str, named: list[str] | None) -> list[str]:
        """The subscribed topics that a clock names; its own where it names none."""
        known = set(self._state.config.topics.sources)
        return [each for each in named or () if each in known] or [topic]

    def _record(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`contact.record`: an arrival, an exit from the queue, a handled contact, each at its own time; a newer one replaces it."""
        partner = self._routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        times = _times(event)
        updated_ms = None if event.updated_at is None else to_ms(event.updated_at)
        digest = self._unseen(record, event, partner, max(*times, updated_ms or 0))
        if digest is None:
            return 0
        slot = partner.slot(Family.INTERACTIONS, event.queue, event.channel)
        counted = _counted_by(event, times, slot)  # first, since what raises must leave nothing half done
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
                self._late(record, LateReason.UNMATCHED, why, now_ms)
                return 0
        if not all(self._in_time(topic, record, at_ms, partner, now_ms) for at_ms in counted):
            return 0
        if before is not None:
            self._state.counters["records_restated"] += 1
        self._restate(partner, before, slot.cell, counted)
        if contact is not None and updated_ms is not None:
            self._state.contributions.put(contact, arrived_ms, Contribution(updated_ms, slot.cell, counted))
        self._counted(record, partner, digest, now_ms)
        return 1

    def _restate(self, partner: Partner, before: Contribution | None, cell: Cell, counted: dict[int, list[int]]) -> None:
        """Count what a record says in place of what the one before it said."""
        old = {} if before is None else _packed(before.cell, before.counted)
        new = _packed(cell, counted)
        for place, at_ms in old | new:
            was, now = (each.get((place, at_ms), 0) for each in (old, new))
            if was == now:
                continue
            if partner.recount(place, at_ms, was, now):
                self._falls_due(partner, at_ms)
            else:
                self._state.counters["records_not_recounted"] += 1

    def _arrived_ms(self, record: SourceRecord, at_ms: int, now_ms: int) -> int:
        """When a record counts as arrived: a log that is replayed has the time of its own clock."""
        return max(self._state.frontier.value_ms, at_ms) if self._from_log else self._remembered_ms(record.timestamp, now_ms)

    def _ticket(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`ticket.*`: what it adds to what is known of its ticket, and all that the ticket counts otherwise for it."""
        state = self._state
        partner = self._routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        at_ms, step = to_ms(event.occurred_at), _STEPS[event.__class__]
        due_at = None if step is Step.REPLIED else event.due_at
        due_ms = None if due_at is None else to_ms(due_at)
        digest = self._unseen(record, event, partner, at_ms)
        if digest is None:
            return 0
        cell = partner.slot(Family.TICKETS, event.queue, event.channel).cell
        if not self._in_time(topic, record, at_ms, partner, now_ms):
            return 0
        if not partner.takes_tickets:
            partner.takes_tickets = partner.row_changed = True
        mark = Mark(at_ms, step, due_ms, cell.queue, cell.channel)
        for counted_ms, queue, channel, old, new in state.tickets.tell(partner.backlog, event.contact_id, mark):
            if partner.recount(cell._replace(queue=queue, channel=channel), counted_ms, old, new):
                self._falls_due(partner, counted_ms)
            else:
                state.counters["tickets_not_recounted"] += 1
        self._counted(record, partner, digest, now_ms)
        return 1

    def _forecast(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`volume.forecast`: what is expected in an interval, which counts once that has closed."""
        state = self._state
        partner = self._routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        start_ms, forecast = forecast_of(event)
        ahead_ms = start_ms - record.timestamp
        if ahead_ms > FORECAST_MS:
            raise _AheadError(ahead_ms)
        digest = self._unseen(record, event, partner, to_ms(event.occurred_at))
        if digest is None or not self._in_time(topic, record, forecast.end_ms - 1, partner, now_ms):
            return 0
        if start_ms < partner.panes.final_before_ms:
            error = f"the interval began at {start_ms}, days are kept as a whole before {partner.panes.final_before_ms}"
            self._late(record, LateReason.PAST_FORECAST, error, now_ms)
            return 0
        partner.recount_forecasts(state.plans.tell(partner.plan, (event.queue, event.channel), start_ms, forecast, partner.panes))
        self._counted(record, partner, digest, now_ms)
        return 1

    def _agent(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`agent.*` and `training.*`: what it tells of an agent, and all that the agent counts otherwise for it."""
        state = self._state
        partner = self._routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        at_ms = to_ms(event.occurred_at)
        digest = self._unseen(record, event, partner, at_ms)
        if digest is None:
            return 0
        cell = partner.slot(Family.WORKFORCE, event.queue, event.channel).cell
        news = news_of(event, at_ms, cell.queue, cell.channel, partner.policy.agent_expiry_ms)
        self._bring_up(topic, record, partner, now_ms)
        closed_ms, roster = partner.panes.closed_ms, partner.roster
        if isinstance(news, Stint | Shift) and news[0] < roster.oldest_ms(closed_ms):
            error = f"tells of {news[0]}, what agents did is known from {roster.oldest_ms(closed_ms)} on"
            self._late(record, LateReason.PAST_AGENTS, error, now_ms)
            return 0
        corrections = roster.tell(event.agent_id, news, partner.panes)
        for counted_ms, queue, channel, old, new in corrections:
            if not partner.recount(cell._replace(queue=queue, channel=channel), counted_ms, old, new):
                state.counters["agents_not_recounted"] += 1
        if corrections:
            state.counters["late_corrections"] += 1
            state.touch(partner, closed_ms + GRID_MS)
        due_ms = roster.next_change_ms(closed_ms, event.agent_id)
        if closed_ms and due_ms is not None:
            state.want(partner, due_ms)
        self._counted(record, partner, digest, now_ms)
        return 1

    def _fact(self, _: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """`cost.reported`, `revenue.reported`: what is known of a period, whose record is owed anew."""
        state = self._state
        partner = self._routed(record, event.partner_id, now_ms)
        if partner is None:
            return 0
        period, line, fact = fact_of(event)
        ahead_ms = period.end_ms - record.timestamp
        if ahead_ms > FORECAST_MS:
            raise _AheadError(ahead_ms)
        digest = self._unseen(record, event, partner, to_ms(event.occurred_at))
        if digest is None:
            return 0
        books, oldest_ms = partner.books, state.frontier.value_ms - KEPT_MS
        if period.end_ms < oldest_ms:
            self._late(record, LateReason.PAST_PERIOD, f"the period ended at {period.end_ms}, books begin at {oldest_ms}", now_ms)
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
        self._counted(record, partner, digest, now_ms)
        return 1

    def _unseen(self, record: SourceRecord, event: Any, partner: Partner, latest_ms: int) -> int | None:
        """The hash of an event's id; None, and counted, where it was seen before.

        Raises:
            _AheadError: if the latest of its times lies too far ahead.
        """
        ahead_ms = latest_ms - record.timestamp
        if not self._from_log and ahead_ms > FUTURE_MS:
            raise _AheadError(ahead_ms)
        digest = xxh3_64_intdigest(event.event_id.encode(), partner.seed)
        if digest not in self._state.seen.hashes:
            return digest
        self._state.counters["duplicates"] += 1
        return None

    def _counted(self, record: SourceRecord, partner: Partner, digest: int, now_ms: int) -> None:
        """Remember an event by its hash."""
        self._state.seen.hashes.add(digest)
        self._state.seen.adder(self._remembered_ms(record.timestamp, now_ms)).append(digest)
        partner.changed = EVERYTHING

    def _failed(self, record: SourceRecord, error: Exception, now_ms: int) -> None:
        """The letter of a record on which something was raised."""
        if isinstance(error, _AheadError):
            self._reject(record, RejectReason.FUTURE, str(error), now_ms)
        elif isinstance(error, FieldError):
            self._reject(record, RejectReason.INVALID, str(error), now_ms)
        elif isinstance(error, TimeError):
            self._reject(record, RejectReason.TIME, str(error), now_ms)
        else:
            self._reject(record, RejectReason.BUG, "".join(traceback.format_exception(error)), now_ms)

    def _reject(self, record: SourceRecord, reason: RejectReason, error: str, now_ms: int) -> None:
        self._state.counters[f"dead_letters.{reason}"] += 1
        config = self._state.config
        letter = dead_letter(config.topics.dead_letters, self._origin, record, reason, error, now_ms, mask=config.mask_letters)
        self._state.outputs.append(letter)

    def _late(self, record: SourceRecord, reason: LateReason, error: str, now_ms: int) -> None:
        self._state.counters[f"late.{reason}"] += 1
        config = self._state.config
        letter = late_record(config.topics.late, self._origin, record, reason, error, now_ms, mask=config.mask_letters)
        self._state.outputs.append(letter)


def _packed(cell: Cell, counted: dict[int, list[int]]) -> dict[tuple[Cell, int], int]:
    return {(cell, at_ms): pack(cell.family, vector) for at_ms, vector in counted.items()}


def _times(event: Any) -> tuple[int, int, int]:
    """When the contact of a record was queued, left the queue, and was completed (ms)."""
    done_ms = to_ms(event.occurred_at)
    exited_ms = done_ms if event.queue_exited_at is None else to_ms(event.queue_exited_at)
    return exited_ms if event.queued_at is None else to_ms(event.queued_at), exited_ms, done_ms


def _counted_by(event: Any, times: tuple[int, int, int], slot: Slot) -> dict[int, list[int]]:
    """What a record counts: by time, a vector of the interactions' family."""
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
