"""Intake: what one record does to the state. The loop in `Intake.count` is the way of every event; look at the budget before adding.

A record's effects are computed whole before any is added: whatever raises leaves nothing half done, goes to the dead letters, and
the rest of its run counts.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from itertools import chain
from typing import Any, Final

from xxhash import xxh3_64_intdigest

from models import decode
from models.decode import ClockAdvanced, Rejection, SourceAlive, decode_run
from models.measures import Family
from models.reasons import RejectReason
from models.sources import UNNAMED
from models.times import EARLIEST_MS, to_ms
from models.windows import GRID_MS, MINUTE_MS
from streams.engine.admission import Admission, AheadError
from streams.engine.config import FUTURE_MS
from streams.engine.fold import FOLDS, Fold
from streams.engine.letters import Origin, SourceRecord
from streams.engine.partner import EVERYTHING, Partner
from streams.engine.slot import Slot
from streams.engine.state import State
from streams.engine.told import Told

__all__ = ["EFFECTS", "Contact", "Intake"]

_NEVER: Final = 2**62
_AGENTS_AT_ONCE: Final = 100
"""What each of so many tells late takes less than a millisecond, but counting it for all takes some milliseconds more."""
_DECODED_AT_ONCE: Final = 128
"""Texts and events of so many, some 150 kB, stay in a core's cache until they are counted."""


class Contact(Enum):
    """What an event does to the live contact it names."""

    NOTHING = auto()
    OPENS = auto()
    CLOSES = auto()
    CLOSES_IF_OPEN = auto()


# On Python 3.11 a member is looked up by a function, which costs as much as a fold.
_NOTHING: Final = Contact.NOTHING
_OPENS: Final = Contact.OPENS
_CLOSES: Final = Contact.CLOSES
_COMPLETES: Final = Contact.CLOSES_IF_OPEN

