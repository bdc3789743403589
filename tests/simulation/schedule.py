"""A schedule: a story, workers, and what befalls them, all drawn from one seed."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import pytest
from aiokafka import TopicPartition

from models import decode
from models.policy_record import CURRENT, encode_policy, policy_key
from models.settings import Settings
from models.topics import BROADCAST, partition_of
from streams.engine import EngineConfig, intake
from tests.simulation.crew import Crew, stage
from tests.simulation.kafka import Cluster
from tests.simulation.loop import SimLoop, nap
from tests.simulation.story import END_MS, PARTITIONS, PARTS, SPAN_MS, START_MS, TOPICS, Clock, Placed, Story
from tests.simulation.worker import CHANGELOG

__all__ = ["Outcome", "Plan", "Simulator"]

SETTINGS = Settings(app_id="sim", partitions=PARTITIONS)
SLOW = Settings(app_id="sim", partitions=PARTITIONS, max_records_per_second=10)
"""Figures wait for the limit."""
_HEARTBEAT_SECONDS = 6
"""After so long the frontier is committed, whatever else there is to say."""
ROLLUPS = (TOPICS.rollups_1m, TOPICS.rollups_15m, TOPICS.rollups_1d)
OUTPUTS = (TOPICS.kpis, *ROLLUPS, TOPICS.alerts, TOPICS.alerts_state, TOPICS.heartbeats, TOPICS.late, TOPICS.dead_letters)


class Damage(StrEnum):
    """What is done to a partition while no worker runs."""

    CORRUPT = "a row that cannot be read"
    NEWER = "a row of a newer release"
    TRIMMED = "retention passed what was not read"
    RECREATED = "a source topic made anew"
    READ_TRIMMED = "retention passed what was read"
    UNCOMMITTED = "the group's offsets are gone"


REFUSED = {Damage.CORRUPT: "is not JSON", Damage.NEWER: "newer release", Damage.TRIMMED: "retention", Damage.RECREATED: "made anew"}
"""Those that must refuse the partition, and what the refusal says."""


@dataclass
class Plan:
    """What befalls the workers; without a seed's draw, nothing."""

    clock: Clock = Clock.LOG
    live: bool = False
    """Whether records come while workers run; else all are there already."""
    gaps: bool = False
    rounds: int = 0
    """Rebalances."""
    kill_rates: tuple[float, ...] = (0.0,)
    latency: float = 0.1
    trouble: float = 0.0
    zombies: float = 0.0
    """How likely a worker is left out of a rebalance."""
    terminations: float = 0.0
    time_outs: bool = False
    compaction: bool = False
    downtime: bool = False
    figures: bool = False
    """Whether figures are published, and looked at: to make and to read them costs as much as half of all else."""
    slow: bool = False
    damage: Damage | None = None

    @classmethod
    def drawn(cls, random: Random) -> "Plan":
        """Most schedules have a few faults, some have one alone."""
        draw = random.random
        clock = Clock.LOG if draw() < 0.4 else Clock.BROKER
        live = clock is Clock.BROKER and draw() < 0.4
        return cls(
            clock=clock,
            live=live,
            gaps=draw() < 0.3,
            rounds=random.randint(1, 5),
            kill_rates=random.choice(((0.0,), (0.0, 0.01), (0.0, 0.01, 0.05), (0.02, 0.1))),
            latency=random.choice((0.1, 0.1, 1.0, 1.0 if live else 3.0)),
            trouble=random.choice((0.0, 0.0, 0.01, 0.05)),
            zombies=random.choice((0.0, 0.0, 0.3, 0.7)),
            terminations=random.choice((0.0, 0.3)),
            time_outs=draw() < 0.2,
            compaction=draw() < 0.3,
            downtime=draw() < 0.2,
            figures=draw() < 0.4,
            slow=draw() < 0.25,
            damage=random.choice(list(Damage)) if draw() < 0.15 else None,
        )


@dataclass
class Outcome:
    """What is left, to be held against the oracle."""

    seed: int
    plan: Plan
    cluster: Cluster
    placed: list[Placed]
    base: dict[TopicPartition, int]
    """Where the logs ended before the schedule began."""
    ends: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    """See Worker; and `kept`, see Crew."""
    refusal: dict[int, str | None] = field(default_factory=dict)
    """By partition number, why the last worker refused it."""
    states: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By partition number, what the last worker read."""
    damaged: int | None = None
    at_damage: dict[TopicPartition, int] = field(default_factory=dict)
    """How many records the damaged number's topics held then."""


