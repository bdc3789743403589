"""A worker that is frozen, and a broker that is frozen, killed or away: nothing is lost, nothing doubled, nobody hangs."""

import asyncio
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.settings import Settings
from streams.admin import create
from streams.local.kafka import LocalKafka
from streams.local.service import free_port
from tests.faults.trickle import Trickle
from tests.services import running
from tests.waiting import until
from tests.workers import KILLED, STOPPED, Worker, answers, counting, following, heartbeats, metrics, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """One that these tests restart, kill and freeze, and leave as they found it."""
    with running(LocalKafka(tmp_path_factory.mktemp("kafka"))) as made:
        yield made


@pytest.fixture
async def settings(broker: LocalKafka, app_id: str) -> Settings:
    made = Settings(
        brokers=broker.bootstrap, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, session_timeout_seconds=6, replication=1
    )
    assert (await create(made)).findings == []
    return made


async def count(settings: Settings, events: int) -> None:
    """Wait until everything is counted, once."""
    async with following(settings, settings.topics.heartbeats) as seen:
        await counting(seen, settings, events, 60)


async def test_a_worker_that_is_frozen_past_its_session_is_fenced_and_ends_itself(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topics.interactions
    with Worker(settings, tmp_path / "zombie.log") as zombie:
        await send(settings, topic, *answers(0, 1000))
        await count(settings, 1000)
        zombie.signal(signal.SIGSTOP)
        with Worker(settings, tmp_path / "heir.log") as heir:
            await send(settings, topic, *answers(1000, 2000))
            await count(settings, 2000)
            zombie.signal(signal.SIGCONT)
            await send(settings, topic, *answers(2000, 3000))
            async with following(settings, settings.topics.heartbeats) as seen:

                async def goes_on() -> bool:
                    # Both hold a partition again, or the zombie ended itself.
                    workers = {beat["worker"] for beat in heartbeats(seen, settings).values()}
                    return not zombie.alive() or len(workers) == 2

                await until(goes_on, 60)
                revisions: dict[int, int] = {}
                for record in seen:
                    beat = heartbeats([record], settings)[record.partition]
                    assert beat["revision"] > revisions.get(record.partition, 0), "no figure goes back"
                    revisions[record.partition] = beat["revision"]
            if not zombie.alive():
                assert zombie.wait() == STOPPED, zombie.tail()
            await count(settings, 3000)
            assert await heir.terminate() == 0, heir.tail()


async def test_a_state_that_takes_longer_to_read_than_a_session_is_read_once(settings: Settings, tmp_path: Path) -> None:
    """A worker that was taken for dead meanwhile would be given its partitions again and again, or fence its heir."""
    await send(settings, settings.topics.interactions, *answers(0, 1000))
    program = (str(Path(__file__).with_name("slow_reading.py")), "9", "run")
    with Worker(settings, tmp_path / "worker.log", program=program) as worker:
        await count(settings, 1000)
        assert worker.log_path.read_text().count('"message":"assigned"') == 1, worker.tail()
        assert await worker.terminate() == 0, worker.tail()


def kill(broker: LocalKafka) -> None:
    broker.kill()
    broker.start()


def freeze(broker: LocalKafka) -> None:
    """For longer than a request may take: a commit under way is refused then, or waits."""
    broker.pause()
    time.sleep(14)
    broker.resume()


def away(broker: LocalKafka) -> None:
    """For a minute, as a machine that is started anew."""
    broker.kill()
    time.sleep(60)
    broker.start()


LONG = (LocalKafka.restart, freeze, away)
"""That a broker is restarted, or frozen, is in the short forms of other tests too."""


@pytest.mark.parametrize("outage", [kill, *(pytest.param(each, marks=pytest.mark.long) for each in LONG)])
async def test_an_outage_of_the_broker_loses_nothing_and_doubles_nothing(
    settings: Settings, broker: LocalKafka, tmp_path: Path, outage: Callable[[LocalKafka], None]
) -> None:
    """A supervisor starts the worker anew where it ended itself."""
    topic, stopping, ends = settings.topics.interactions, asyncio.Event(), list[int]()

    async def over(worker: Worker) -> bool:
        return stopping.is_set() or not worker.alive()

    async def supervise() -> None:
        while not stopping.is_set():
            with Worker(settings, tmp_path / "worker.log") as worker:
                await until(lambda: over(worker), 120)
                ends.append(await worker.terminate())

    supervising = asyncio.create_task(supervise())
    try:
        await send(settings, topic, *answers(0, 20_000))
        await count(settings, 20_000)
        await send(settings, topic, *answers(20_000, 30_000))
        await asyncio.to_thread(outage, broker)
        await send(settings, topic, *answers(30_000, 40_000))
        await count(settings, 40_000)
    finally:
        stopping.set()
        await supervising
    assert KILLED not in ends
    assert ends[-1] == 0
    # 3: the broker could not be reached at the start; 4: a commit was refused.
    assert set(ends) <= {0, 3, STOPPED}, ends


async def test_a_broker_that_stays_frozen_ends_the_worker_which_says_why(settings: Settings, broker: LocalKafka, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"stall_seconds": 10, "http_port": free_port()})
    topic = settings.topics.interactions

    async def behind() -> bool:
        seconds = [value for name, value in (await metrics(settings)).items() if name.startswith("outwatch_frontier_behind_seconds")]
        return len(seconds) == settings.partitions and min(seconds) > 4

    with Worker(settings, tmp_path / "first.log") as first:
        await send(settings, topic, *answers(0, 1000))
        await count(settings, 1000)
        async with Trickle(settings, 1000) as trickle:
            broker.pause()
            try:
                await until(behind, 9)  # Its silence is no word that nothing came.
                code = await first.ended(45)
            finally:
                broker.resume()
    assert code == STOPPED, first.tail()
    assert re.search(r"stalled: (input|commits): .* stood still for 10 s|a commit was refused", first.tail(1)), first.tail()
    with Worker(settings, tmp_path / "second.log") as second:
        await count(settings, trickle.written)
        assert await second.terminate() == 0, second.tail()
