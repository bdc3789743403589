"""Admission: whether a record counts, where and when; and the letter of one that does not."""

import traceback
from typing import Any

from xxhash import xxh3_64_intdigest

from models.errors import FieldError, TimeError
from models.reasons import LateReason, RejectReason
from models.topics import Partitioner, partition_of
from models.windows import GRID_MS
from streams.engine.config import FUTURE_MS
from streams.engine.letters import Origin, SourceRecord, dead_letter, late_record
from streams.engine.panes import LEDGER_MS
from streams.engine.partner import EVERYTHING, Partner
from streams.engine.state import State

__all__ = ["Admission", "AheadError"]


class AheadError(Exception):
    """Raised when an event lies too far ahead of its record's timestamp: its source's clock is wrong."""

    def __init__(self, ahead_ms: int) -> None:
        super().__init__(f"{ahead_ms // 1000} s ahead of its record's timestamp")


class Admission:
    """Of one engine."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._from_log = state.config.clock_from_log
        self.origin = Origin("", state.partition)
        """Of the run that is counted."""

    def remembered_ms(self, arrived_ms: int, now_ms: int) -> int:
        """From when on an id is remembered: a producer's clock (CreateTime) neither keeps it for ever nor has it forgotten at once."""
        return min(max(arrived_ms, self._state.frontier.arrival_ms), now_ms)

    def in_time(self, topic: str, record: SourceRecord, at_ms: int, partner: Partner, now_ms: int) -> bool:
        """Whether the ledger still takes an event of `at_ms`; sees to it that its pane is closed when that falls due.

        Asked for the first event of a pane, and for all that come after their pane was closed.
        """
        state, panes = self._state, partner.panes
        self.bring_up(topic, record, partner, now_ms)
        # While nothing was closed, the time of the record's own topic is what is known.
        oldest = panes.ledger_start() or (state.frontier.clock_ms(topic) if self._from_log else record.timestamp) - LEDGER_MS
        if at_ms < oldest:
            self.late(record, LateReason.PAST_LEDGER, f"occurred at {at_ms}, the ledger begins at {oldest}", now_ms)
            return False
        if at_ms < panes.closed_ms:
            state.counters["late_corrections"] += 1
        self.falls_due(partner, at_ms)
        return True

    def bring_up(self, topic: str, record: SourceRecord, partner: Partner, now_ms: int) -> None:
        """Have a partner closed as far as the frontier is."""
        state, panes = self._state, partner.panes
        if not self._from_log:
            state.frontier.observe(topic, min(record.timestamp, now_ms))
        if panes.closed_ms and panes.closed_ms < (grid := state.grid_ms(partner.policy.settle_ms)):
            # A partner that lies idle is not closed at every grid point: nothing of it became different up to this one.
            partner.close(grid)

    def falls_due(self, partner: Partner, at_ms: int) -> None:
        """See to it that a grid point is closed, and judged, at which something that counts at `at_ms` shows."""
        closed_ms = partner.panes.closed_ms
        if closed_ms == 0:
            return
        if at_ms < closed_ms:
            self._state.touch(partner, closed_ms + GRID_MS)
        else:
            self._state.want(partner, at_ms - at_ms % GRID_MS + GRID_MS)

    def routed(self, record: SourceRecord, partner_id: str, now_ms: int) -> Partner | None:
        """The partner of a record whose key did not match at once; None, and a dead letter, where it does not belong here."""
        state = self._state
        if record.key is None:
            self.reject(record, RejectReason.NO_KEY, f"no key; the partner is {partner_id!r}", now_ms)
            return None
        partner = state.partner(partner_id)
        if partner is None and state.at_home(partner_id):
            limit = state.config.limits.unconfigured_partners
            self.reject(record, RejectReason.PARTNERS, f"{limit} partners without a policy are counted already", now_ms)
            return None
        if partner is None or record.key != partner.key:
            msg = self._where_it_belongs(record, partner_id)
            state.counters[f"misrouted.{self.origin.topic}"] += 1
            self.reject(record, RejectReason.MISROUTED, msg, now_ms)
            return None
        return partner

    def _where_it_belongs(self, record: SourceRecord, partner_id: str) -> str:
        """What is wrong with a record's key or partition, and the setting that changes it."""
        config, key, partition = self._state.config, record.key or b"", self.origin.partition
        if key != partner_id.encode():
            return f"the key {key[:128]!r} is not the partner {partner_id!r}: key every record by its partner_id"
        home = partition_of(partner_id, config.partitions, config.partitioner)
        fitting = [each for each in Partitioner if partition_of(partner_id, config.partitions, each) == partition]
        hint = f": the producer uses {fitting[0]}, set it or OUTWATCH_PARTITIONER" if fitting else ""
        return f"partition {partition}, but by {config.partitioner} the key {partner_id!r} belongs to {home}{hint}"

    def unseen(self, record: SourceRecord, event: Any, partner: Partner, latest_ms: int) -> int | None:
        """The hash of an event's id; None, and counted, where it was seen before.

        Raises:
            AheadError: if the latest of its times lies too far ahead.
        """
        ahead_ms = latest_ms - record.timestamp
        if not self._from_log and ahead_ms > FUTURE_MS:
            raise AheadError(ahead_ms)
        digest = xxh3_64_intdigest(event.event_id.encode(), partner.seed)
        if digest not in self._state.seen.hashes:
            return digest
        self._state.counters["duplicates"] += 1
        return None

    def counted(self, record: SourceRecord, partner: Partner, digest: int, now_ms: int) -> None:
        """Remember an event by its hash."""
        self._state.seen.hashes.add(digest)
        self._state.seen.adder(self.remembered_ms(record.timestamp, now_ms)).append(digest)
        partner.changed = EVERYTHING

    def failed(self, record: SourceRecord, error: Exception, now_ms: int) -> None:
        """The letter of a record on which something was raised."""
        if isinstance(error, AheadError):
            self.reject(record, RejectReason.FUTURE, str(error), now_ms)
        elif isinstance(error, FieldError):
            self.reject(record, RejectReason.INVALID, str(error), now_ms)
        elif isinstance(error, TimeError):
            self.reject(record, RejectReason.TIME, str(error), now_ms)
        else:
            self.reject(record, RejectReason.BUG, "".join(traceback.format_exception(error)), now_ms)

    def reject(self, record: SourceRecord, reason: RejectReason, error: str, now_ms: int) -> None:
        """Send a record to the dead letters."""
        self._state.counters[f"dead_letters.{reason}"] += 1
        config = self._state.config
        letter = dead_letter(config.topics.dead_letters, self.origin, record, reason, error, now_ms, mask=config.mask_letters)
        self._state.outputs.append(letter)

    def late(self, record: SourceRecord, reason: LateReason, error: str, now_ms: int) -> None:
        """Send a record to the late ones."""
        self._state.counters[f"late.{reason}"] += 1
        config = self._state.config
        letter = late_record(config.topics.late, self.origin, record, reason, error, now_ms, mask=config.mask_letters)
        self._state.outputs.append(letter)