class Simulator:
    """Runs schedules; use it inside a MonkeyPatch context."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._crew: Crew | None = None
        stage(patch, self._present)
        family, fold, contact = intake.EFFECTS[decode.ContactLeft]

        def fold_with_a_bug(event: Any, vector: list[int], first: int, second: int) -> None:
            if event.segment == "bug":
                msg = "simulated"
                raise ZeroDivisionError(msg)
            fold(event, vector, first, second)

        patch.setitem(intake.EFFECTS, decode.ContactLeft, (family, fold_with_a_bug, contact))
        self._begun = {clock: self._begin(clock) for clock in Clock}

    def _present(self) -> Crew:
        assert self._crew is not None
        return self._crew

    def run(self, seed: int, plan: Plan | None = None) -> Outcome:
        """Run one schedule to its end."""
        random = Random(seed)
        plan = plan or Plan.drawn(random)
        cluster = self._begun[plan.clock].copied(random)
        base = {tp: len(log) for tp, log in cluster.logs.items()}
        outcome = Outcome(seed, plan, cluster, Story(random, plan.clock, plan.gaps).placed(base), base)
        self._play(cluster, plan, _Play(self, outcome).all())
        return outcome

    def _play(self, cluster: Cluster, plan: Plan, play: Coroutine[Any, Any, None]) -> None:
        loop = SimLoop(cluster.random)
        begin_ms = START_MS if plan.live else END_MS
        cluster.clock, cluster.jump = lambda: begin_ms + int(loop.now * 1000), loop.jump
        try:
            loop.run_until_complete(play)
        finally:
            loop.close()

    def crew(self, cluster: Cluster, plan: Plan, idle_until_ms: int = END_MS) -> Crew:
        """A crew on the stage."""
        config = EngineConfig("sim", "sim", TOPICS, partitions=PARTITIONS, clock_from_log=plan.clock is Clock.LOG)
        pace_seconds = 10.0 if plan.live else 0.3
        settings = SLOW if plan.slow else SETTINGS
        self._crew = Crew(cluster, config, settings, pace_seconds, idle_until_ms, plan.kill_rates, plan.figures)
        return self._crew

    def _begin(self, clock: Clock) -> Cluster:
        """What every schedule begins with: one worker has read the policies, and the frontier stands at the story's start."""
        cluster = Cluster(Random(0))
        for number in range(PARTITIONS):
            for part in PARTS:
                name = getattr(part, "id", BROADCAST)
                if name == BROADCAST or partition_of(name, PARTITIONS) == number:
                    value = encode_policy(part, 1).model_dump_json().encode()
                    cluster.append(TopicPartition(TOPICS.policies, number), policy_key(name, CURRENT), value, START_MS - 10_000)
            for topic in (TOPICS.interactions, TOPICS.surveys) if clock is Clock.LOG else ():
                told = b'{"type": "clock.advanced", "to": %d, "topics": ["cx.interactions", "cx.surveys"]}' % START_MS
                cluster.append(TopicPartition(topic, number), None, told, START_MS)
        plan = Plan(clock=clock)
        crew = self.crew(cluster, plan, idle_until_ms=START_MS)

        async def begin() -> None:
            crew.add()
            await crew.rebalance()
            await settled(crew, START_MS)
            await crew.terminate(crew.workers[0])
            await crew.end()

        self._play(cluster, plan, begin())
        assert cluster.landed, "the beginning was committed"
        return cluster


async def settled(crew: Crew, frontier_ms: int) -> None:
    """Wait until the one worker has read everything that it may read, and committed it."""
    (worker,) = crew.living
    async with asyncio.timeout(3_000):
        while True:
            await nap(crew.pace_seconds)
            assert not worker.dead, f"the worker that nothing befalls ended: {crew.ends}"
            holdings = [holding for holding in worker.owner.holdings.values() if holding.refused is None]
            read = all(holding.engine.frontier_ms >= frontier_ms for holding in holdings)
            if read and not worker.rebalancing and all(_read_up(crew.cluster, holding) for holding in holdings):
                crew.cluster.jump(_HEARTBEAT_SECONDS)
                await worker.owner.tick({})
                return


def _read_up(cluster: Cluster, holding: Any) -> bool:
    for topic in TOPICS.subscribed:
        log = cluster.log(TopicPartition(topic, holding.partition))
        last = next((record.offset for record in reversed(log) if record is not None), -1)
        if holding.engine.applied.get(topic, 0) <= last:
            return False
    return True


