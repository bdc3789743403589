"""What the auditor reads, as committed: a consumer without a group, which leaves nothing behind.

Compacted topics are read from their beginning, heartbeats from shortly before their end, pages and results from a day ago.
"""

import asyncio
from time import monotonic
from types import TracebackType
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, for_code

from alerts.audit.seen import PAST_MS, Seen
from alerts.audit.take import read_topics, take
from models.settings import Settings
from streams.admin import require_topics
from streams.connection import kafka, stop_consumer
from streams.notifier.source import group_of

__all__ = ["AnewError", "Source"]

ANSWER_SECONDS: Final = 5.0
"""For one question to the brokers."""
LOOK_SECONDS_MAX: Final = 10.0
"""For one look; what is not read then is read in the next."""
_POLL_MS: Final = 250
_RECORDS_MAX: Final = 2000
_FETCH_BYTES_MAX: Final = 8 << 20
_HEARTBEATS_READ: Final = 100
_MEMBERS: Final = 5
"""Where they stand in what the brokers answer of a group."""

_log = structlog.stdlib.get_logger("outwatch.auditor")


class AnewError(KafkaError):  # type: ignore[misc]
    """Raised when a topic ends before what was read of it: it was made anew, so nothing that was seen of it holds."""


class Source:
    """Brings `seen` up to what stands on the topics.

    Args:
        settings: brokers, topics and partitions.
        seen: what is told of.
    """

    def __init__(self, settings: Settings, seen: Seen) -> None:
        topics = settings.topics
        self._settings = settings
        self._seen = seen
        self._topics = topics
        self.unreadable = 0
        self.records = 0
        self._of_the_past = {topics.notifications, topics.commands}
        self._partitions = [TopicPartition(name, number) for name in read_topics(topics) for number in range(settings.partitions)]
        self._consumer = AIOKafkaConsumer(
            **kafka(settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=_FETCH_BYTES_MAX,
        )
        self._admin = AIOKafkaAdminClient(**kafka(settings), request_timeout_ms=round(ANSWER_SECONDS * 1000))

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            TopicsError: if the topics are not as they must be.
            aiokafka.errors.KafkaError: if no broker answers.
            TimeoutError: if one does not answer in time.
        """
        try:
            await require_topics(self._settings)
            await self._consumer.start()
            await self._admin.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect."""
        await self._close()

    async def _close(self) -> None:
        try:
            await stop_consumer(self._consumer)
        finally:
            await self._admin.close()

    async def begin(self, now_ms: int) -> None:
        """Find where to read from; raises as `look`."""
        self._consumer.assign(self._partitions)
        async with asyncio.timeout(ANSWER_SECONDS):
            begins = await self._consumer.beginning_offsets(self._partitions)
            ends = await self._consumer.end_offsets(self._partitions)
            past = {each: now_ms - PAST_MS for each in self._partitions if each.topic in self._of_the_past}
            times = await self._consumer.offsets_for_times(past)
        for each in self._partitions:
            start = begins[each]
            if each.topic == self._topics.heartbeats:
                start = max(start, ends[each] - _HEARTBEATS_READ)
            elif each in past:
                start = ends[each] if times[each] is None else times[each].offset
            self._consumer.seek(each, start)

    async def look(self, now_ms: int) -> None:
        """Read all that stands there now; what is not reached in time is left for the next look.

        Raises:
            AnewError: if a topic was made anew.
            aiokafka.errors.KafkaError: if the brokers cannot be asked.
            TimeoutError: if they do not answer in time, or the end is not reached.
        """
        deadline = monotonic() + LOOK_SECONDS_MAX
        async with asyncio.timeout(ANSWER_SECONDS):
            ends = await self._consumer.end_offsets(self._partitions)
        positions = {each: await self._consumer.position(each) for each in self._partitions}
        for each, position in positions.items():
            if position > ends[each]:
                msg = f"{each.topic} ends at {ends[each]}, after {position} was read of it"
                raise AnewError(msg)
        behind = [each for each, position in positions.items() if position < ends[each]]
        while behind:
            if monotonic() > deadline:
                msg = f"{len(behind)} of {len(self._partitions)} partitions are not read to their end yet"
                raise TimeoutError(msg)
            for records in (await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_MAX)).values():
                for record in records:
                    self._take(record)
            behind = [each for each in behind if await self._consumer.position(each) < ends[each]]
        if await self._has_members():
            self._seen.notifier_ms = now_ms
        self._seen.looked(now_ms)

    async def _has_members(self) -> bool:
        """Whether the group of the notifiers has any."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                answers = await self._admin.describe_consumer_groups([group_of(self._settings)])
            except GroupCoordinatorNotAvailableError:
                return False  # The first question about a group makes the brokers' topic of groups.
        groups = [group for answer in answers for group in answer.groups]
        for code, name, *_ in groups:
            if code:
                msg = f"the group {name} cannot be asked for"
                raise for_code(code)(msg)
        return any(bool(group[_MEMBERS]) for group in groups)

    def _take(self, record: ConsumerRecord[bytes, bytes]) -> None:
        self.records += 1
        try:
            where = record.topic, record.partition
            take(self._seen, self._settings.topics, where, (record.key or b"", record.value), record.timestamp)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.unreadable += 1
            at = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            _log.error("unreadable", **at, error=f"{type(error).__name__}: {error}"[:500])
