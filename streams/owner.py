"""The owner: which partition numbers this worker holds, and everything that is done to all of them.

The store calls `assign` while a rebalance is under way, the agent `apply`, the timer `tick`, the transport `leave`.
"""

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Final, NamedTuple, NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from models.clock import now_ms
from models.settings import Settings
from streams.answers import receive_in_place
from streams.connection import kafka
from streams.engine import Budget, Engine, EngineConfig
from streams.engine.letters import SourceRecord
from streams.errors import CommitError, StateError
from streams.failpoints import hit
from streams.health.worker_metrics import WorkerMetrics
from streams.holding import Holding, losses, new_producer, read_changelog

__all__ = ["INVARIANT_EXIT", "Owner", "end_process"]

log = structlog.stdlib.get_logger("outwatch.worker")

INVARIANT_EXIT: Final = 4
"""The exit code of a worker that ended itself without committing."""

_TURN_SECONDS: Final = 0.005
"""A run or an advance yields to the others after this long. A commit takes some tens of steps, each of which waits for such a turn: at
50 ms a backlog made commits of five seconds, and on a busy machine of fifteen, at which the broker gives a transaction up."""
_SLACK_MS: Final = 125
"""Half the time between two ticks."""
_RECOVERY_SECONDS: Final = 120.0


def end_process(why: str, error: BaseException | None = None) -> NoReturn:
    """End the worker at once, without committing: a supervisor starts the next, which reads what was committed."""
    log.critical("worker ends", why=why, exc_info=error)
    logging.shutdown()
    os._exit(INVARIANT_EXIT)


class _TakeOver(NamedTuple):
    """What was taken over, and how long its parts took."""

    took_over: list[int]
    """Partition numbers."""
    records: int
    """Of their changelogs, those that others replaced and tombstones included."""
    fence_seconds: float
    read_seconds: float
    rebuild_seconds: float


_NOTHING: Final = _TakeOver([], 0, 0.0, 0.0, 0.0)


