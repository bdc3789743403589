"""Kafka in memory: logs with offsets, transactions with markers, fencing by epoch, and trouble.

Every call is a trip over the network: others run meanwhile, its caller may be killed or stopped on either side of it, and it may fail.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, NotLeaderForPartitionError, ProducerFenced

__all__ = ["Caller", "Cluster", "Killed", "SimConsumer", "SimProducer", "SimRecord"]

_BATCH_RECORDS = 40
_TROUBLE: tuple[type[KafkaError], ...] = (KafkaConnectionError, KafkaTimeoutError, NotLeaderForPartitionError)


class Killed(BaseException):
    """The process of the caller is gone: nothing after this happens."""


class Caller(Protocol):
    """The process that a client belongs to."""

    async def trip(self) -> None:
        """Let others run; raises Killed where the process is gone before or after."""

    def alive(self) -> None:
        """Raise Killed where the process is gone."""


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


class Landed(NamedTuple):
    """A transaction that was committed."""

    id: str
    offsets: dict[TopicPartition, int]
    """Of the sources."""
    records: list[SimRecord]


@dataclass
class Cluster:
    """Topics by (name, partition); a log holds None where a marker, an aborted or a compacted record lies."""

    random: Random
    logs: dict[TopicPartition, list[SimRecord | None]] = field(default_factory=dict)
    starts: dict[TopicPartition, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    open: dict[str, "SimProducer"] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    landed: list[Landed] = field(default_factory=list)
    clock: Callable[[], int] = int
    """Wall time in ms."""
    jump: Callable[[float], None] = print
    """Lets seconds pass in which nothing runs."""
    latency: float = 0.1
    """How long a call takes, in turns of a worker's loops."""
    trouble: float = 0.0
    """How likely a call fails."""
    failures: int = 0

    def copied(self, random: Random) -> "Cluster":
        """The same logs, offsets and epochs, to go on from in another way."""
        logs = {tp: list(log) for tp, log in self.logs.items()}
        return Cluster(random, logs, dict(self.starts), dict(self.epochs), {}, dict(self.committed))

    def log(self, tp: TopicPartition) -> list[SimRecord | None]:
        """From offset 0."""
        return self.logs.setdefault(tp, [])

    def end(self, tp: TopicPartition) -> int:
        """Up to where a read_committed reader may read: the first offset of an open transaction, or the log's end."""
        end = len(self.log(tp))
        for producer in self.open.values():
            end = min(end, min((first for sent, _, first in producer.sent if sent == tp), default=end))
        return end

    def append(self, tp: TopicPartition, key: bytes | None, value: bytes | None, at_ms: int) -> None:
        """Write a record outside of any transaction."""
        log = self.log(tp)
        log.append(SimRecord(tp.topic, tp.partition, len(log), at_ms, key, value, []))

    def read(self, topic: str, partition: int) -> list[SimRecord]:
        """What a read_committed reader sees."""
        return [record for record in self.log(TopicPartition(topic, partition)) if record is not None]

    def compact(self, tp: TopicPartition) -> None:
        """Keep of each key the newest record, as far as it is committed."""
        log, newest = self.log(tp), set[bytes | None]()
        for offset in range(self.end(tp) - 1, -1, -1):
            record = log[offset]
            if record is not None and record.key in newest:
                log[offset] = None
            elif record is not None:
                newest.add(record.key)

    def time_out(self) -> None:
        """Abort whatever transaction is open, as the coordinator does after its timeout: its producer is fenced."""
        for name, producer in list(self.open.items()):
            producer.abort()
            self.epochs[name] += 1

    def fail(self) -> None:
        """Raise what a client raises where a broker is away, at the rate of the present trouble."""
        if self.trouble and self.random.random() < self.trouble:
            self.failures += 1
            msg = "simulated"
            raise self.random.choice(_TROUBLE)(msg)


