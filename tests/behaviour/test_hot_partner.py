"""A partner with a backlog takes its turn: what others send meanwhile is applied between its runs, not behind them.

What is held here is the order, not the time: `python -m bench.hot` measures how long the others wait.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from models.clock import now_ms
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.engine import rows
from streams.holding import Holding
from streams.owner import Owner
from streams.produce import Feed
from tests.engines import CONFIG, TOPICS, Record, event
from tests.waiting import until
from tests.workers import Worker, following

PARTITIONS: Final = 3
BACKLOG: Final = 400_000
WAITING: Final = 200
"""Records of each quiet partner that lie there when the worker starts."""


def living_in(number: int, other_than: str = "") -> str:
    """The name of a partner of this partition."""
    names = (f"partner-{at}" for at in range(1_000))
    return next(name for name in names if name != other_than and partition_of(name, PARTITIONS) == number)


HOT: Final = living_in(0)
NEIGHBOUR: Final = living_in(0, HOT)
QUIET: Final = (living_in(1), living_in(2))


def answered(partner: str, identity: str) -> dict[str, Any]:
    return event("contact.answered", now_ms(), identity, partner=partner)


@dataclass
class Commits:
    """How far each partition was applied, by its commits in their order; one process stamps them all."""

    settings: Settings
    seen: Sequence[ConsumerRecord]

    def of(self, number: int) -> Iterator[tuple[int, int]]:
        """(when, up to which offset) for each commit."""
        for record in self.seen:
            if record.partition == number and rows.unpack_key(record.key) == ["applied"]:
                applied, *_ = rows.unpack(["applied"], record.value)
                yield record.timestamp, applied.get(self.settings.topics.interactions, 0)

    def applied(self, number: int) -> int:
        return max((upto for _, upto in self.of(number)), default=0)

    def when(self, number: int, upto: int) -> int:
        """When everything before the offset `upto` was applied."""
        return next(at_ms for at_ms, applied in self.of(number) if applied >= upto)


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=PARTITIONS, commit_interval_seconds=0.05)
    await create(made)
    backlog = orjson.dumps(answered(HOT, "hot-%d"))
    async with Feed(made, ("interactions",)) as feed:
        for at in range(BACKLOG):
            feed.put("interactions", HOT, backlog % at)
            if feed.buffered >= 20_000:
                await feed.flush()
        for partner in (*QUIET, NEIGHBOUR):
            for at in range(WAITING):
                feed.put("interactions", partner, orjson.dumps(answered(partner, f"waits-{at}")))
        await feed.flush()
    return made


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_quiet_partners_are_served_while_another_has_a_backlog(settings: Settings, tmp_path: Path) -> None:
    changelog = settings.topics.changelog(settings.app_id)
    sent: list[tuple[int, int, int]] = []
    """(partition, the offset after it, how far the backlog was applied when it was written) of what came meanwhile."""
    async with following(settings, changelog) as seen, AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        commits = Commits(settings, seen)

        async def trickle() -> None:
            for turn in range(10**6):
                for partner in QUIET:
                    before, body = commits.applied(0), orjson.dumps(answered(partner, f"trickles-{turn}"))
                    number = partition_of(partner, PARTITIONS)
                    kept = await producer.send_and_wait(settings.topics.interactions, body, key=partner.encode(), partition=number)
                    sent.append((number, kept.offset + 1, before))
                await asyncio.sleep(0.02)

        async def over() -> bool:
            return commits.applied(0) >= BACKLOG + WAITING and all(commits.applied(number) >= upto for number, upto, _ in sent)

        async with stopped_at_the_end(trickle()) as trickling:
            with Worker(settings, tmp_path / "worker.log") as worker:
                await until(lambda: has_passed(commits, BACKLOG), 60)
                trickling.cancel()
                await until(over)
                assert await worker.terminate() == 0, worker.tail()

    served = [(number, upto) for number, upto, before in sent if before < BACKLOG // 4]
    assert len({number for number, _ in served}) == len(QUIET), "some came in the first quarter of the backlog"
    half_ms, done_ms = commits.when(0, BACKLOG // 2), commits.when(0, BACKLOG)
    assert half_ms < done_ms
    for number in (1, 2):
        assert commits.when(number, WAITING) <= half_ms, "what lay there did not wait for the backlog"
    for number, upto in served:
        assert commits.when(number, upto) < done_ms, "what came in the first quarter did not wait for the rest"
    assert commits.when(0, BACKLOG + WAITING) >= done_ms, "within one partition records are applied in their order"


async def has_passed(commits: Commits, upto: int) -> bool:
    return commits.applied(0) >= upto


@asynccontextmanager
async def stopped_at_the_end(work: Any) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@dataclass
class SlowEngine:
    """Applies a run in steps, each of which takes its time on a clock of its own."""

    step_seconds: float
    steps: int
    now: float = 0.0
    turns: list[float] = field(default_factory=list)
    """How long the loop was held, each time that others had their turn after."""
    began: float = 0.0

    def clock(self) -> float:
        return self.now

    def apply(self, *_: object) -> Iterator[None]:
        for _step in range(self.steps):
            self.now += self.step_seconds
            yield

    def others(self) -> None:
        self.turns.append(self.now - self.began)
        self.began = self.now


@pytest.mark.parametrize("step_seconds", [0.001, 0.02, 0.2])
async def test_a_run_that_takes_long_lets_others_take_their_turn(step_seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SlowEngine(step_seconds, steps=500)
    monkeypatch.setattr("streams.owner.perf_counter", engine.clock)
    owner = Owner(Settings(app_id="app", partitions=1), CONFIG, "changelog", lambda: False)
    untyped: Any = engine
    owner.holdings[0] = Holding(0, untyped, untyped, "changelog", "app")
    owner.accepting = True
    over = asyncio.Event()

    async def others() -> None:
        while not over.is_set():
            engine.others()
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    await asyncio.sleep(0)
    await owner.apply(TOPICS.interactions, 0, 0, [Record(TOPICS.interactions, 0, 0, 0, None, None)])
    over.set()
    await waiting
    assert engine.now == pytest.approx(500 * step_seconds)
    assert max(engine.turns) <= 0.05 + step_seconds * 1.01, "at most one step over the turn"
    assert len(engine.turns) >= engine.now / (0.05 + 2 * step_seconds)
