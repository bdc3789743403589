"""What stands in topics by now, committed, from a position or a time on up to the end; nothing is followed.

Guarantee: whatever was committed before the reading began is read, also where it lies behind the open transaction of somebody else,
which is waited for. Cost: one record at a time in memory, and the runs that aiokafka fetches ahead.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from models.settings import Settings
from streams.admin import require_topics
from streams.connection import kafka

__all__ = ["STALL_SECONDS_MAX", "Past", "reading"]

STALL_SECONDS_MAX: Final = 60.0
"""How long nothing may come: longer than a worker's transaction may stay open."""

_POLL_MS: Final = 250


class Past:
    """A reader; see `reading`."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: AIOKafkaConsumer, partitions: int) -> None:
        self._consumer = consumer
        self._ends = ends
        self._partitions = partitions

    async def starts(self, topics: Iterable[str], since_ms: int | None = None) -> dict[TopicPartition, int]:
        """Where the partitions of `topics` begin, or their first record that is not older than `since_ms`."""
        places = [TopicPartition(name, number) for name in topics for number in range(self._partitions)]
        self._consumer.assign(places)
        if since_ms is None:
            return dict(await self._consumer.beginning_offsets(places))
        found = await self._consumer.offsets_for_times(dict.fromkeys(places, since_ms))
        # Where all records are older there is nothing to begin at, and the end is asked for when reading.
        return {place: at.offset for place, at in found.items() if at is not None}

    async def records(self, starts: Mapping[TopicPartition, int]) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
        """What is committed from `starts` on up to where these partitions end now; each partition in order.

        Raises:
            KafkaTimeoutError: if nothing comes for `STALL_SECONDS_MAX`.
        """
        if not starts:
            return
        self._consumer.assign(list(starts))
        for place, offset in starts.items():
            self._consumer.seek(place, offset)
        # The end for a reader of what is committed is the first open transaction, and behind it more may be committed already.
        pending = {place: end for place, end in (await self._ends.end_offsets(list(starts))).items() if starts[place] < end}
        moved = monotonic()
        while pending:
            for place, run in (await self._consumer.getmany(*pending, timeout_ms=_POLL_MS)).items():
                moved = monotonic()
                for record in run:
                    if record.offset < pending[place]:
                        yield record
            pending = {place: end for place, end in pending.items() if await self._consumer.position(place) < end}
            if monotonic() - moved > STALL_SECONDS_MAX:
                where = ", ".join(sorted({place.topic for place in pending}))
                msg = f"nothing came for {STALL_SECONDS_MAX:g} s, and the end was not reached: {where}"
                raise KafkaTimeoutError(msg)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Past]:
    """Connect.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaConnectionError: if no broker answers.
    """
    await require_topics(settings)
    consumer = AIOKafkaConsumer(**kafka(settings), isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False)
    ends = AIOKafkaConsumer(**kafka(settings), isolation_level="read_uncommitted", enable_auto_commit=False)
    try:
        await consumer.start()
        await ends.start()
        yield Past(consumer, ends, settings.partitions)
    finally:
        await consumer.stop()
        await ends.stop()