@dataclass
class SimBatch:
    """Records that go together, as few as make a commit several batches."""

    records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = field(default_factory=list)

    def append(self, *, timestamp: None, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> object | None:
        """Take a record; None where the batch is full."""
        if len(self.records) == _BATCH_RECORDS:
            return None
        self.records.append((key, value, headers))
        return self

    def close(self) -> None:
        """Nothing is added after this."""

    def record_count(self) -> int:
        """How many it holds."""
        return len(self.records)


class _Metadata(NamedTuple):
    offset: int


class SimProducer:
    """One transactional producer; what it sends has its offset at once, and is seen when it commits, or never when it aborts."""

    def __init__(self, cluster: Cluster, transactional_id: str, caller: Caller) -> None:
        self.sent: list[tuple[TopicPartition, SimBatch, int]] = []
        self._cluster = cluster
        self._id = transactional_id
        self._caller = caller
        self._epoch = -1
        self._offsets: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Fence whoever had this id, and abort what it left open."""
        await self._caller.trip()
        self._cluster.fail()
        before = self._cluster.open.get(self._id)
        if before is not None:
            before.abort()
        self._epoch = self._cluster.epochs[self._id] = self._cluster.epochs.get(self._id, 0) + 1
        await self._caller.trip()

    async def stop(self) -> None:
        """What it left open stays open."""
        self._caller.alive()

    def _fence(self) -> None:
        if self._cluster.epochs[self._id] != self._epoch:
            raise ProducerFenced

    def _close(self) -> None:
        """Write the markers."""
        for tp in dict.fromkeys(tp for tp, *_ in self.sent):
            self._cluster.log(tp).append(None)
        self.sent.clear()
        self._offsets = {}
        self._cluster.open.pop(self._id, None)

    def abort(self) -> None:
        """Nothing of the open transaction will be seen."""
        self._close()

    @asynccontextmanager
    async def transaction(self) -> Any:
        """As aiokafka: committed at the end, aborted where something is raised, left open where its end cannot be written."""
        await self._caller.trip()
        self._fence()
        self._cluster.open[self._id] = self
        try:
            yield
        except Exception:
            await self._caller.trip()
            self._fence()
            self.abort()
            raise
        await self._caller.trip()
        self._fence()
        self._cluster.fail()
        self._land()
        await self._caller.trip()
        self._cluster.fail()  # It landed, and nobody was told.

    def _land(self) -> None:
        records = []
        for tp, batch, first in self.sent:
            log = self._cluster.log(tp)
            for offset, (key, value, headers) in enumerate(batch.records, first):
                log[offset] = record = SimRecord(tp.topic, tp.partition, offset, self._cluster.clock(), key, value, headers)
                records.append(record)
        self._cluster.committed.update(self._offsets)
        self._cluster.landed.append(Landed(self._id, self._offsets, records))
        self._close()

    def create_batch(self) -> SimBatch:
        """An empty one."""
        return SimBatch()

    async def send_batch(self, batch: SimBatch, topic: str, *, partition: int) -> "asyncio.Future[_Metadata]":
        """Take it; the broker may refuse it later, which only the future tells."""
        self._caller.alive()
        if self._cluster.random.random() < 0.3:
            await self._caller.trip()
        self._fence()
        assert self._id in self._cluster.open, "sent outside of a transaction"
        delivered: asyncio.Future[_Metadata] = asyncio.get_running_loop().create_future()
        try:
            self._cluster.fail()
        except KafkaError as error:
            delivered.set_exception(error)
            delivered.exception()  # Whoever does not ask must be found out by what is missing, not by a warning.
            return delivered
        tp = TopicPartition(topic, partition)
        log = self._cluster.log(tp)
        self.sent.append((tp, batch, len(log)))
        delivered.set_result(_Metadata(len(log)))
        log.extend([None] * batch.record_count())
        return delivered

    async def send_offsets_to_transaction(self, offsets: dict[TopicPartition, int], group: str) -> None:
        """They are committed with the rest."""
        await self._caller.trip()
        self._fence()
        self._cluster.fail()
        self._offsets.update(offsets)


class SimConsumer:
    """A read_committed reader of assigned partitions."""

    def __init__(self, cluster: Cluster, caller: Caller) -> None:
        self._cluster = cluster
        self._caller = caller
        self._positions: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Connect."""
        await self._caller.trip()
        self._cluster.fail()

    async def stop(self) -> None:
        """Disconnect."""
        self._caller.alive()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these from their starts."""
        self._positions = {tp: self._cluster.starts.get(tp, 0) for tp in partitions}

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        """Read these from their starts again."""
        self._positions.update({tp: self._cluster.starts.get(tp, 0) for tp in partitions})

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """By partition, where its log begins."""
        await self._caller.trip()
        self._cluster.fail()
        return {tp: self._cluster.starts.get(tp, 0) for tp in partitions}

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """By partition, up to where it may be read."""
        await self._caller.trip()
        self._cluster.fail()
        return {tp: self._cluster.end(tp) for tp in partitions}

    async def position(self, partition: TopicPartition) -> int:
        """The next offset to be read."""
        return self._positions[partition]

    async def getmany(self, *_: Any, timeout_ms: int = 0) -> dict[TopicPartition, list[list[SimRecord]]]:
        """Some records of each partition, in one batch."""
        await self._caller.trip()
        self._cluster.fail()
        found: dict[TopicPartition, list[list[SimRecord]]] = {}
        for tp, position in self._positions.items():
            upto = max(position, min(self._cluster.end(tp), position + self._cluster.random.randint(1, 100)))
            records = [record for record in self._cluster.log(tp)[position:upto] if record is not None]
            self._positions[tp] = upto
            if records:
                found[tp] = [records]
        return found
