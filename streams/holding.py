"""A holding: one partition number that this worker owns, with its engine, its transactional producer and its changelog.

Whoever starts the producer of a number fences the former owner for good. Rows, records and source offsets of a commit go in one
transaction; when one fails, the holding is worthless and is read anew from the changelog, here or elsewhere.
"""

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from models.clock import now_ms
from models.settings import Settings
from streams.batches import Batch, Record, send_in_batches
from streams.connection import kafka
from streams.engine import Budget, Commit, Engine
from streams.errors import CommitError
from streams.failpoints import hit
from streams.fetched import records_of, whole_batches
from streams.health.worker_metrics import Arrivals, WorkerMetrics

__all__ = ["Holding", "loss", "losses", "new_producer", "read_changelog"]


@dataclass(slots=True, eq=False)
class Holding:
    """Owned by `streams.owner`."""

    partition: int
    engine: Engine
    producer: AIOKafkaProducer
    changelog: str
    group: str
    end: int = -1
    """The changelog's end after our last commit: where it differs, somebody else wrote."""
    refused: str | None = None
    """Why the partition is not processed; its sources stay paused while the others go on."""
    broken: bool = False
    """A commit was refused, or cut off: what the engine drained for it is nowhere, and nothing may be committed on top of that."""
    committed_ms: int = 0
    """When its last commit began."""
    rounds: int = 0
    """Rounds of committing that ended well, those with nothing to say included: the watchdog sees them move."""
    counted: dict[str, int] = field(default_factory=dict)
    """The engine's counters as of the last commit."""
    arrivals: Arrivals | None = None
    """Of what was applied since the last commit."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Two transactions of one producer must not overlap."""

    def applied(self, first_ms: int, last_ms: int) -> None:
        """A run of events was applied; `first_ms` and `last_ms` are its record timestamps."""
        self.arrivals = (self.arrivals or Arrivals(first_ms, first_ms)).with_run(first_ms, last_ms)

    async def commit(self, budget: Budget, metrics: WorkerMetrics) -> Commit | None:
        """Write what the engine has to say in one transaction; None where there was nothing.

        Raises:
            CommitError: if Kafka refused it, or its client gave it up; the engine is ahead of the log then, and must be thrown away.
        """
        async with self.lock:
            if self.broken:
                return None  # Whoever waited here for a commit that was refused must not commit what came after it.
            commit = self.engine.drain(now_ms(), budget)
            if commit is None:
                self.rounds += 1
                return None
            counted, self.counted = self.counted, self.engine.counters
            arrivals, self.arrivals = self.arrivals, None
            begun = perf_counter()
            hit("commit.before")
            number = self.partition
            try:
                async with self.producer.transaction():
                    batches = await self._send(commit)
                    hit("commit.inside")
                    offsets = {TopicPartition(topic, number): offset for topic, offset in commit.offsets.items()}
                    if offsets:
                        await self.producer.send_offsets_to_transaction(offsets, self.group)
                    # A batch that the broker refuses fails alone: the client would commit the transaction without it.
                    delivered = await asyncio.gather(*(batch.delivered for batch in batches))
                # The rows come last, and the transaction's marker follows them.
                self.end = delivered[-1].offset + batches[-1].size + 1
            except (KafkaError, AssertionError) as error:
                self.broken = True
                msg = f"partition {number}: commit {commit.sequence} was refused: {error!r}"
                raise CommitError(msg) from error
            except asyncio.CancelledError as error:
                self.broken = True
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Nobody told us to stop: the client gave up something of its own, and who calls us would end without a word.
                msg = f"partition {number}: commit {commit.sequence} was cut off by the client"
                raise CommitError(msg) from error
            hit("commit.after")
            self.rounds += 1
            metrics.counted(counted, self.counted)
            metrics.committed(commit, arrivals, now_ms(), perf_counter() - begun)
            return commit

    async def _send(self, commit: Commit) -> list[Batch]:
        """Hand a commit to the client, the rows of the state last: there is at least the one that names the offsets."""
        topics: dict[str, list[Record]] = {}
        for output in commit.records:
            topics.setdefault(output.topic, []).append((output.key, output.value, output.headers))
        topics[self.changelog] = [(key, value, []) for key, value in commit.rows]
        batches: list[Batch] = []
        for topic, records in topics.items():
            batches += await send_in_batches(self.producer, topic, self.partition, records)
        return batches


def new_producer(settings: Settings, name: int | str) -> AIOKafkaProducer:
    """The transactional producer of a partition number, or of another `name`; starting it fences whoever had it."""
    return AIOKafkaProducer(
        **kafka(settings),
        transactional_id=f"{settings.app_id}-{name}",
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=6 << 20,
        transaction_timeout_ms=15_000,
        request_timeout_ms=10_000,
    )


async def read_changelog(reader: AIOKafkaConsumer, holdings: list[Holding]) -> int:
    """Read the changelogs of new holdings from the start to the end, in runs, into their engines; returns how many records that were."""
    by_partition = {TopicPartition(holding.changelog, holding.partition): holding for holding in holdings}
    if not by_partition:
        return 0
    count = 0
    whole_batches(reader, by_partition.__contains__)
    reader.assign(list(by_partition))
    await reader.seek_to_beginning(*by_partition)
    ends = await reader.end_offsets(list(by_partition))
    open_partitions = set(by_partition)
    while open_partitions:
        for partition, batches in (await reader.getmany(timeout_ms=200)).items():
            records = records_of(batches)
            by_partition[partition].engine.load(records)
            count += len(records)
            await asyncio.sleep(0)
        hit("recovery.read")
        open_partitions = {each for each in open_partitions if await reader.position(each) < ends[each]}
    for partition, holding in by_partition.items():
        holding.end = ends[partition]
    return count


async def losses(reader: AIOKafkaConsumer, holdings: list[Holding]) -> dict[int, str]:
    """By partition number, what is to be read next and is not there: before a log's start, or beyond its end.

    All is asked at once: the broker's answer to each question waits for that to a fetch.
    """
    wanted = {
        TopicPartition(topic, holding.partition): position for holding in holdings for topic, position in holding.engine.applied.items()
    }
    if not wanted:
        return {}
    starts = await reader.beginning_offsets(list(wanted))
    ends = await reader.end_offsets(list(wanted))
    found = {each: loss(each.topic, each.partition, position, starts[each], ends[each]) for each, position in wanted.items()}
    return {each.partition: lost for each, lost in found.items() if lost is not None}


def loss(topic: str, partition: int, position: int, start: int, end: int) -> str | None:
    """What happened to a log, from `start` to `end`, in which `position` comes next, and what to do; None if it is there."""
    where = f"{topic}[{partition}]: applied up to {position}"
    if position < start:
        return f"{where}, but the log begins at {start}: retention passed first. Restore it, or start a new OUTWATCH_APP_ID"
    if position > end:
        return f"{where}, but the log ends at {end}: the topic was made anew. Start a new OUTWATCH_APP_ID for it"
    return None
