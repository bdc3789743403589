"""`outwatch status` and `outwatch tail`, as a person and as a script sees them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis import Redis
from typer.testing import CliRunner

from models import clock
from models.settings import Settings
from models.topics import partition_of
from models.view import Keys
from streams.admin import create
from streams.cli import app
from streams.cli.exits import Exit, explain
from streams.follow import follow
from streams.view_reader import connect, read_transitions
from tests.view_records import alert_event, alert_state, heartbeat, kpi_record

MEASURES = {"answered": 9, "answered_within": 8, "abandoned": 1}


@pytest.fixture
def view(redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A view as the projector leaves it, and the environment that points at it."""
    monkeypatch.setenv("OUTWATCH_REDIS_URL", redis_url)
    monkeypatch.setenv("OUTWATCH_APP_ID", app_id)
    monkeypatch.setenv("OUTWATCH_PARTITIONS", "3")
    keys, now_ms, partition = Keys(app_id), clock.now_ms(), partition_of("acme", 3)
    with Redis.from_url(redis_url) as redis:
        for key, (field, value) in (
            (keys.figures("15m", "all"), kpi_record("acme", MEASURES, at_ms=now_ms)),
            (keys.figures("1h", "all"), kpi_record("acme", MEASURES, window_name="1h", at_ms=now_ms)),
            (keys.figures("15m", "queue"), kpi_record("acme", MEASURES, scope="queue=billing", at_ms=now_ms)),
            (keys.alerts, alert_state("acme", "firing", "critical", at_ms=now_ms)),
            (keys.heartbeats, heartbeat(partition, now_ms)),
        ):
            redis.hset(key, field.decode(), value.decode())
    return Settings()


def status(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["status", *arguments], env={"COLUMNS": "160"})
    assert done.exit_code == Exit.OK, done.exception
    return done.output


@pytest.mark.redis
def test_status_shows_every_partner_and_what_fires(view: Settings) -> None:
    text = status()
    assert "acme (unconfigured)" in text
    assert "critical   since " in text


@pytest.mark.redis
def test_status_gives_scripts_one_object_with_whole_figures(view: Settings) -> None:
    seen = json.loads(status("--json", "--window", "1h"))
    (row,) = seen["partners"]
    assert (seen["window"], row["partner"], row["state"]) == ("1h", "acme", "critical")
    assert row["kpis"]["service_level"]["value"] == 0.8
    assert seen["alerts"][0]["rule"]["id"] == "service_level_low"


@pytest.mark.redis
def test_status_of_an_empty_redis_says_that_nobody_keeps_the_view(redis_url: str, app_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTWATCH_REDIS_URL", redis_url)
    monkeypatch.setenv("OUTWATCH_APP_ID", app_id)
    assert "no projector has run here" in status()


@pytest.mark.redis
def test_transitions_are_read_in_the_order_of_the_stream(view: Settings) -> None:
    keys = Keys(view.app_id)
    with connect(view) as redis:
        for number, at_ms in ((3, 30_000_000), (1, 10_000_000), (2, 20_000_000)):
            _, value = alert_event("acme", number, at_ms=at_ms)
            redis.zadd(keys.transitions, {value: 99})
        assert [event["id"] for event in read_transitions(redis, view)] == ["event-1", "event-2", "event-3"]


def test_without_redis_status_ends_with_the_setting_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTWATCH_REDIS_URL", "redis://127.0.0.1:1/0")
    done = CliRunner().invoke(app, ["status"])
    assert isinstance(done.exception, Exception)
    explained = explain(done.exception)
    assert explained is not None
    assert explained[0] is Exit.UNREACHABLE
    assert "OUTWATCH_REDIS_URL" in explained[1]


@pytest.fixture
async def producer(kafka: str, app_id: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=app_id)
    await made.start()
    yield made
    await made.stop()


@pytest.mark.kafka
async def test_tail_follows_from_now_on_what_is_committed(kafka: str, app_id: str, producer: AIOKafkaProducer) -> None:
    settings = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2)
    await create(settings)
    topic, found = settings.topics.kpis, asyncio.Queue[Any]()

    async def write(key: bytes, *, commit: bool = True) -> None:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"{}", key=key, partition=1)
        await (producer.commit_transaction() if commit else producer.abort_transaction())

    async def read() -> None:
        async for record in follow(settings, topic):
            found.put_nowait(record.key)

    await write(b"before")
    reader = asyncio.create_task(read())
    try:
        # Where the end was when it began to follow is not to be seen from here, so the first record is written until it comes.
        async with asyncio.timeout(20):
            while found.empty():
                await write(b"aborted", commit=False)
                await write(b"first")
                await asyncio.sleep(0.05)
            await write(b"last")
            keys = {await found.get()}
            while b"last" not in keys:
                keys.add(await found.get())
        assert keys == {b"first", b"last"}
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