_CONTACT: Final = {
    "contact.queued": _OPENS,
    "contact.answered": _CLOSES,
    "contact.abandoned": _CLOSES,
    "contact.left": _CLOSES,
    "contact.completed": _COMPLETES,
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

EFFECTS: Final[dict[type, tuple[Family, Fold, Contact]]] = {
    _STRUCTS[name]: (family, fold, _CONTACT.get(name, _NOTHING)) for name, (family, fold) in FOLDS.items()
}
"""By the struct of an event: the family and fold it counts by, and what it does to a live contact."""


class Intake:
    """Of one engine; `advance` is the engine's, called where a run is cut at a grid point that fell due."""

    def __init__(self, state: State, advance: Callable[[], Iterator[None]]) -> None:
        self._state = state
        self._advance = advance
        self._from_log = state.config.clock_from_log
        self._admission = Admission(state)
        self._told = Told(state, self._admission)

    def _limit(self, topic: str) -> int:
        """The record timestamp of `topic` at which a grid point falls due, as things stand."""
        due = self._state.next_due_ms
        return due if not self._from_log and self._state.frontier.others_ms(topic) >= due else _NEVER

    def count(self, topic: str, records: Sequence[SourceRecord], now_ms: int) -> Iterator[None]:  # noqa: C901, PLR0912, PLR0915 - one loop: calls cost
        """Count the records of one run, cut where their timestamps pass a due grid point; yields between the steps of an advance."""
        state, self._admission.origin = self._state, Origin(topic, self._state.partition)
        partners, seen, hashes = state.partners, state.seen, state.seen.hashes
        limit, minute, remember, counted, duplicates = self._limit(topic), -1, seen.hashes.add, 0, 0
        future_ms = _NEVER if self._from_log else FUTURE_MS
        for record, event in chain.from_iterable(_decoded(records)):
            arrived_ms = record.timestamp
            if arrived_ms >= limit:
                self._reached(topic, record.offset, min(arrived_ms, now_ms), counted, duplicates)
                counted = duplicates = 0
                yield from self._advance()
                limit, minute = self._limit(topic), -1
            effect = EFFECTS.get(event.__class__)
            if effect is None:
                counted += self._other(topic, record, event, now_ms)
                if event.__class__ is ClockAdvanced or self._told.agents >= _AGENTS_AT_ONCE:
                    self._reached(topic, record.offset + 1, min(arrived_ms, now_ms), counted, duplicates)
                    counted = duplicates = 0
                    yield
                    yield from self._advance()
                limit, minute = self._limit(topic), -1
                continue
            family, fold, contact = effect
            try:
                partner = partners.get(event.partner_id)
                if partner is None or record.key != partner.key:
                    partner = self._admission.routed(record, event.partner_id, now_ms)
                    if partner is None:
                        continue
                at_ms = event.occurred_at
                if at_ms.__class__ is not int or at_ms < EARLIEST_MS:
                    at_ms = to_ms(at_ms)
                if at_ms - arrived_ms > future_ms:
                    raise AheadError(at_ms - arrived_ms)  # noqa: TRY301 - a letter like all that may be wrong below
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
                    if not self._admission.in_time(topic, record, at_ms, partner, now_ms):
                        continue
                    partner.fold(fold, event, at_ms, slot)
                    limit = self._limit(topic)
                if partner.counts_further:
                    partner.fold_further(fold, event, at_ms, slot)
                if contact is not _NOTHING:
                    self._contact(contact, partner, event, at_ms, arrived_ms, slot)
            except Exception as error:  # noqa: BLE001 - whatever our own code raises, the rest of the run counts
                self._admission.failed(record, error, now_ms)
                continue
            if arrived_ms // MINUTE_MS != minute:
                minute, remember = arrived_ms // MINUTE_MS, seen.adder(self._admission.remembered_ms(arrived_ms, now_ms)).append
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
        self._told.recount()

    def _contact(self, contact: Contact, partner: Partner, event: Any, at_ms: int, arrived_ms: int, slot: Slot) -> None:
        contacts, contact_id = self._state.contacts, event.contact_id
        told_ms = self._state.frontier.clock_ms(self._admission.origin.topic) if self._from_log else arrived_ms
        if contact is _OPENS:
            if not partner.queues_contacts:
                partner.queues_contacts = partner.row_changed = True
            place = (*slot.place, partner.sides.of(event)) if slot.sides else slot.place
            contacts.open(partner.waits, contact_id, (at_ms, place, slot.first), told_ms)
            return
        if contact is _COMPLETES and partner.policy.repeats and event.customer_key is not None:
            partner.visited(event, at_ms)
        if contact_id is not None and (partner.queues_contacts or partner.may_queue()):
            contacts.close(partner.waits, contact_id, at_ms, told_ms, remember=contact is _CLOSES)

    def _other(self, topic: str, record: SourceRecord, event: Any, now_ms: int) -> int:
        """Everything that is not one event in one cell; returns how many events were counted."""
        if event.__class__ is Rejection:
            self._admission.reject(record, event.reason, event.error, now_ms)
        elif event.__class__ is ClockAdvanced:
            if self._from_log:
                self._state.frontier.tick(topic, event.to, self._fed(topic, event.topics))
            else:
                self._admission.reject(record, RejectReason.CLOCK, "clock.advanced counts only under `clock: log`", now_ms)
        elif event.__class__ is SourceAlive:
            at_ms = self._state.frontier.clock_ms(topic) if self._from_log else min(record.timestamp, now_ms)
            self._state.speaks(topic, event.source or UNNAMED, at_ms)
        elif (count := self._told.counts.get(event.__class__)) is not None:
            try:
                return count(topic, record, event, now_ms)
            except Exception as error:  # noqa: BLE001 - as above
                self._admission.failed(record, error, now_ms)
        return 0

    def _fed(self, topic: str, named: list[str] | None) -> list[str]:
        """The subscribed topics that a clock names; its own where it names none."""
        known = set(self._state.config.topics.sources)
        return [each for each in named or () if each in known] or [topic]


def _decoded(records: Sequence[SourceRecord]) -> Iterator[Iterator[tuple[SourceRecord, Any]]]:
    """Records with their events, some at once."""
    for at in range(0, len(records), _DECODED_AT_ONCE):
        some = records[at : at + _DECODED_AT_ONCE]
        yield zip(some, decode_run([record.value for record in some], [record.headers for record in some]), strict=True)
