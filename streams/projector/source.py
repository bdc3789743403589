"""The topics that the view is made of, read as committed, by offsets that we keep ourselves.

What is present comes before history: a new view first reads all that is so now, and then, beside what comes in, the closed stretches.
"""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.settings import Settings
from models.topics import Topics
from models.view import TRANSITIONS_MAX
from streams.connection import kafka, stop_consumer
from streams.projector.store import Positions

__all__ = ["BATCH_RECORDS_MAX", "Batch", "Source"]

BATCH_RECORDS_MAX: Final = 500
_HISTORY_RECORDS_MAX: Final = 2000
"""Beside what is present, whose records are ten times as large."""
FETCH_BYTES_MAX: Final = 8 << 20
"""What is held in memory while Redis is away, beside the batch: nothing is fetched further then."""

Batch = dict[str, list[ConsumerRecord[bytes, bytes]]]

_HEARTBEATS_READ: Final = 100

ALERTS_AGAIN: Final = 20_000
"""How far back the alerts of a partition are read of a new view, in offsets, once all that is so now was: for what happened to partners."""


def _tails(topics: Topics) -> dict[str, int]:
    """Of these only the end is worth reading for a new view, in offsets: each commit takes one more for its marker."""
    return {topics.alerts: 2 * TRANSITIONS_MAX, topics.heartbeats: _HEARTBEATS_READ}


class Source:
    """A consumer without a group: what was read is known to the view alone."""

    def __init__(self, settings: Settings, present: Sequence[str], history: Sequence[str]) -> None:
        self._tails = _tails(settings.topics)
        self._present, self._history = (
            [TopicPartition(name, number) for name in names for number in range(settings.partitions)] for names in (present, history)
        )
        self._partitions = {_name(partition): partition for partition in (*self._present, *self._history)}
        self._ends: Positions = {}
        """As they were when we began: the brokers tell later ones with the records that they hand out."""
        self._first: dict[TopicPartition, int] = {}
        """Where present partitions must have come before history is read; empty once they have."""
        self._again: dict[TopicPartition, int] = {}
        """Partitions of alerts that are read again, as history is, and where they stood before."""
        self._alerts = settings.topics.alerts
        self._consumer = AIOKafkaConsumer(
            **kafka(settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_BYTES_MAX,
        )

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            aiokafka.errors.KafkaConnectionError: if no broker answers.
        """
        try:
            await self._consumer.start()
        except BaseException:
            await stop_consumer(self._consumer)
            raise
        self._consumer.assign(list(self._partitions.values()))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect."""
        await stop_consumer(self._consumer)

    async def ends(self) -> dict[str, int]:
        """The offset after the last committed record of every partition."""
        ends = await self._consumer.end_offsets(list(self._partitions.values()))
        return {name: ends[partition] for name, partition in self._partitions.items()}

    async def starts(self, ends: Positions) -> dict[str, int]:
        """Where a new view begins to read."""
        begins = await self._consumer.beginning_offsets(list(self._partitions.values()))
        return {
            name: max(begins[partition], ends[name] - self._tails[partition.topic]) if partition.topic in self._tails else begins[partition]
            for name, partition in self._partitions.items()
        }

    def seek(self, positions: Positions, ends: Positions) -> None:
        """Read on from `positions`; history once all that is present was read up to `ends`."""
        self._ends = ends
        self._again.clear()
        for name, partition in self._partitions.items():
            self._consumer.seek(partition, positions[name])
        self._first = {
            partition: ends[_name(partition)] for partition in self._present if positions[_name(partition)] < ends[_name(partition)]
        }
        if self._first:
            self._consumer.pause(*self._history)
        else:
            self._consumer.resume(*self._history)

    async def again(self, positions: Positions) -> dict[str, int]:
        """Go back in the alerts, of which a new view was given the end alone; where they are read from now.

        What is read twice comes to the same. Meanwhile new alerts of these partitions come after the old ones: for some seconds, once.
        """
        alerts = [partition for partition in self._present if partition.topic == self._alerts]
        begins = await self._consumer.beginning_offsets(alerts)
        found: dict[str, int] = {}
        for partition in alerts:
            stands = positions[_name(partition)]
            from_offset = max(begins[partition], stands - ALERTS_AGAIN)
            if from_offset < stands:
                found[_name(partition)], self._again[partition] = from_offset, stands
                self._consumer.seek(partition, from_offset)
        return found

    @property
    def begins(self) -> bool:
        """Whether something is not read yet that was so when we began."""
        return bool(self._first)

    async def batch(self, wait_seconds: float) -> Batch:
        """The next records, by `topic:partition`; empty if none came within `wait_seconds`."""
        present = [partition for partition in self._present if partition not in self._again]
        found = await self._consumer.getmany(*present, max_records=BATCH_RECORDS_MAX)
        await self._let_history_follow()
        if not self._first:
            past = (*self._history, *self._again)
            found |= await self._consumer.getmany(*past, max_records=_HISTORY_RECORDS_MAX)
        if not found:
            found = await self._consumer.getmany(timeout_ms=round(wait_seconds * 1000), max_records=BATCH_RECORDS_MAX)
        return {_name(partition): records for partition, records in found.items()}

    async def _let_history_follow(self) -> None:
        for partition, stood in list(self._again.items()):
            if await self._consumer.position(partition) >= stood:
                del self._again[partition]
        if not self._first:
            return
        for partition, end in list(self._first.items()):
            if await self._consumer.position(partition) >= end:
                del self._first[partition]
        if not self._first:
            self._consumer.resume(*self._history)

    async def lag_records(self) -> int:
        """How many offsets of what is present lie between what was read and the end of what is committed, as far as the brokers told."""
        return await self._lag(partition for partition in self._present if partition not in self._again)

    async def history_left(self) -> int:
        """The same of history."""
        return await self._lag((*self._history, *self._again))

    async def _lag(self, partitions: Iterable[TopicPartition]) -> int:
        lag = 0
        for partition in partitions:
            end = max(self._consumer.last_stable_offset(partition) or 0, self._ends[_name(partition)])
            lag += max(0, end - await self._consumer.position(partition))
        return lag


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}:{partition.partition}"
