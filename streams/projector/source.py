"""The topics that the view is made of, read as committed, by offsets that we keep ourselves."""

from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.settings import Settings
from models.topics import Topics
from models.view import TRANSITIONS_MAX
from streams.connection import kafka
from streams.projector.store import Positions

__all__ = ["BATCH_RECORDS_MAX", "Source"]

BATCH_RECORDS_MAX: Final = 500
FETCH_BYTES_MAX: Final = 8 << 20
"""What is held in memory while Redis is away, beside the batch: nothing is fetched further then."""

_HEARTBEATS_READ: Final = 100


def _tails(topics: Topics) -> dict[str, int]:
    """Of these only the end is worth reading for a new view, in offsets: each commit takes one more for its marker."""
    return {topics.alerts: 2 * TRANSITIONS_MAX, topics.heartbeats: _HEARTBEATS_READ}


class Source:
    """A consumer without a group: what was read is known to the view alone."""

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self._tails = _tails(settings.topics)
        self._partitions = {f"{name}:{number}": TopicPartition(name, number) for name in names for number in range(settings.partitions)}
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
            await self._consumer.stop()
            raise
        self._consumer.assign(list(self._partitions.values()))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect."""
        await self._consumer.stop()

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

    def seek(self, positions: Positions) -> None:
        """Read on from `positions`."""
        for name, partition in self._partitions.items():
            self._consumer.seek(partition, positions[name])

    async def batch(self, wait_seconds: float) -> dict[str, list[ConsumerRecord[bytes, bytes]]]:
        """The next records, by `topic:partition`; empty if none came within `wait_seconds`."""
        found = await self._consumer.getmany(timeout_ms=round(wait_seconds * 1000), max_records=BATCH_RECORDS_MAX)
        return {f"{partition.topic}:{partition.partition}": records for partition, records in found.items()}

    async def lag_records(self) -> int:
        """How many offsets lie between what was read and the end of what is committed, as far as the brokers told."""
        lag = 0
        for partition in self._partitions.values():
            end = self._consumer.last_stable_offset(partition)
            if end is not None and end > 0:
                lag += max(0, end - await self._consumer.position(partition))
        return lag
