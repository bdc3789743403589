"""One release after another under load: worker by worker, and what a worker refuses meanwhile."""

import asyncio
from pathlib import Path

import orjson
import pytest
from aiokafka import ConsumerRecord

from models.measures import LAYOUT
from models.settings import Settings
from streams import owner
from streams.app import build_app
from streams.engine.rows import FORMAT
from streams.local.service import free_port
from tests.faults.whole_stream import caught_up, check, finish, installed, last_clock, outputs, produce
from tests.waiting import until
from tests.workers import RUN, Worker, ask, following, read_all

EVENTS = 24_000
SECONDS = 120.0
"""Far longer than three workers take: once they are there, the rest comes at once."""
BEFORE = (str(Path(__file__).with_name("previous_release.py")), "run")


async def ready(settings: Settings) -> bool:
    return (await ask(settings, "/readyz"))[0] == 200


class Fleet:
    """Three workers, each of the release before or of this one."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.workers: dict[int, tuple[Settings, Worker]] = {}

    def start(self, number: int, name: str, program: tuple[str, ...]) -> None:
        own = self._settings.model_copy(update={"worker": f"{name}-{number}", "http_port": free_port()})
        # The fields that are set are what a worker is told.
        own.model_fields_set.update({"worker", "http_port"})
        self.workers[number] = own, Worker(own, self._folder / f"{name}-{number}.log", program=program)

    async def ready(self, *numbers: int) -> None:
        for number in numbers:
            own, worker = self.workers[number]
            await until(lambda own=own: ready(own), 45)  # type: ignore[misc]
            assert worker.alive(), worker.tail()

    async def end(self, number: int) -> None:
        worker = self.workers[number][1]
        assert await worker.terminate() == 0, worker.tail()

    async def roll(self, number: int, name: str, program: tuple[str, ...]) -> None:
        """As an operator does it: end one, start its successor, wait until that serves."""
        await self.end(number)
        self.start(number, name, program)
        await self.ready(number)

    async def refused(self) -> bool:
        """Whether a worker leaves a partition alone because a newer release has written to it."""
        return any("run the newer release" in worker.log_path.read_text() for _, worker in self.workers.values())

    def kill(self) -> None:
        for _, worker in self.workers.values():
            worker.kill()


async def formats(settings: Settings) -> set[tuple[int, int]]:
    """Format and layout of what stands in the changelog."""
    changelog = settings.topics.changelog(settings.app_id)
    return {(record.value[0], record.value[1]) for record in await read_all(settings, changelog) if record.value}


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_rolling_upgrade_of_three_workers_under_load_changes_nothing(kafka: str, app_id: str, tmp_path: Path) -> None:
    settings = await installed(kafka, app_id)
    fleet = Fleet(settings, tmp_path)
    async with following(settings, *outputs(settings.topics)) as seen:

        async def committed() -> bool:
            return len({record.partition for record in seen}) == settings.partitions

        try:
            for number in range(3):
                fleet.start(number, "before", BEFORE)
            await fleet.ready(0, 1, 2)
            hurry = asyncio.Event()
            producing = asyncio.create_task(produce(settings, 5, EVENTS, SECONDS, hurry))
            await until(committed, 30)
            assert await formats(settings) == {(1, LAYOUT - 1)}, "the release before wrote all there is"
            await fleet.roll(0, "after", RUN)
            await fleet.end(0)  # A roll that is broken off: what the new worker wrote goes back to the old ones.
            await until(fleet.refused, 30)
            fleet.start(0, "after", RUN)
            await fleet.ready(0)
            for number in (1, 2):
                await fleet.roll(number, "after", RUN)
            assert not producing.done(), "it was under load throughout"
            hurry.set()
            await producing
            frontier = await last_clock(settings)

            async def at_the_end() -> bool:
                return caught_up(settings, seen, frontier)

            await until(at_the_end, 60)
            for number in range(3):
                await fleet.end(number)
        finally:
            fleet.kill()
        await finish(settings, seen, tmp_path / "last.log", frontier)
    await check(settings, seen, EVENTS)
    assert (FORMAT, LAYOUT) in await formats(settings)
    workers = {worker for record in seen if record.topic == settings.topics.heartbeats for worker in wrote(record)}
    assert workers >= {f"{name}-{number}" for name in ("before", "after") for number in range(3)}, "each of them worked"


def wrote(record: ConsumerRecord) -> set[str]:
    return {orjson.loads(record.value)["worker"]}


class EndedError(Exception):
    """In place of the end of a process."""


async def test_a_number_of_which_another_worker_has_a_source_ends_the_worker(app_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it would be with releases that subscribe to different topics: the figures of a partner would be torn apart."""

    def end_process(why: str, error: BaseException | None = None) -> None:
        raise EndedError(why) from error

    monkeypatch.setattr(owner, "end_process", end_process)
    settings = Settings(app_id=app_id, partitions=2)
    held = {(topic, number) for topic in settings.topics.subscribed for number in (0, 1)}
    for topic in settings.topics.subscribed:
        with pytest.raises(EndedError, match="do all workers run the same release") as ended:
            await build_app(settings).owner.assign({0, 1}, held - {(topic, 1)})
        assert f"('{topic}', 1)" in str(ended.value)
