"""The crew: workers that share the partition numbers, what befalls them, and the stage on which the product's modules meet them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import orjson
import pytest
from aiokafka.errors import KafkaError, ProducerFenced

from models.policy import PartnerPolicy, compile_partner
from models.policy_record import decode_policy
from models.settings import Settings
from models.topics import BROADCAST
from streams.engine import Budget, EngineConfig
from streams.engine.policies import Policies
from streams.health.worker_metrics import WorkerMetrics
from tests.simulation.kafka import Cluster, Killed, SimConsumer, SimProducer
from tests.simulation.worker import ACTING, Worker

__all__ = ["Crew", "stage"]


@dataclass
class Crew:
    """`rebalance` is what a group coordinator does."""

    cluster: Cluster
    config: EngineConfig
    settings: Settings
    pace_seconds: float
    idle_until_ms: int
    kill_rates: tuple[float, ...] = (0.0,)
    figures: bool = True
    """Whether figures are published."""
    workers: list[Worker] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    """Why workers ended themselves."""
    fencing: bool = False
    """Whether a worker may be fenced: there was a zombie, or a transaction timed out."""
    started: int = 0
    kept: list[str] = field(default_factory=list)
    """What a worker that stopped in order did not commit."""

    @property
    def living(self) -> list[Worker]:
        """Those that hear of rebalances."""
        return [worker for worker in self.workers if not worker.dead and not worker.zombie]

    def add(self) -> Worker:
        """Start a worker; it holds nothing before a rebalance."""
        self.started += 1
        rate = self.cluster.random.choice(self.kill_rates)
        worker = Worker(self.cluster, self.config, self.settings, self.pace_seconds, rate, self.idle_until_ms, f"worker-{self.started}")
        self.workers.append(worker)
        worker.start()
        return worker

    async def rebalance(self) -> None:
        """All who hear of it leave, then each takes its share; whoever dies meanwhile takes nothing, and others its share next time."""
        await asyncio.gather(*(worker.leave() for worker in self.living))
        numbers, members = list(range(self.config.partitions)), self.living
        self.cluster.random.shuffle(numbers)
        await asyncio.gather(*(worker.join(set(numbers[at :: len(members)])) for at, worker in enumerate(members)))

    async def terminate(self, worker: Worker) -> None:
        """Stop a worker as SIGTERM does, and see whether all that it had applied is committed: nothing is replayed."""
        applied = await worker.terminate()
        committed = self.cluster.committed
        self.kept += [f"{tp}: {at}" for tp, at in (applied or {}).items() if not self.fencing and committed.get(tp) != at]

    def kill(self) -> None:
        """All at once."""
        for worker in self.workers:
            worker.dead = True

    async def end(self) -> None:
        """Nothing of the workers goes on."""
        self.kill()
        tasks = [task for worker in self.workers for task in worker.tasks]
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    def ended(self, why: str, error: BaseException | None) -> NoReturn:
        """A worker ends itself."""
        worker = ACTING.get()
        if not worker.dead:
            cause = error if isinstance(error, KafkaError) else getattr(error, "__cause__", None)
            expected = (self.fencing and isinstance(cause, ProducerFenced)) or "simulated" in str(cause)
            self.ends.append("trouble" if expected else f"{why}: {error!r}")
        worker.dead = True
        raise Killed(why)


class _Silence:
    def info(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    error = warning = critical = info


def stage(patch: pytest.MonkeyPatch, present: Callable[[], Crew]) -> None:
    """Have the product's modules meet the present crew's cluster and clock, and share what is the same in every schedule."""
    metrics = WorkerMetrics()
    ticks = 0

    def ended(why: str, error: BaseException | None = None) -> NoReturn:
        present().ended(why, error)

    def now_ms() -> int:
        return present().cluster.clock()

    def seconds() -> float:
        """A turn is over now and then, wherever one may be."""
        nonlocal ticks
        ticks += present().cluster.random.random() < 0.1
        return ticks

    def budget(*, records: int, bytes: int) -> Budget:  # noqa: A002 - named by the product
        return Budget(records, bytes) if present().figures else Budget(0, 0)

    patch.setattr("streams.owner.end_process", ended)
    patch.setattr("streams.owner.Budget", budget)
    patch.setattr("streams.owner.log", _Silence())
    patch.setattr("streams.owner.perf_counter", seconds)
    patch.setattr("streams.owner.WorkerMetrics", lambda: metrics)
    patch.setattr("streams.owner.new_producer", lambda _, number: SimProducer(present().cluster, f"sim-{number}", ACTING.get()))
    patch.setattr("streams.owner.AIOKafkaConsumer", lambda **_: SimConsumer(present().cluster, ACTING.get()))
    # How aiokafka reads batches is its own affair, and not simulated.
    patch.setattr("streams.holding.whole_batches", lambda *_: None)
    patch.setattr("streams.owner.receive_in_place", lambda _: None)
    patch.setattr("streams.owner.now_ms", now_ms)
    patch.setattr("streams.holding.now_ms", now_ms)
    # Pure, and as costly as a schedule: a few policies are read over and over.
    patch.setattr("streams.engine.engine.decode_policy", lru_cache(decode_policy))
    patch.setattr("streams.engine.policies.compile_partner", _compile_once())
    patch.setattr(Policies, "load", _load_once())


def _compile_once() -> Callable[[Any, Any, str], PartnerPolicy]:
    compiled: dict[tuple[int, int, str], tuple[Any, Any, PartnerPolicy]] = {}

    def compile_once(shared: Any, part: Any, partner_id: str) -> PartnerPolicy:
        key = (id(shared), id(part), partner_id)
        if key not in compiled:  # With what the ids stand for, so that they are given to nothing else.
            compiled[key] = (shared, part, compile_partner(shared, part, partner_id))
        return compiled[key][2]

    return compile_once


def _load_once() -> Callable[[Policies, str, dict[str, Any]], None]:
    load, loaded = Policies.load, dict[bytes, Policies]()

    def load_once(policies: Policies, partner: str, part: dict[str, Any]) -> None:
        key = orjson.dumps([partner, part])
        if key not in loaded:
            loaded[key] = Policies()
            load(loaded[key], partner, part)
        policies._parts |= loaded[key]._parts
        if partner == BROADCAST:
            policies._shared = loaded[key]._shared

    return load_once
