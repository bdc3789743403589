"""The state on Apache Kafka: committed by one owner, read by the next, refused where it cannot be used."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import faust
import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from faust.types import TP

from models.policy_file import load
from models.settings import Settings
from streams.admin import create
from streams.app import TABLE, OutwatchApp, build_app
from streams.policies import apply_policy
from tests.faults.crash_stream import POLICY, SOURCES, START_MS, Clock, stream
from tests.workers import read_all

pytestmark = pytest.mark.kafka

CHUNK = 700


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, clock="log", replication=1)
    assert (await create(made)).findings == []
    return made


@asynccontextmanager
async def owning(settings: Settings, *numbers: int) -> AsyncIterator[OutwatchApp]:
    """An app whose owner holds these numbers, as if Faust had assigned them; Faust itself does not run."""
    app = build_app(settings)
    await app.owner.assign(set(numbers), {(topic, number) for topic in settings.topics.subscribed for number in numbers})
    try:
        yield app
    finally:
        await app.owner.close()


def table_of(app: OutwatchApp) -> faust.Table[Any, Any]:
    return cast("faust.Table[Any, Any]", app.tables[TABLE])


async def write_stream(settings: Settings, events: int) -> None:
    names = [f"{settings.topic_prefix}{source}" for source in SOURCES]
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=5) as producer:
        for each in stream(7, events):
            if not isinstance(each, Clock):
                await producer.send(settings.topic_prefix + each.topic, each.value, key=each.key)
                continue
            clock = orjson.dumps({"type": "clock.advanced", "to": each.to_ms, "topics": names})
            for name in names:
                for partition in range(settings.partitions):
                    await producer.send(name, clock, partition=partition)


async def apply_all(app: OutwatchApp, settings: Settings, *topics: str) -> None:
    """Apply everything in these topics, a run of each in turn, with a commit after each round."""
    logs: dict[tuple[str, int], list[ConsumerRecord]] = defaultdict(list)
    for record in await read_all(settings, *topics):
        logs[record.topic, record.partition].append(record)
    for begin in range(0, max(map(len, logs.values())), CHUNK):
        for (topic, number), records in logs.items():
            run = records[begin : begin + CHUNK]
            if run and number in app.owner.holdings:
                await app.owner.apply(topic, number, app.owner.holdings[number].engine.applied.get(topic, 0), run)
        await app.owner.commit(everything=True)


async def test_an_engine_rebuilt_from_the_changelog_alone_equals_the_live_one(settings: Settings) -> None:
    await apply_policy(settings, load(POLICY, "policy.yaml"), START_MS)
    await write_stream(settings, 8000)
    topics = settings.topics
    async with owning(settings, 0, 1) as first:
        await apply_all(first, settings, topics.policies)
        await apply_all(first, settings, topics.interactions, topics.surveys, topics.quality, topics.workforce)
        live = {number: holding.engine.snapshot() for number, holding in first.owner.holdings.items()}
        rows = dict(table_of(first).items())
        assert sum(each["counters"]["events"] for each in live.values()) > 7000
        async with owning(settings, 0, 1) as second:
            assert {number: holding.engine.snapshot() for number, holding in second.owner.holdings.items()} == live
            assert dict(table_of(second).items()) == rows
            for number, holding in second.owner.holdings.items():
                assert holding.end == first.owner.holdings[number].end, "the end is known without asking"
                store = table_of(second).data
                assert store.persisted_offset(TP(topics.changelog(settings.app_id), number)) == holding.end - 1


async def test_the_table_reads_as_a_mapping(settings: Settings) -> None:
    await write_stream(settings, 500)
    async with owning(settings, 0, 1) as app:
        await apply_all(app, settings, settings.topics.interactions)
        table = table_of(app)
        partners = {key[1] for key in table if key[0] == "partner"}
        assert partners == {f"p{number:02d}" for number in range(20)}
        assert len(table) == len(list(table)) == len(table.items())
        assert table["partner", "p03"] == dict(table.items())["partner", "p03"]
        assert ("partner", "p03") in table
        with pytest.raises(KeyError):
            table["partner", "nobody"]


async def test_the_table_refuses_to_be_written_before_anything_is_sent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with owning(settings, 0) as app:
        table, sent = table_of(app), list[Any]()
        monkeypatch.setattr(type(table), "send_changelog", lambda *arguments, **_: sent.append(arguments))
        with pytest.raises(TypeError, match="written by the engine's transactions"):
            table["partner", "acme"] = 1
        with pytest.raises(TypeError, match="written by the engine's transactions"):
            del table["partner", "acme"]
        with pytest.raises(TypeError, match="written by the engine's transactions"):
            table.clear()
        assert sent == []


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (b'["partner","acme"]', b"\x63\x01[]", "run the newer release"),
        (b'["scorecard","acme"]', b"\x01\x01[]", "run the newer release"),
        (b'["partner","acme"]', b"\x01\x01[1, 2", "is not JSON"),
        (b'["applied"]', b"\x01\x01{}", "does not hold"),
    ],
    ids=["newer format", "newer kind", "cut short", "another shape"],
)
async def test_a_row_that_cannot_be_used_refuses_its_partition_and_no_other(settings: Settings, key: bytes, value: bytes, why: str) -> None:
    changelog = settings.topics.changelog(settings.app_id)
    await write_stream(settings, 500)
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        await producer.send_and_wait(changelog, value, key=key, partition=0)
    async with owning(settings, 0, 1) as app:
        refused, other = app.owner.holdings[0], app.owner.holdings[1]
        assert why in str(refused.refused)
        assert other.refused is None
        await apply_all(app, settings, settings.topics.interactions)
        assert other.engine.counters["events"] > 0
        assert refused.engine.counters == {}
    assert {record.partition for record in await read_all(settings, changelog) if record.key != key} == {1}


async def test_a_partition_that_was_written_by_another_owner_is_read_anew(settings: Settings) -> None:
    await write_stream(settings, 500)
    numbers = {(topic, 0) for topic in settings.topics.subscribed}
    async with owning(settings, 0) as first:
        engine = first.owner.holdings[0].engine
        await first.owner.assign({0}, numbers)
        assert first.owner.holdings[0].engine is engine, "kept over a rebalance while nobody else wrote"
        async with owning(settings, 0) as second:
            await apply_all(second, settings, settings.topics.interactions)
            written = second.owner.holdings[0].engine.snapshot()
        await first.owner.assign({0}, numbers)
        assert first.owner.holdings[0].engine.snapshot() == written
