"""A worker from start to end on Apache Kafka, as its users run it."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from models.clock import now_ms
from models.policy_file import load
from models.reasons import RejectReason
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.policies import apply_policy
from tests.engines import event
from tests.waiting import until
from tests.workers import Worker, committed, counters, following, heartbeats, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(120)]

POLICY = """
version: 1
defaults: {settle_seconds: 0}
partners:
  - {id: acme, name: Acme}
rules:
  - id: abandons
    kpi: abandon_rate
    window: 5m
    direction: above
    min_samples: 1
    levels: [{severity: warning, enter: 0.10, exit: 0.05, for: 0s}]
"""


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, session_timeout_seconds=6, replication=1)
    assert (await create(made)).findings == []
    return made


async def applied(settings: Settings) -> int:
    """Records of interactions that were committed as read."""
    offsets = await committed(settings)
    return sum(offset for (topic, _), offset in offsets.items() if topic == settings.topics.interactions)


async def counts(seen: list[ConsumerRecord], settings: Settings, **expected: int) -> bool:
    counted = counters(seen, settings)
    return all(counted[name] == count for name, count in expected.items())


PARTNERS = [f"p{number}" for number in range(10)]


def answers(count: int) -> list[dict[str, Any]]:
    at_ms = now_ms() - 60_000
    return [event("contact.answered", at_ms, f"e{number}", partner=PARTNERS[number % 10]) for number in range(count)]


async def test_sigterm_in_a_backlog_commits_and_the_next_worker_replays_nothing(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"commit_interval_seconds": 0.05})
    await send(settings, settings.topics.interactions, *answers(100_000))
    async with following(settings, settings.topics.heartbeats) as seen:

        async def begun() -> bool:
            return bool(seen) and await applied(settings) > 0

        with Worker(settings, tmp_path / "first.log") as first:
            await until(begun, 40)
            before = time.monotonic()
            assert await first.terminate() == 0, first.tail()
            assert time.monotonic() - before < 5
        assert 0 < await applied(settings) < 100_000, "it was in the backlog"
        with Worker(settings, tmp_path / "second.log") as second:
            await until(lambda: counts(seen, settings, events=100_000, duplicates=0), 40)
            assert await second.terminate() == 0, second.tail()
    assert await applied(settings) == 100_000


async def test_each_record_that_cannot_count_is_a_letter_with_its_reason_and_the_others_count(settings: Settings, tmp_path: Path) -> None:
    at_ms, topic, home = now_ms(), settings.topics.interactions, partition_of("acme", 2)
    strangers = [name for name in (f"s{number}" for number in range(2100)) if partition_of(name, 2) == home][:1001]
    good = [(b"acme", orjson.dumps(event("contact.answered", at_ms, f"good{number}"))) for number in range(40)]

    def wrong(**changes: Any) -> tuple[bytes, bytes]:
        return b"acme", orjson.dumps(event("contact.answered", at_ms, "wrong") | changes)

    poison: list[tuple[RejectReason, bytes | None, bytes | None]] = [
        (RejectReason.NULL, b"acme", None),
        (RejectReason.TOO_LARGE, *wrong(comment="x" * 5_000_000)),
        (RejectReason.UTF8, b"acme", b'{"type": "\xff\xfe"}'),
        (RejectReason.JSON, b"acme", b'{"type": "contact.answ'),
        (RejectReason.JSON, b"acme", b"[" * 5000),
        (RejectReason.TYPE, *wrong(type="contact.teleported")),
        (RejectReason.INVALID, *wrong(wait_seconds="soon")),
        (RejectReason.TIME, *wrong(occurred_at="yesterday")),
        (RejectReason.FUTURE, *wrong(occurred_at=at_ms + 86_400_000)),
        (RejectReason.NO_KEY, None, wrong()[1]),
        (RejectReason.MISROUTED, b"another", wrong()[1]),
        (RejectReason.CLOCK, b"acme", orjson.dumps({"type": "clock.advanced", "to": at_ms})),
    ]
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, max_request_size=6 << 20, linger_ms=50) as producer:
        sent = [await producer.send(topic, value, key=key, partition=home) for key, value in good[:20]]
        for number, name in enumerate(strangers):
            value = orjson.dumps(event("contact.answered", at_ms, f"stranger{number}", partner=name))
            sent.append(await producer.send(topic, value, key=name.encode(), partition=home))
        bad = [await producer.send(topic, value, key=key, partition=home) for _, key, value in poison]
        sent += [await producer.send(topic, value, key=key, partition=home) for key, value in good[20:]]
        offsets = [(await each).offset for each in bad]
        last_stranger = (await sent[1020]).offset
    async with following(settings, settings.topics.heartbeats, settings.topics.dead_letters) as seen:
        # acme itself is one of the thousand that no policy names, so two strangers are too many.
        with Worker(settings, tmp_path / "worker.log") as worker:
            await until(lambda: counts(seen, settings, events=len(good) + len(strangers) - 2), 40)
            assert await worker.terminate() == 0, worker.tail()
    letters = {}
    for record in seen:
        if record.topic == settings.topics.dead_letters:
            headers = dict(record.headers)
            assert (headers["dlq.topic"], headers["dlq.partition"]) == (topic.encode(), b"%d" % home)
            assert int(headers["dlq.failed-at"]) >= at_ms
            letters[int(headers["dlq.offset"])] = (RejectReason(headers["dlq.reason"].decode()), record.key, record.value)
    assert {reason for offset, (reason, _, _) in letters.items() if offset not in offsets} == {RejectReason.PARTNERS}
    assert last_stranger in letters
    for offset, (reason, sent_key, sent_value) in zip(offsets, poison, strict=True):
        assert letters[offset] == (reason, sent_key, sent_value and sent_value[:900_000])
    assert {reason for reason, _, _ in letters.values()} == set(RejectReason) - {RejectReason.BUG}


async def test_a_transition_is_on_its_topics_soon_after_it_can_be_decided(settings: Settings, tmp_path: Path) -> None:
    await apply_policy(settings, load(POLICY, "policy.yaml"), now_ms())
    topics = settings.topics
    async with following(settings, topics.heartbeats, topics.alerts, topics.alerts_state) as seen:

        async def ready() -> bool:
            return len(heartbeats(seen, settings)) == 2

        async def fired() -> bool:
            return {topics.alerts, topics.alerts_state} <= {record.topic for record in seen}

        with Worker(settings, tmp_path / "worker.log") as worker:
            await until(ready, 40)
            at_ms = now_ms()
            await send(settings, topics.interactions, *(event("contact.abandoned", at_ms, f"lost{number}") for number in range(50)))
            await until(fired, 20)
            assert await worker.terminate() == 0, worker.tail()
    (change,) = [record for record in seen if record.topic == topics.alerts]
    (state,) = [orjson.loads(record.value) for record in seen if record.topic == topics.alerts_state]
    told = orjson.loads(change.value)
    assert (told["transition"]["kind"], told["partner"], told["late"]) == ("fired", "acme", False)
    assert (state["state"], state["fingerprint"], state["episode"]) == ("firing", told["fingerprint"], told["episode"])
    assert change.timestamp - told["evaluated_at"] < 2500, "in ms: it settles at once"
    assert dict(change.headers)["ce_type"] == b"outwatch.alert"


async def test_a_worker_that_is_fenced_ends_without_committing_and_the_next_one_is_exact(settings: Settings, tmp_path: Path) -> None:
    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "first.log") as first:
            await send(settings, settings.topics.interactions, *answers(1000))
            await until(lambda: counts(seen, settings, events=1000), 40)
            for number in range(settings.partitions):
                async with AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-{number}"):
                    pass  # Whoever starts it fences the worker.
            await send(settings, settings.topics.interactions, *answers(2000)[1000:])
            assert await first.ended() == 4, first.tail()
            assert "a commit was refused" in first.tail()
        assert await applied(settings) == 1000
        with Worker(settings, tmp_path / "second.log") as second:
            await until(lambda: counts(seen, settings, events=2000, duplicates=0), 40)
            assert await second.terminate() == 0, second.tail()


@pytest.mark.parametrize("how", ["recreated", "expired"])
async def test_a_source_that_lost_what_comes_next_refuses_its_partition_loudly(settings: Settings, tmp_path: Path, how: str) -> None:
    topics = settings.topics
    lost, kept = 0, 1
    on_lost, on_kept = (next(name for name in PARTNERS if partition_of(name, 2) == number) for number in (lost, kept))

    def twenty(name: str, partner: str) -> list[dict[str, Any]]:
        return [event("contact.answered", now_ms(), f"{name}{number}", partner=partner) for number in range(20)]

    async with following(settings, topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "first.log") as first:
            await send(settings, topics.interactions, *twenty("first", on_lost), *twenty("first", on_kept))
            await until(lambda: counts(seen, settings, events=40), 40)
            assert await first.terminate() == 0, first.tail()
        await send(settings, topics.interactions, *twenty("more", on_lost))
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
        await admin.start()
        try:
            await _lose(admin, settings, lost, how)
        finally:
            await admin.close()
        before = heartbeats(seen, settings)[lost]["revision"]
        with Worker(settings, tmp_path / "second.log") as second:
            await send(settings, topics.interactions, *twenty("last", on_kept))

            async def other_goes_on() -> bool:
                return bool(heartbeats(seen, settings)[kept]["counters"].get("events") == 40)

            if how == "expired":
                await until(other_goes_on, 40)
            await until(lambda: _said(second, "is refused"), 40)
            assert await second.terminate() == 0, second.tail()
        remedy = "the topic was made anew" if how == "recreated" else "retention passed first"
        assert remedy in second.log_path.read_text()
        assert "OUTWATCH_APP_ID" in second.log_path.read_text()
        assert heartbeats(seen, settings)[lost]["revision"] == before, "nothing of a refused partition is committed"


async def _said(worker: Worker, text: str) -> bool:
    return text in worker.log_path.read_text()


async def _lose(admin: AIOKafkaAdminClient, settings: Settings, partition: int, how: str) -> None:
    topic = settings.topics.interactions
    if how == "expired":
        await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=25)})
        return
    await admin.delete_topics([topic])

    async def made_anew() -> bool:
        return topic in (await create(settings)).created

    await until(made_anew, 20)