@dataclass
class _Play:
    """One schedule under way."""

    simulator: Simulator
    outcome: Outcome

    async def all(self) -> None:
        """Befall, damage, finish, and look."""
        outcome, plan = self.outcome, self.outcome.plan
        cluster = outcome.cluster
        crew = self.simulator.crew(cluster, plan)
        producing = asyncio.create_task(self._produce())
        cluster.trouble, cluster.latency = plan.trouble, plan.latency
        for _ in range(plan.rounds):
            await self._befall(crew)
        crew.kill()
        if plan.live:
            await producing
        if plan.damage is not None:
            self._damage(plan.damage)
        cluster.trouble, cluster.latency = 0.0, 0.1
        crew.kill_rates, crew.fencing = (0.0,), False
        for last in (False, True):  # One finishes, the next publishes all that it finds.
            crew.settings, crew.figures = SETTINGS, last and plan.figures
            worker = crew.add()
            await crew.rebalance()
            await settled(crew, END_MS)
            if last:
                held = worker.owner.holdings
                outcome.refusal = {number: holding.refused for number, holding in held.items()}
                outcome.states = {number: holding.engine.snapshot() for number, holding in held.items() if holding.refused is None}
            await crew.terminate(worker)
        await crew.end()
        outcome.ends, outcome.kept = crew.ends, crew.kept
        outcome.stale = [each for worker in crew.workers for each in worker.stale]
        await producing

    async def _produce(self) -> None:
        cluster = self.outcome.cluster
        for at_ms, tp, record, _ in self.outcome.placed:
            ahead_ms = at_ms - cluster.clock()
            if ahead_ms > 0:
                await nap(ahead_ms / 1000)
            cluster.log(tp).append(record)

    async def _befall(self, crew: Crew) -> None:
        """One round: who is there, who hears of it, a rebalance, and some time."""
        plan, random = self.outcome.plan, crew.cluster.random
        draw = random.random
        for worker in crew.living:
            if draw() < plan.terminations:
                await crew.terminate(worker)
        if plan.downtime and draw() < 0.5:
            crew.kill()
            await nap(draw() * SPAN_MS / 1000)
        wanted = random.randint(1, 3)
        while sum(not worker.dead for worker in crew.workers) < wanted:
            crew.add()
        for worker in crew.workers:
            worker.paused = False
            worker.zombie = not worker.rebalancing and not worker.dead and draw() < plan.zombies
            worker.paused = worker.zombie and draw() < 0.3
            if worker.zombie:
                worker.kill_rate = 0.0  # One that is dead commits nothing while another takes over.
            crew.fencing |= worker.zombie
        await crew.rebalance()
        if plan.compaction:
            for number in range(PARTITIONS):
                crew.cluster.compact(TopicPartition(CHANGELOG, number))
        await nap(draw() * (SPAN_MS / 500 / plan.rounds if plan.live else 4))
        if plan.time_outs:
            crew.fencing = True
            crew.cluster.time_out()

    def _damage(self, damage: Damage) -> None:
        """Do it to a partition number whose interactions were read to some place, if there is one."""
        outcome, cluster = self.outcome, self.outcome.cluster
        number = cluster.random.randrange(PARTITIONS)
        source, changelog = TopicPartition(TOPICS.interactions, number), TopicPartition(CHANGELOG, number)
        applied, end = cluster.committed.get(source, 0), len(cluster.log(source))
        match damage:
            case Damage.UNCOMMITTED:
                cluster.committed.clear()
                return
            case Damage.READ_TRIMMED:
                cluster.starts[source] = applied
                return
            case Damage.TRIMMED if 0 < applied < end:
                cluster.starts[source] = applied + 1
            case Damage.RECREATED if applied > 0:
                del cluster.log(source)[applied - 1 :]
            case Damage.CORRUPT:
                cluster.time_out()
                cluster.append(changelog, b'["contacts",99]', b"\x01\x01[[1", END_MS)
            case Damage.NEWER:
                cluster.time_out()
                cluster.append(changelog, b'["contacts",99]', b"\x63\x01[]", END_MS)
            case _:
                return
        outcome.damaged = number
        outcome.at_damage = {TopicPartition(topic, number): len(cluster.read(topic, number)) for topic in (*OUTPUTS, CHANGELOG)}