class Owner:
    """Of one worker."""

    def __init__(self, settings: Settings, config: EngineConfig, changelog: str, rebalancing: Callable[[], bool]) -> None:
        self._settings = settings
        self._config = config
        self._changelog = changelog
        self._rebalancing = rebalancing
        self.metrics = WorkerMetrics()
        self.holdings: dict[int, Holding] = {}
        self._assigned_ms = 0
        """When state was last taken over, or found to be held."""
        self.accepting = False
        """Whether runs are applied; what is queued while not is dropped, and read again from the applied position."""

    async def assign(self, numbers: set[int], sources: set[tuple[str, int]]) -> None:
        """Hold exactly these partition numbers: fence, read and rebuild those that are new; ends the process on failure.

        Args:
            numbers: the partitions of the changelog that were assigned.
            sources: all that was assigned, as (topic, partition): a number is held with all its sources or not at all.
        """
        apart = {(topic, number) for topic in self._config.topics.subscribed for number in numbers} - sources
        if apart:
            remedy = "do all workers run the same release, and is the topic there?"
            end_process(f"the group gave {sorted(apart)[:3]} to another worker than their state, or to none: {remedy}")
        try:
            async with asyncio.timeout(_RECOVERY_SECONDS):
                await self._assign(numbers)
        except asyncio.CancelledError:
            raise  # The worker was told to stop meanwhile, and has nothing of this to commit.
        except Exception as error:  # noqa: BLE001 - Faust would swallow it and report ready with an empty state
            end_process("recovery failed", error)

    async def _assign(self, numbers: set[int]) -> None:
        begun = perf_counter()
        for number in self.holdings.keys() - numbers:
            await self._drop(number)
        # Who has nothing has nothing to read; a reader stopped before its tasks had a turn would also raise CancelledError.
        took = await self._take_over(numbers) if numbers else _NOTHING
        self.accepting, self._assigned_ms = True, now_ms()
        took_seconds = perf_counter() - begun
        self.metrics.recovered(took_seconds)
        parts = {name: each if name == "records" else round(each, 2) for name, each in took._asdict().items() if name != "took_over"}
        log.info("assigned", holds=sorted(self.holdings), took_over=took.took_over, seconds=round(took_seconds, 2), **parts)

    async def _take_over(self, numbers: set[int]) -> "_TakeOver":
        """Fence and read what is new or was written by others since we read it."""
        laps = [perf_counter()]
        reader = AIOKafkaConsumer(
            **kafka(self._settings),
            isolation_level="read_committed",
            # What is taken in is copied some times: in memory that was used before it costs a third less than in ever new one.
            fetch_max_bytes=8 << 20,
            # A broker answers one request of a connection after another: who asks for offsets waits for the fetch before.
            fetch_max_wait_ms=20,
            enable_auto_commit=False,
        )
        await reader.start()
        receive_in_place(reader)
        # A million rows are millions of objects, none of them in a cycle: to look for one again and again took a fifth of the time.
        gc.disable()
        try:
            ends = await reader.end_offsets([TopicPartition(self._changelog, number) for number in numbers])
            for number in list(self.holdings):
                if ends[TopicPartition(self._changelog, number)] != self.holdings[number].end:
                    await self._drop(number)
            new = [self._new(number) for number in sorted(numbers - self.holdings.keys())]
            holdings = {holding.partition: holding for holding in new}
            await asyncio.gather(*(holding.producer.start() for holding in new))
            hit("recovery.fenced")
            laps.append(perf_counter())
            records = await read_changelog(reader, new)
            laps.append(perf_counter())
            for holding in new:
                self._open(holding)
                await asyncio.sleep(0)
            for number, lost in (await losses(reader, [each for each in new if each.refused is None])).items():
                self.refuse(holdings[number], lost)
            self.holdings |= holdings
        finally:
            # Told apart from what is young, or the next look for cycles would go through all of it.
            gc.freeze()
            gc.unfreeze()
            gc.enable()
            await reader.stop()
        begun, fenced, read = laps
        return _TakeOver([holding.partition for holding in new], records, fenced - begun, read - fenced, perf_counter() - read)

    def _new(self, number: int) -> Holding:
        producer = new_producer(self._settings, number)
        return Holding(number, Engine(number, self._config), producer, self._changelog, self._settings.app_id)

    def _open(self, holding: Holding) -> None:
        """Make the rows the state; one that we must not go on with refuses the partition, loudly."""
        try:
            holding.engine.loaded()
            holding.counted = holding.engine.counters
        except StateError as error:
            self.refuse(holding, str(error))

    def refuse(self, holding: Holding, why: str) -> None:
        """Process nothing more of a partition: it is not ready, and stays so until an operator does what the text says."""
        holding.refused = why
        log.error("partition is refused", partition=holding.partition, why=why)

    async def _drop(self, number: int) -> None:
        holding = self.holdings.pop(number, None)
        if holding is not None:
            await holding.producer.stop()

    def end_of(self, number: int) -> int | None:
        """The changelog's end as this worker left or read it; None for a number that it does not hold."""
        holding = self.holdings.get(number)
        return None if holding is None else holding.end

    def positions(self) -> dict[tuple[str, int], int | None]:
        """Where each source is to be read from: by (topic, partition); None for its beginning."""
        topics = self._config.topics.subscribed
        return {(topic, number): holding.engine.applied.get(topic) for number, holding in self.holdings.items() for topic in topics}

    @property
    def _interval_ms(self) -> float:
        return self._settings.commit_interval_seconds * 1000

    @property
    def _open_for_runs(self) -> bool:
        """Faust hands on runs of before a rebalance until it has cleared its queues; they will be read again."""
        return self.accepting and not self._rebalancing()

    async def apply(self, topic: str, number: int, follows: int, records: Sequence[SourceRecord]) -> None:
        """Apply a run, in turns; what breaks an invariant ends the process."""
        holding = self.holdings.get(number)
        if not self._open_for_runs or holding is None or holding.refused is not None:
            return
        try:
            begun = perf_counter()
            for _ in holding.engine.apply(topic, follows, records, now_ms()):
                if perf_counter() - begun > _TURN_SECONDS:
                    await asyncio.sleep(0)
                    if not self._open_for_runs:
                        return  # The rest will be read again, from the record that we stopped at.
                    begun = perf_counter()
            if topic in self._config.topics.sources:
                holding.applied(records[0].timestamp, records[-1].timestamp)
        except Exception as error:  # noqa: BLE001 - Faust would acknowledge the run and go on
            end_process(f"{topic}[{number}] could not be applied", error)

    async def tick(self, idle: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        """Move the frontiers on by what the broker answered, close what is due, and commit where it is time.

        Args:
            idle: by (topic, partition) of which all is applied: when the broker had nothing more, and the position of reading then.
        """
        begun = perf_counter()
        for holding in list(self.holdings.values()):
            if holding.refused is not None:
                continue
            for topic in self._config.topics.subscribed:
                end = idle.get((topic, holding.partition))
                if end is not None:
                    holding.engine.idle(topic, end[0])
                    holding.engine.passed(topic, end[1])
            for _ in holding.engine.advance():
                if perf_counter() - begun > _TURN_SECONDS:
                    await asyncio.sleep(0)
                    if not self._open_for_runs:
                        return
                    begun = perf_counter()
        await self.commit(everything=False)

    async def commit(self, *, everything: bool) -> None:
        """Commit the holdings whose interval is over or that have something urgent, side by side; or all of them."""
        # Commits are an interval apart from start to start; a timer that comes a little early is on time.
        now, interval_ms = now_ms(), self._interval_ms - _SLACK_MS
        due = [
            holding
            for holding in self.holdings.values()
            if holding.refused is None and (everything or holding.engine.urgent or now - holding.committed_ms >= interval_ms)
        ]
        results = await asyncio.gather(*(self._commit(holding) for holding in due), return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    def _budget(self, holding: Holding, now: int) -> Budget:
        """Its share of what the worker may publish in the time since its last commit began; of two intervals at most, after a pause.

        All of a start's figures are due at once: it serves sooner when they come one after the other.
        """
        since_seconds = min(now - (holding.committed_ms or self._assigned_ms), 2 * self._interval_ms) / 1000
        share = since_seconds / max(1, len(self.holdings))
        return Budget(
            records=max(1, round(self._settings.max_records_per_second * share)),
            bytes=max(1, round(self._settings.max_bytes_per_second * share)),
        )

    async def _commit(self, holding: Holding) -> None:
        now = now_ms()
        budget, holding.committed_ms = self._budget(holding, now), now
        try:
            commit = await holding.commit(budget, self.metrics)
        except CommitError as error:
            if not self._rebalancing():
                end_process("a commit was refused", error)
            log.warning("commit refused during a rebalance: the partition is read anew", partition=holding.partition, error=str(error))
            if self.holdings.get(holding.partition) is holding:
                await self._drop(holding.partition)
            return
        for transition in () if commit is None else commit.transitions:
            log.info("transition", **transition)

    async def leave(self) -> None:
        """Before partitions are revoked, and at the end: accept nothing more, and commit what was applied."""
        log.info("leaves", holds=sorted(self.holdings))
        self.accepting = False
        await self.commit(everything=True)

    async def close(self) -> None:
        """Stop the producers, once nothing will be committed any more."""
        for number in list(self.holdings):
            await self._drop(number)
