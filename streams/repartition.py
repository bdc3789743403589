"""Sources into the topics of an installation with another number of partitions: the way to more of them.

A partner's number depends on how many there are, so its records, its state and its outputs cannot stay where they are. What the
sources still hold is copied with its times, in the order of those over all partitions of a topic, each record where its key belongs
now. To the workers of the new installation that is a downtime: they judge every grid point of it as it would have been.

Guarantee: each committed record is copied once, however often the copy is broken off: the positions go into the same transactions. A
key's records keep their order. Cost: one transaction for 2,000 records, and of each partition a fetch in memory.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from time import monotonic
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from models.decode import SourceAlive, decode_one
from models.settings import PREFIX, Settings
from models.topics import Topics, partition_of
from streams.admin import partitions, require_topics, times_of_producers
from streams.connection import kafka
from streams.engine.letters import SourceRecord
from streams.errors import TopicsError
from streams.holding import new_producer
from streams.past import STALL_SECONDS_MAX

__all__ = ["copy_sources", "homes"]

Record: TypeAlias = ConsumerRecord[bytes, bytes]

_A_TRANSACTION: Final = 2_000
_POLL_MS: Final = 250
_STAMP_SECONDS_MAX: Final = 15.0
"""How long a broker may go on stamping records by itself after it was told not to."""


class _StampedError(Exception):
    """Raised when the broker gave a record its own time."""


async def copy_sources(settings: Settings, from_prefix: str, on_progress: Callable[[str], None] = lambda _: None) -> Counter[str]:
    """Copy what the sources of the installation `from_prefix` hold by now and was not copied yet; by topic, how many records.

    Args:
        settings: of the new installation: its topics exist, and none of its workers has run.
        from_prefix: the topic prefix of the old one.
        on_progress: is told what is being done, now and then.

    Raises:
        TopicsError: if there is nothing to copy from, or no good place to copy to; the text says what to do.
        aiokafka.errors.KafkaError: if the brokers cannot be reached, or refuse a write.
    """
    if settings.clock == "log":
        msg = f"under {PREFIX}CLOCK=log times are those of the logs that were replayed: replay them into the new topics instead"
        raise TopicsError(msg)
    if settings.topic_prefix == from_prefix:
        msg = f"{PREFIX}TOPIC_PREFIX is that of the topics to copy from ({from_prefix!r}): set that of the new installation"
        raise TopicsError(msg)
    await require_topics(settings)
    sources = await partitions(settings, Topics(from_prefix).sources)
    if not sources:
        msg = f"there is no topic {from_prefix}cx.* to copy from"
        raise TopicsError(msg)
    copied: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        group = f"{settings.app_id}-copy"
        reader = AIOKafkaConsumer(
            **kafka(settings), group_id=group, isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False
        )
        await stack.enter_async_context(reader)
        await _require_new(reader, settings)
        # Started before anything is read: it ends what another copy is about to write.
        producer = new_producer(settings, "copy")
        stack.push_async_callback(producer.stop)  # Also if it may not start.
        await producer.start()
        await stack.enter_async_context(times_of_producers(settings, settings.topics.sources))
        for source, number in sources.items():
            target = settings.topic_prefix + source.removeprefix(from_prefix)
            writer = _Writer(producer, target, settings, group)
            async for record in _in_order(reader, await _left(reader, source, number)):
                writer.take(record)
                if len(writer.records) == _A_TRANSACTION:
                    copied[target] += await writer.flush()
                    on_progress(f"{target}: {copied[target]} records")
            copied[target] += await writer.flush()
            on_progress(f"{target}: {copied[target]} records")
    return copied


async def _require_new(reader: AIOKafkaConsumer, settings: Settings) -> None:
    changelog = settings.topics.changelog(settings.app_id)
    ends = await reader.end_offsets([TopicPartition(changelog, number) for number in range(settings.partitions)])
    if any(ends.values()):
        msg = f"workers of {settings.app_id} have run already, so that all of this would be late: take a new {PREFIX}APP_ID, or copy first"
        raise TopicsError(msg)


async def _left(reader: AIOKafkaConsumer, topic: str, partitions: int) -> dict[TopicPartition, int]:
    """Assign what is to be read of a topic: by partition that is not read up, where it ends now."""
    places = [TopicPartition(topic, number) for number in range(partitions)]
    reader.assign(places)
    ends = await reader.end_offsets(places)
    return {place: end for place, end in ends.items() if await reader.position(place) < end}


async def _in_order(reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> AsyncIterator[Record]:
    """The records before `ends`, by their times; those of a partition in its order."""
    heads: dict[TopicPartition, deque[Record]] = {place: deque() for place in ends}
    moved = monotonic()
    while heads:
        empty = [place for place, records in heads.items() if not records]
        if not empty:
            first = min(heads, key=lambda place: (heads[place][0].timestamp, place.partition))
            yield heads[first].popleft()
            continue
        for place, run in (await reader.getmany(*empty, timeout_ms=_POLL_MS)).items():
            heads[place].extend(record for record in run if record.offset < ends[place])
            moved = monotonic()
        for place in empty:
            if not heads[place] and await reader.position(place) >= ends[place]:
                del heads[place]
        if monotonic() - moved > STALL_SECONDS_MAX:
            msg = f"nothing came for {STALL_SECONDS_MAX:g} s, and the end was not reached: {empty[0].topic}"
            raise KafkaTimeoutError(msg)


class _Writer:
    """Of one topic."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, settings: Settings, group: str) -> None:
        self._producer = producer
        self._topic = topic
        self._settings = settings
        self._group = group
        self.records: list[Record] = []

    def take(self, record: Record) -> None:
        """Have it written by the next `flush`."""
        self.records.append(record)

    async def flush(self) -> int:
        """Write what was taken, with the positions behind it, in one transaction; returns how many records."""
        records, self.records = self.records, []
        deadline = monotonic() + _STAMP_SECONDS_MAX
        while records:
            try:
                async with self._producer.transaction():
                    await self._write(records)
                break
            except _StampedError:
                if monotonic() > deadline:
                    msg = f"{self._topic} keeps stamping records with the time of their arrival: set message.timestamp.type=CreateTime"
                    raise TopicsError(msg) from None
                await asyncio.sleep(_POLL_MS / 1000)
        return len(records)

    async def _write(self, records: list[Record]) -> None:
        sent = [
            await self._producer.send(
                self._topic,
                record.value,
                key=record.key,
                partition=partition,
                timestamp_ms=record.timestamp,
                headers=list(record.headers),
            )
            for record in records
            for partition in homes(record.partition, record, self._settings)
        ]
        if any(delivered.timestamp_type for delivered in await asyncio.gather(*sent)):
            raise _StampedError
        positions = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        await self._producer.send_offsets_to_transaction(positions, self._group)


def homes(number: int, record: SourceRecord, settings: Settings) -> Iterable[int]:
    """Where a record of partition `number` belongs now: where its key does. What has none becomes a dead letter wherever it is.

    But that a source lives is told to every partition: what the first one was told goes to all of them, and that of the others to none.
    """
    count = settings.partitions
    if not record.key and isinstance(decode_one(record.value, record.headers), SourceAlive):
        return range(count) if number == 0 else ()
    try:
        return (partition_of((record.key or b"").decode(), count, settings.partitioner),)
    except UnicodeDecodeError:
        return (number % count,)
