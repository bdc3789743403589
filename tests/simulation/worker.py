"""A simulated worker: the real owner, holdings and engines, with a fetch loop, an agent and a timer like those of the transport."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from models.settings import Settings
from streams.engine import EngineConfig
from streams.owner import Owner
from tests.simulation.kafka import Cluster, Killed, SimRecord
from tests.simulation.loop import nap

__all__ = ["ACTING", "CHANGELOG", "Worker"]

CHANGELOG = "sim-state-changelog"
ACTING: ContextVar["Worker"] = ContextVar("ACTING")
"""The worker whose code runs."""
_RUN_MAX = 12
_QUEUED_RUNS = 4

Run = tuple[TopicPartition, int, list[SimRecord]]
"""Partition, the position that it follows, records."""


@dataclass(eq=False)
class Worker:
    """One process: gone from the moment `dead` says so, whatever it was doing."""

    cluster: Cluster
    config: EngineConfig
    settings: Settings
    pace_seconds: float
    """Its loops take up to so long a turn; a call takes its share of it, the cluster's latency."""
    kill_rate: float
    """How likely it dies at an await."""
    idle_until_ms: int
    """Nothing is heard of what the brokers say after this."""
    name: str
    dead: bool = False
    paused: bool = False
    zombie: bool = False
    """It is not told of rebalances."""
    rebalancing: bool = True
    stale: list[str] = field(default_factory=list)
    """What others had written behind the states that it went on with after a rebalance."""
    owner: Owner = field(init=False)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    _positions: dict[TopicPartition, int] = field(default_factory=dict)
    _next: dict[TopicPartition, int] = field(default_factory=dict)
    _ends: dict[TopicPartition, tuple[int, int, int]] = field(default_factory=dict)
    _runs: deque[Run] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.owner = Owner(self.settings, self.config, CHANGELOG, lambda: self.rebalancing)

    def alive(self) -> None:
        """Raise Killed where the process is gone, or goes now."""
        if not self.dead and self.kill_rate and self.cluster.random.random() < self.kill_rate:
            self.dead = True
        if self.dead:
            raise Killed(self.name)

    async def trip(self) -> None:
        """A round trip, or a turn of others."""
        await self._wait(self.pace_seconds * self.cluster.latency)

    async def _wait(self, most_seconds: float) -> None:
        self.alive()
        await nap(self.cluster.random.random() * most_seconds)
        while self.paused:
            await nap(self.pace_seconds)
        self.alive()

    def start(self) -> None:
        """Begin the loops, which wait for partitions."""
        self.tasks = [asyncio.create_task(self._until_dead(step)) for step in (self._fetch, self._agent, self._timer)]

    async def _until_dead(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        ACTING.set(self)
        try:
            while True:
                await self._wait(self.pace_seconds)
                await step()
        except Killed:
            self.dead = True

    async def _fetch(self) -> None:
        """As the transport: policies first, runs into a bounded queue, and a note of what has been read to its end."""
        if self.rebalancing:
            return
        cluster, draw = self.cluster, self.cluster.random.random
        for tp in cluster.random.sample(list(self._positions), len(self._positions)):
            if draw() < 0.2 or not self._wanted(tp):
                continue
            position, end = self._positions[tp], cluster.end(tp)
            if position < end and len(self._runs) < _QUEUED_RUNS:
                upto = min(end, position + 1 + int(draw() * _RUN_MAX))
                run = [record for record in cluster.log(tp)[position:upto] if record is not None]
                self._positions[tp] = position = upto
                if run:
                    self._runs.append((tp, self._next[tp], run))
                    self._next[tp] = run[-1].offset + 1
            if position >= end:
                self._ends[tp] = (min(cluster.clock(), self.idle_until_ms), self._next[tp], position)

    def _wanted(self, tp: TopicPartition) -> bool:
        holding = self.owner.holdings.get(tp.partition)
        if holding is None or holding.refused is not None:
            return False
        policies = TopicPartition(self.config.topics.policies, tp.partition)
        return tp == policies or (policies in self._ends and self._applied(policies, self._ends[policies][1]))

    def _applied(self, tp: TopicPartition, upto: int) -> bool:
        holding = self.owner.holdings.get(tp.partition)
        return holding is not None and holding.engine.applied.get(tp.topic, 0) >= upto

    async def _agent(self) -> None:
        """Apply what is queued: also during a rebalance, until the queue is cleared."""
        while self._runs:
            tp, follows, run = self._runs.popleft()
            await self.owner.apply(tp.topic, tp.partition, follows, run)
            if self.cluster.random.random() < 0.3:
                await self._wait(self.pace_seconds)

    async def _timer(self) -> None:
        if self.owner.accepting and not self.rebalancing:
            idle = {
                (tp.topic, tp.partition): (at_ms, position) for tp, (at_ms, upto, position) in self._ends.items() if self._applied(tp, upto)
            }
            await self.owner.tick(idle)

    async def leave(self) -> None:
        """Let go of everything, as Faust has it done before it joins the group again."""
        ACTING.set(self)
        try:
            await self._wait(self.pace_seconds)
            self.rebalancing = True
            await self.owner.leave()
        except Killed:
            self.dead = True

    async def join(self, numbers: set[int]) -> None:
        """Take these partition numbers."""
        ACTING.set(self)
        try:
            sources = {(topic, number) for topic in self.config.topics.subscribed for number in numbers}
            await self.owner.assign(numbers, sources)
            for number, holding in self.owner.holdings.items():
                rows = self.cluster.log(TopicPartition(CHANGELOG, number))[holding.end :]
                self.stale += [f"{self.name}: {record}" for record in rows if record is not None]
            for (topic, number), position in self.owner.positions().items():
                tp = TopicPartition(topic, number)
                self._positions[tp] = self._next[tp] = self.cluster.starts.get(tp, 0) if position is None else position
                if self.cluster.random.random() < 0.1:
                    await self.trip()  # The agent goes on with what was fetched before.
            self._runs.clear()
            self._ends.clear()
            for tp in [tp for tp in self._positions if tp.partition not in numbers]:
                del self._positions[tp], self._next[tp]
            self.rebalancing = False
        except Killed:
            self.dead = True

    async def terminate(self) -> dict[TopicPartition, int] | None:
        """As on SIGTERM; what was applied by the end, which must be committed; None where it died on the way."""
        ACTING.set(self)
        try:
            await self.owner.leave()
            applied = {
                TopicPartition(topic, number): offset
                for number, holding in self.owner.holdings.items()
                if holding.refused is None
                for topic, offset in holding.engine.applied.items()
            }
            await self.owner.close()
        except Killed:
            return None
        finally:
            self.dead = True
        return applied
