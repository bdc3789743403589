"""What Kafka refuses to take, and an invariant that does not hold: the worker ends without committing, and the next one is exact."""

from pathlib import Path
from typing import NoReturn

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from models.settings import Settings
from streams.admin import create
from streams.app import build_app
from tests.engines import Record
from tests.workers import STOPPED, Worker, administering, answers, committed, counting, following, read_all, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, session_timeout_seconds=6, replication=1)
    assert (await create(made)).findings == []
    return made


async def limit(settings: Settings, topic: str, record_bytes: int) -> None:
    config = {"cleanup.policy": "compact", "max.message.bytes": str(record_bytes)}
    async with administering(settings) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])


async def test_a_record_that_the_broker_refuses_ends_the_worker_and_nothing_of_its_commit_stays(settings: Settings, tmp_path: Path) -> None:
    topic, kpis = settings.topics.interactions, settings.topics.kpis
    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "first.log") as first:
            await send(settings, topic, *answers(0, 500))
            await counting(seen, settings, 500)
            await limit(settings, kpis, 200)
            figures = await read_all(settings, kpis)
            await send(settings, topic, *answers(500, 1000))
            assert await first.ended() == STOPPED, first.tail()
            assert "a commit was refused" in first.log_path.read_text()
            assert "MessageSizeTooLarge" in first.log_path.read_text()
        assert len(await read_all(settings, kpis)) == len(figures)
        assert sum(at for (name, _), at in (await committed(settings)).items() if name == topic) == 500
        await limit(settings, kpis, 1 << 20)
        with Worker(settings, tmp_path / "second.log") as second:
            await counting(seen, settings, 1000)
            assert await second.terminate() == 0, second.tail()


async def test_a_run_that_does_not_follow_the_last_one_ends_the_worker_before_it_commits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str] = []

    def end_process(why: str, error: BaseException | None = None) -> NoReturn:
        ends.append(f"{why}: {error}")
        raise SystemExit(STOPPED)

    monkeypatch.setattr("streams.owner.end_process", end_process)
    topic, app = settings.topics.interactions, build_app(settings)
    await app.owner.assign({0}, {(each, 0) for each in settings.topics.subscribed})
    try:
        await app.owner.apply(topic, 0, 0, [Record(topic, 0, 0, 1, b"p0", b"{}")])
        with pytest.raises(SystemExit):
            await app.owner.apply(topic, 0, 2, [Record(topic, 0, 2, 1, b"p0", b"{}")])
    finally:
        await app.owner.close()
    assert ends == [f"{topic}[0] could not be applied: {topic}[0]: applied up to 1, but the run was fetched from 2"]
    assert await committed(settings) == {}
