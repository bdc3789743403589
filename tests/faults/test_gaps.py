"""What a worker finds gone in Kafka: records that retention took, positions of the group, offsets that hold no record."""

import signal
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DeleteGroupsRequest

from models.clock import now_ms
from models.policy_file import load
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.local.service import free_port
from streams.policies import apply_policy
from tests.engines import event
from tests.waiting import until
from tests.workers import (
    STOPPED,
    Worker,
    administering,
    answers,
    ask,
    committed,
    counters,
    counting,
    following,
    heartbeats,
    metrics,
    read_all,
    read_up,
    send,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(120)]

LOST, KEPT = 0, 1
ON_LOST, ON_KEPT = (next(name for name in map("p{}".format, range(10)) if partition_of(name, 2) == number) for number in (LOST, KEPT))


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(
        brokers=kafka,
        app_id=app_id,
        topic_prefix=f"{app_id}.",
        partitions=2,
        session_timeout_seconds=6,
        replication=1,
        http_port=free_port(),
    )
    assert (await create(made)).findings == []
    return made


async def retain(settings: Settings, topic: str, first_kept: dict[int, int]) -> None:
    """Let retention pass now: by partition, the first offset that stays; -1 for nothing."""
    before = {TopicPartition(topic, number): RecordsToDelete(before_offset=offset) for number, offset in first_kept.items()}
    async with administering(settings) as admin:
        await admin.delete_records(before)


async def test_retention_that_passes_a_worker_which_lags_refuses_the_partition_loudly(settings: Settings, tmp_path: Path) -> None:
    topic, sent = settings.topics.interactions, iter(range(10_000))

    async def write(partner: str, count: int) -> None:
        at_ms = now_ms()
        await send(settings, topic, *(event("contact.answered", at_ms, f"e{next(sent)}", partner=partner) for _ in range(count)))

    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "worker.log") as worker:
            await write(ON_LOST, 20)
            await write(ON_KEPT, 20)
            await counting(seen, settings, 40)
            worker.signal(signal.SIGSTOP)
            await write(ON_LOST, 1)  # The answer to the fetch that is under way.
            await write(ON_LOST, 200)
            await retain(settings, topic, {LOST: 200})
            worker.signal(signal.SIGCONT)

            async def refused() -> bool:
                return (await metrics(settings)).get(f'outwatch_partition_refused{{partition="{LOST}"}}') == 1

            await until(refused)
            status, reasons = await ask(settings, "/readyz")
            assert (status, orjson.loads(reasons)["reasons"][0]["reason"]) == (503, "refused")
            assert "the log begins at 200: retention passed first" in reasons
            await write(ON_KEPT, 20)

            async def other_goes_on() -> bool:
                return bool(heartbeats(seen, settings)[KEPT]["counters"].get("events") == 40)

            await until(other_goes_on)
            assert heartbeats(seen, settings)[LOST]["counters"]["events"] <= 21, "nothing behind the gap counts"
            assert await worker.terminate() == 0, worker.tail()
    assert worker.log_path.read_text().count("partition is refused") == 1


async def test_retention_that_takes_what_was_read_and_the_markers_behind_it_is_no_loss(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topics.interactions

    async def write(first: int, last: int) -> None:
        """In two transactions, of which the last is aborted: its marker and its record are the last offsets."""
        async with AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-writer") as writer:
            async with writer.transaction():
                for body in answers(first, last):
                    await writer.send(topic, orjson.dumps(body), key=body["partner_id"].encode())
            await writer.begin_transaction()
            for number in range(settings.partitions):
                await writer.send_and_wait(topic, b"{}", key=b"acme", partition=number)
            await writer.abort_transaction()

    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "first.log") as first:
            await write(0, 100)
            await counting(seen, settings, 100)
            await until(lambda: read_up(settings))
            assert await first.terminate() == 0, first.tail()
        assert sum(at for (name, _), at in (await committed(settings)).items() if name == topic) == 100 + 2 * 3
        await retain(settings, topic, dict.fromkeys(range(settings.partitions), -1))
        with Worker(settings, tmp_path / "second.log") as second:
            await until(lambda: read_up(settings), 40)
            await write(100, 200)
            await counting(seen, settings, 200)
            assert await second.terminate() == 0, second.tail()
    assert "refused" not in second.log_path.read_text()


async def test_a_group_whose_offsets_are_gone_loses_and_doubles_nothing(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topics.interactions
    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "first.log") as first:
            await send(settings, topic, *answers(0, 500))
            await counting(seen, settings, 500)
            assert await first.terminate() == 0, first.tail()
        await send(settings, topic, *answers(500, 1000))
        async with administering(settings) as admin:
            answer = await admin._send_request(DeleteGroupsRequest([settings.app_id]), await admin.find_coordinator(settings.app_id))
        assert answer.results == [(settings.app_id, 0)]
        assert await committed(settings) == {}
        with Worker(settings, tmp_path / "second.log") as second:
            await counting(seen, settings, 1000)
            assert await second.terminate() == 0, second.tail()
    assert sum(at for (name, _), at in (await committed(settings)).items() if name == topic) == 1000


async def test_a_compacted_topic_with_holes_is_read_to_its_end(settings: Settings, tmp_path: Path) -> None:
    policies = settings.topics.policies
    quickly = {
        "cleanup.policy": "compact",
        "segment.ms": "1",
        "min.cleanable.dirty.ratio": "0.001",
        "message.timestamp.type": "LogAppendTime",
    }

    async def applied(settle: int) -> None:
        text = f"version: 1\ndefaults: {{settle_seconds: {settle}}}\npartners:\n  - {{id: p0, name: P0}}\n"
        await apply_policy(settings, load(text, "p.yaml"), now_ms())

    await applied(1)
    at_once = len(await read_all(settings, policies))  # The cleaner may be done with the others before anybody counts them.
    async with administering(settings) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, policies, quickly)])
        await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "200"})])
    for settle in range(2, 9):
        await applied(settle)

    async def has_holes() -> bool:
        return len(await read_all(settings, policies)) < 8 * at_once

    await until(has_holes, 40)
    await send(settings, settings.topics.interactions, *answers(0, 100))
    async with following(settings, settings.topics.heartbeats, settings.topics.kpis) as seen:
        with Worker(settings, tmp_path / "worker.log") as worker:
            await counting(seen, settings, 100)
            await until(lambda: read_up(settings))
            assert await worker.terminate() == 0, worker.tail()
    figures = [orjson.loads(record.value) for record in seen if record.topic == settings.topics.kpis and record.key.startswith(b"p0/")]
    assert figures
    assert {figure["configured"] for figure in figures} == {True}


async def test_a_source_that_is_made_anew_under_a_worker_ends_it_and_refuses_the_next(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topics.interactions

    async def made_anew() -> bool:
        return topic in (await create(settings)).created

    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "first.log") as first:
            await send(settings, topic, *answers(0, 100))
            await counting(seen, settings, 100)
            async with administering(settings) as admin:
                await admin.delete_topics([topic])
            await until(made_anew)
            assert await first.ended(40) == STOPPED, first.tail()
            assert "is the topic there?" in first.tail(1)
        await send(settings, topic, *answers(100, 110))
        with Worker(settings, tmp_path / "second.log") as second:

            async def refused() -> bool:
                return second.log_path.read_text().count("the topic was made anew") == settings.partitions

            await until(refused)
            assert await second.terminate() == 0, second.tail()
    assert counters(seen, settings)["events"] == 100
