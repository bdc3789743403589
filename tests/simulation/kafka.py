"""Kafka in memory: logs with offsets, transactions with markers, fencing by epoch. Every call may be the last of its caller."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

__all__ = ["Cluster", "Killed", "SimConsumer", "SimProducer", "SimRecord"]


_BATCH_RECORDS = 40


class Killed(BaseException):
    """The process of the caller is gone: nothing after this happens."""


@dataclass(slots=True)
class SimRecord:
    """A record as aiokafka hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass
class Cluster:
    """Topics by (name, partition); a log holds None where a marker or an aborted record lies."""

    random: Random
    logs: dict[TopicPartition, list[SimRecord | None]] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    open: dict[str, "SimProducer"] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    now_ms: int = 1_760_000_000_000

    def log(self, tp: TopicPartition) -> list[SimRecord | None]:
        return self.logs.setdefault(tp, [])

    def append(self, tp: TopicPartition, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]] = ()) -> int:
        log = self.log(tp)
        log.append(SimRecord(tp.topic, tp.partition, len(log), self.now_ms, key, value, list(headers)))
        return len(log) - 1

    def read(self, tp: TopicPartition) -> list[SimRecord]:
        """What a read_committed reader sees."""
        return [record for record in self.log(tp) if record is not None]


@dataclass
class SimBatch:
    """Records that go together, as few as make a commit several batches."""

    records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = field(default_factory=list)

    def append(self, *, timestamp: None, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> object | None:
        if len(self.records) == _BATCH_RECORDS:
            return None
        self.records.append((key, value, headers))
        return self

    def close(self) -> None:
        """Nothing is added after this."""

    def record_count(self) -> int:
        return len(self.records)


class SimProducer:
    """One transactional producer; what it sends has its offset at once, and is seen when it commits, or never when it aborts."""

    def __init__(self, cluster: Cluster, transactional_id: str, alive: Callable[[], None]) -> None:
        self._cluster = cluster
        self._id = transactional_id
        self._alive = alive
        self._epoch = -1
        self._sent: list[tuple[TopicPartition, SimBatch, int]] = []
        self._offsets: dict[TopicPartition, int] = {}

    async def _step(self) -> None:
        """A round trip: others run, and either side of it the process may have been killed."""
        self._alive()
        await asyncio.sleep(self._cluster.random.random() * 0.01)
        self._alive()

    async def start(self) -> None:
        await self._step()
        before = self._cluster.open.pop(self._id, None)
        if before is not None:
            before._abort()
        self._epoch = self._cluster.epochs[self._id] = self._cluster.epochs.get(self._id, 0) + 1
        await self._step()

    async def stop(self) -> None:
        self._alive()

    def _fence(self) -> None:
        if self._cluster.epochs[self._id] != self._epoch:
            raise ProducerFenced

    def _abort(self) -> None:
        for tp in {tp for tp, *_ in self._sent}:
            self._cluster.log(tp).append(None)
        self._sent.clear()
        self._offsets.clear()

    @asynccontextmanager
    async def transaction(self) -> Any:
        await self._step()
        self._fence()
        self._cluster.open[self._id] = self
        yield
        await self._step()
        self._fence()
        for tp, batch, first in self._sent:
            for offset, (key, value, headers) in enumerate(batch.records, first):
                self._cluster.log(tp)[offset] = SimRecord(tp.topic, tp.partition, offset, self._cluster.now_ms, key, value, headers)
        for tp in {tp for tp, *_ in self._sent}:
            self._cluster.log(tp).append(None)
        self._cluster.committed.update(self._offsets)
        self._sent.clear()
        self._offsets.clear()
        del self._cluster.open[self._id]
        await self._step()

    def create_batch(self) -> "SimBatch":
        return SimBatch()

    async def send_batch(self, batch: "SimBatch", topic: str, *, partition: int) -> "asyncio.Future[Any]":
        self._alive()
        if self._cluster.random.random() < 0.3:
            await self._step()
        self._fence()
        log = self._cluster.log(TopicPartition(topic, partition))
        self._sent.append((TopicPartition(topic, partition), batch, len(log)))
        delivered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        delivered.set_result(type("Metadata", (), {"offset": len(log)}))
        log.extend([None] * batch.record_count())
        return delivered

    async def send_offsets_to_transaction(self, offsets: dict[TopicPartition, int], group: str) -> None:
        await self._step()
        self._fence()
        self._offsets.update(offsets)


class SimConsumer:
    """A read_committed reader of assigned partitions."""

    def __init__(self, cluster: Cluster, alive: Callable[[], None]) -> None:
        self._cluster = cluster
        self._alive = alive
        self._positions: dict[TopicPartition, int] = {}

    async def _step(self) -> None:
        self._alive()
        await asyncio.sleep(self._cluster.random.random() * 0.01)
        self._alive()

    async def start(self) -> None:
        await self._step()

    async def stop(self) -> None:
        self._alive()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self._positions = dict.fromkeys(partitions, 0)

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        self._positions.update(dict.fromkeys(partitions, 0))

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        await self._step()
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        await self._step()
        return {each: len(self._cluster.log(each)) for each in partitions}

    async def position(self, partition: TopicPartition) -> int:
        return self._positions[partition]

    async def getmany(self, *_: Any, timeout_ms: int = 0) -> dict[TopicPartition, list[SimRecord]]:
        await self._step()
        found: dict[TopicPartition, list[SimRecord]] = {}
        for partition, position in self._positions.items():
            upto = min(len(self._cluster.log(partition)), position + self._cluster.random.randint(1, 50))
            records = [record for record in self._cluster.log(partition)[position:upto] if record is not None]
            self._positions[partition] = upto
            if records:
                found[partition] = records
        return found
