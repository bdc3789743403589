"""Runs as they come from Apache Kafka: committed only, policies first, none lost while the group rebalances."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from models.clock import now_ms
from models.policy_file import load
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.policies import apply_policy
from tests.waiting import until
from tests.workers import Worker, counters, following, heartbeats, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=4, session_timeout_seconds=6, replication=1)
    assert (await create(made)).findings == []
    return made


def answers(first: int, last: int) -> list[dict[str, Any]]:
    answered = {"type": "contact.answered", "occurred_at": now_ms() - 60_000, "wait_seconds": 3}
    return [answered | {"event_id": f"e{number}", "partner_id": f"p{number % 20}"} for number in range(first, last)]


async def counts(seen: list[ConsumerRecord], settings: Settings, events: int) -> bool:
    counted = counters(seen, settings)
    assert counted["duplicates"] == 0, "nothing is applied twice"
    return counted["events"] == events


async def test_aborted_records_do_not_count_and_an_idle_frontier_moves(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topics.interactions
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-writer") as writer:
        for event, aborts in zip(answers(0, 6), (True, False) * 3, strict=True):
            await writer.begin_transaction()
            await writer.send_and_wait(topic, orjson.dumps(event), key=event["partner_id"].encode())
            await (writer.abort_transaction() if aborts else writer.commit_transaction())
    written_ms = now_ms()
    async with following(settings, settings.topics.heartbeats) as seen:

        async def moved() -> bool:
            beats = heartbeats(seen, settings).values()
            # Three seconds after the last record: no source says anything any more.
            return len(beats) == 4 and min(beat["frontier"] for beat in beats) > written_ms + 3000

        with Worker(settings, tmp_path / "worker.log") as worker:
            await until(moved, 40)
            assert await worker.terminate() == 0, worker.tail()
    assert counters(seen, settings)["events"] == 3
    for beat in heartbeats(seen, settings).values():
        assert 0 <= beat["as_of"] - beat["frontier"] < 2000, "as old as the broker's last answer"


async def test_policies_are_read_to_their_end_before_the_first_event(settings: Settings, tmp_path: Path) -> None:
    named = "".join(f"  - {{id: p{number}, name: P{number}}}\n" for number in range(20))
    await send(settings, settings.topics.interactions, *answers(0, 4000))
    for settle in range(1, 12):
        await apply_policy(settings, load(f"version: 1\ndefaults: {{settle_seconds: {settle}}}\npartners:\n{named}", "p.yaml"), now_ms())
    async with following(settings, settings.topics.heartbeats, settings.topics.kpis) as seen:
        with Worker(settings, tmp_path / "worker.log") as worker:
            await until(lambda: counts(seen, settings, 4000), 40)
            assert await worker.terminate() == 0, worker.tail()
    figures = [orjson.loads(record.value) for record in seen if record.topic == settings.topics.kpis]
    revisions = {(figure["configured"], figure["policy_revision"]) for figure in figures if figure["partner"] == "p3"}
    assert len(revisions) == 1, "the last policy, from the first figure on"
    assert {figure["configured"] for figure in figures} == {True}


async def test_workers_that_join_and_leave_in_a_backlog_lose_nothing_of_it(settings: Settings, tmp_path: Path) -> None:
    await send(settings, settings.topics.interactions, *answers(0, 20_000))
    async with following(settings, settings.topics.heartbeats) as seen:

        async def held_by(names: int) -> bool:
            beats = heartbeats(seen, settings).values()
            return len(beats) == 4 and len({beat["worker"] for beat in beats}) == names

        with Worker(settings, tmp_path / "first.log") as first, Worker(settings, tmp_path / "second.log") as second:
            await until(lambda: held_by(2), 40)
            await send(settings, settings.topics.interactions, *answers(20_000, 24_000))
            with Worker(settings, tmp_path / "third.log") as third:
                await until(lambda: held_by(3), 40)
                await send(settings, settings.topics.interactions, *answers(24_000, 28_000))
                assert await third.terminate() == 0, third.tail()
            await send(settings, settings.topics.interactions, *answers(28_000, 32_000))
            await until(lambda: counts(seen, settings, 32_000), 40)
            assert await first.terminate() == 0, first.tail()
            assert await second.terminate() == 0, second.tail()


async def test_more_workers_than_partitions_are_ready_and_hold_nothing(settings: Settings, tmp_path: Path) -> None:
    few = settings.model_copy(update={"partitions": 1, "topic_prefix": f"{settings.app_id}.few.", "app_id": f"{settings.app_id}-few"})
    assert (await create(few)).findings == []
    assert partition_of("p0", 1) == 0
    async with following(few, few.topics.heartbeats) as seen:
        with Worker(few, tmp_path / "first.log") as first, Worker(few, tmp_path / "second.log") as second:
            await send(few, few.topics.interactions, *answers(0, 100))
            await until(lambda: counts(seen, few, 100), 40)
            assert await first.terminate() == 0, first.tail()
            await send(few, few.topics.interactions, *answers(100, 200))
            await until(lambda: counts(seen, few, 200), 40)
            assert await second.terminate() == 0, second.tail()
