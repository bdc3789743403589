"""Workers over the in-memory Kafka: the real owner, holdings and engines, with a fetch loop and a timer of their own."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, NoReturn

from aiokafka import TopicPartition

from models.settings import Settings
from streams.engine import EngineConfig
from streams.owner import Owner
from tests.simulation.kafka import Cluster, Killed, SimConsumer, SimProducer

__all__ = ["CHANGELOG", "Crew", "Worker"]

CHANGELOG = "sim-state-changelog"
_RUN_MAX = 20


@dataclass(eq=False)
class Worker:
    """One process: dead from the moment `alive` says so, whatever it was doing."""

    cluster: Cluster
    config: EngineConfig
    kill_rate: float
    name: str
    dead: bool = False
    rebalancing: bool = True
    frozen: bool = False
    """A zombie: it is not told of rebalances."""
    owner: Owner = field(init=False)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = Settings(app_id=self.config.app_id, partitions=self.config.partitions, clock="log", commit_interval_seconds=0.05)
        self.owner = Owner(settings, self.config, CHANGELOG, lambda: self.rebalancing)

    def alive(self) -> None:
        if not self.dead and self.cluster.random.random() < self.kill_rate:
            self.dead = True
        if self.dead:
            raise Killed(self.name)

    def start(self) -> None:
        self.tasks = [asyncio.create_task(self._until_dead(step)) for step in (self._fetch, self._tick)]

    async def _until_dead(self, step: Callable[[], Any]) -> None:
        while not self.dead:
            try:
                await asyncio.sleep(self.cluster.random.random() * 0.02)
                self.alive()
                if not self.rebalancing and self.owner.accepting:
                    await step()
            except Killed:
                self.dead = True

    async def _fetch(self) -> None:
        policies = self.config.topics.policies
        unread = {tp.partition for tp, at in self.positions.items() if tp.topic == policies and at < len(self.cluster.log(tp))}
        wanted = [tp for tp in sorted(self.positions) if tp.topic == policies or tp.partition not in unread]
        if not wanted:
            return  # more workers than partition numbers
        tp = self.cluster.random.choice(wanted)
        log, at = self.cluster.log(tp), self.positions[tp]
        upto = min(len(log), at + self.cluster.random.randint(1, _RUN_MAX))
        run = [record for record in log[at:upto] if record is not None]
        if run:
            self.positions[tp] = run[-1].offset + 1
            await self.owner.apply(tp.topic, tp.partition, at, run)

    async def _tick(self) -> None:
        await self.owner.tick({})

    async def leave(self) -> None:
        self.rebalancing = True
        await self.owner.leave()

    async def join(self, numbers: set[int]) -> None:
        sources = {(topic, number) for topic in self.config.topics.subscribed for number in numbers}
        await self.owner.assign(numbers, sources)
        self.positions = {TopicPartition(*source): position or 0 for source, position in self.owner.positions().items()}
        self.rebalancing = False


@dataclass
class Crew:
    """Workers that share the partition numbers; `rebalance` is what a group coordinator does."""

    cluster: Cluster
    config: EngineConfig
    random: Random
    workers: list[Worker] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    """Why workers ended themselves."""
    started: int = 0

    def patches(self, monkeypatch: Any) -> None:
        """Have the owner's module reach this cluster, and end simulated processes instead of this one."""

        def end_process(why: str, error: BaseException | None = None) -> NoReturn:
            if not isinstance(error, Killed):
                self.ends.append(f"{why}: {error!r}")
            raise Killed(why)

        def of_running() -> Callable[[], None]:
            return self._running().alive

        monkeypatch.setattr("streams.owner.end_process", end_process)
        monkeypatch.setattr("streams.owner.new_producer", lambda _, number: SimProducer(self.cluster, f"sim-{number}", of_running()))
        monkeypatch.setattr("streams.owner.AIOKafkaConsumer", lambda **_: SimConsumer(self.cluster, of_running()))

    def _running(self) -> Worker:
        """The worker whose rebalance is under way: clients are made only there."""
        return next(worker for worker in self.workers if worker.rebalancing and worker is self._joining)

    _joining: Worker | None = None

    def add(self, kill_rate: float) -> Worker:
        self.started += 1
        worker = Worker(self.cluster, self.config, kill_rate, f"worker-{self.started}")
        self.workers.append(worker)
        worker.start()
        return worker

    async def rebalance(self) -> None:
        """All who hear of it leave, then each takes its share; whoever dies meanwhile takes nothing."""
        hearing = [worker for worker in self.workers if not worker.dead and not worker.frozen]
        for worker in hearing:
            with suppress(Killed):
                await worker.leave()
        hearing = [worker for worker in hearing if not worker.dead]
        numbers = list(range(self.config.partitions))
        self.random.shuffle(numbers)
        for at, worker in enumerate(hearing):
            self._joining = worker
            try:
                await worker.join(set(numbers[at :: len(hearing)]))
            except Killed:
                worker.dead = True

    async def end(self) -> None:
        for worker in self.workers:
            worker.dead = True
            for task in worker.tasks:
                task.cancel()
                with suppress(asyncio.CancelledError, Killed):
                    await task
