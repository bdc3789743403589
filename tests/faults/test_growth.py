"""A topic that was given more partitions is refused, and the way to more of them leads to the same figures and alerts."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import NewPartitions

from models.clock import now_ms
from models.policy_file import load
from models.settings import Settings
from models.topics import Topics, partition_of
from models.windows import GRID_MS
from streams.admin import check, create
from streams.errors import TopicsError
from streams.local.process import LeashedProcess
from streams.policies import apply_policy
from streams.repartition import copy_sources
from tests.faults.crash_stream import JUDGED, PARTNERS, POLICY, START_MS, Clock, stream
from tests.oracle import Oracle
from tests.stories import DAY, MINUTE
from tests.topics import with_times_of_their_own
from tests.verdict import check_record, is_transition, transition_of
from tests.waiting import until
from tests.workers import STOPPED, Worker, administering, counters, environment, following, heartbeats, read_all

EVENTS = 20_000
FIRST_RUN = 2_100
"""More than one run: what stands in the first one of a state that is new is counted, and judged at the end of it only."""
QUIET = [next(name for name in map("quiet{}".format, range(1000)) if partition_of(name, 8) == number) for number in range(8)]
SCOPES = ("all", "queue=billing", "queue=sales", "queue=care", "channel=voice", "channel=chat")


class Arrival(NamedTuple):
    at_ms: int
    topic: str
    key: bytes
    value: bytes


def arrivals(end_ms: int) -> Iterator[Arrival]:
    """Ten quiet minutes, then the crash test's stream, moved so that it ends shortly before `end_ms`; each with the time it arrives."""
    shift = end_ms - end_ms % GRID_MS - GRID_MS - START_MS - EVENTS * 50
    begin_ms = START_MS + shift
    for number in range(FIRST_RUN * len(QUIET)):
        at_ms, partner = begin_ms - 10 * MINUTE + number * 10 * MINUTE // (FIRST_RUN * len(QUIET)), QUIET[number % len(QUIET)]
        about = {"contact_id": f"c{number}", "queue": "care", "channel": "chat", "outcome": "callback"}
        body = {"type": "contact.left", "event_id": f"{partner}-{number}", "partner_id": partner, "occurred_at": at_ms} | about
        yield Arrival(at_ms, "cx.interactions", partner.encode(), orjson.dumps(body))
    clock_ms = begin_ms
    for number, each in enumerate(stream(11, EVENTS)):
        if isinstance(each, Clock):
            clock_ms = each.to_ms + shift
            continue
        if each.topic not in ("cx.interactions", "cx.surveys") or b'"ticket.' in each.value:
            continue  # What tickets and agents count depends on the present, which is another for who reads the copy.
        try:
            value = orjson.dumps(moved(orjson.loads(each.value), shift))
        except orjson.JSONDecodeError:
            value = each.value
        yield Arrival(clock_ms + number % 9, each.topic, each.key, value)


def moved(body: dict[str, Any], shift: int) -> dict[str, Any]:
    return body | {"occurred_at": body["occurred_at"] + shift}


async def produce(settings: Settings, sent: list[Arrival]) -> None:
    """Each where Kafka's own partitioner puts its key, by the partitions that the topic has now."""
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=5) as producer:
        for each in sent:
            await producer.send(settings.topic_prefix + each.topic, each.value, key=each.key, timestamp_ms=each.at_ms)
        await producer.flush()


async def consult(settings: Settings, begin_ms: int) -> Oracle:
    oracle = Oracle(frozenset(PARTNERS[:16]), frozenset(JUDGED), begin_ms - 36 * DAY)
    grown = settings.model_copy(update={"partitions": 8})
    for record in (*await read_all(grown, settings.topics.interactions), *await read_all(settings, settings.topics.surveys)):
        oracle.feed(record.topic, record.partition, record.offset, record.value)
    return oracle


def judged(seen: list[ConsumerRecord], topics: Topics, to_ms: int) -> dict[str, list[Any]]:
    """Transitions by fingerprint, up to a grid point."""
    found: dict[str, list[Any]] = {}
    for record in seen:
        if record.topic == topics.alerts and is_transition(orjson.loads(record.value)):
            transition = transition_of(orjson.loads(record.value))
            if transition.evaluated_at <= to_ms:
                found.setdefault(transition.fingerprint, []).append(transition)
    return found


def check_last_hour(seen: list[ConsumerRecord], topics: Topics, oracle: Oracle) -> None:
    """All that happened did so within the hour; when contacts expire depends on the present."""
    last: dict[str, bytes] = {record.key.decode(): record.value for record in seen if record.topic == topics.kpis}
    for partner in PARTNERS:
        for scope in SCOPES:
            record = orjson.loads(last[f"{partner}/{scope}/1h"])
            record["measures"].pop("expired", None)
            check_record(record, oracle, partner, scope, record["from"], record["to"])


async def counted(seen: list[ConsumerRecord], settings: Settings, records: int, to_ms: int) -> bool:
    summed, beats = counters(seen, settings), heartbeats(seen, settings)
    dealt = {
        name: count for name, count in summed.items() if name in ("events", "duplicates") or name.startswith(("dead_letters.", "late.past"))
    }
    return sum(dealt.values()) == records and all(beat["evaluated_to"] >= to_ms for beat in beats.values())


async def served(settings: Settings, log_path: Path, records: int, to_ms: int) -> list[ConsumerRecord]:
    """What a worker published by the time it had dealt with so many records."""
    topics = settings.topics
    async with following(settings, topics.kpis, topics.alerts, topics.heartbeats) as seen:
        with Worker(settings, log_path) as worker:
            await until(lambda: counted(seen, settings, records, to_ms), 60)
            # The figures of queues and channels follow within seconds.
            rounds = len(seen)
            frontier = heartbeats(seen, settings)[0]["frontier"]

            async def published() -> bool:
                beats = heartbeats(seen[rounds:], settings)
                return len(beats) == settings.partitions and all(beat["frontier"] > frontier + 6000 for beat in beats.values())

            await until(published, 60)
            assert await worker.terminate() == 0, worker.tail()
    return seen


async def grow(settings: Settings, topic: str, partitions: int) -> None:
    async with administering(settings) as admin:
        await admin.create_partitions({topic: NewPartitions(partitions)})


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_workers_under_which_a_topic_is_grown_end_and_say_what_to_do(kafka: str, app_id: str, tmp_path: Path) -> None:
    """Soon, and whether it is the one that leads the group or not: else the partners whose key moved fall silent."""
    settings = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, session_timeout_seconds=6, replication=1)
    topic = settings.topics.surveys
    await create(settings)
    async with following(settings, settings.topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "one.log") as one, Worker(settings, tmp_path / "two.log") as two:

            async def both_work() -> bool:
                return len({beat["worker"] for beat in heartbeats(seen, settings).values()}) == 2

            await until(both_work, 40)
            await grow(settings, topic, 4)
            assert [await one.ended(30), await two.ended(30)] == [STOPPED, STOPPED]
    for worker in (one, two):
        last = worker.tail(1)
        assert f"{topic}: has 4 partitions instead of 2" in last, worker.tail()
        assert "outwatch topics copy --from-prefix" in last


class BrokenOffError(Exception):
    """In the middle of a copy."""


def break_off(line: str) -> None:
    raise BrokenOffError(line)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.long
async def test_a_grown_topic_is_refused_and_a_copy_under_more_partitions_comes_to_the_same(kafka: str, app_id: str, tmp_path: Path) -> None:
    old = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=4, session_timeout_seconds=6, replication=1)
    await create(old)
    await with_times_of_their_own(old, old.topics.interactions, old.topics.surveys)
    await apply_policy(old, load(POLICY, "policy.yaml"), now_ms())
    sent = list(arrivals(now_ms()))
    first, rest = sent[: -EVENTS // 5], sent[-EVENTS // 5 :]
    await produce(old, first)
    before = await served(old, tmp_path / "old.log", len(first), first[-1].at_ms)

    await grow(old, old.topics.interactions, 8)
    with Worker(old, tmp_path / "refused.log") as refused:
        assert await refused.ended(40) == 1
    assert f"{old.topics.interactions}: has 8 partitions instead of 4" in refused.tail()
    assert "outwatch topics copy --from-prefix" in refused.tail()
    await produce(old, rest)  # Where the producers put it now.

    new = old.model_copy(update={"app_id": f"{app_id}-new", "topic_prefix": f"{app_id}-new.", "partitions": 8})
    await create(new)
    await apply_policy(new, load(POLICY, "policy.yaml"), now_ms())
    with pytest.raises(BrokenOffError):
        await copy_sources(new, old.topic_prefix, break_off)
    arguments = [sys.executable, "-m", "streams.cli", "topics", "copy", "--from-prefix", old.topic_prefix]
    with LeashedProcess(arguments, tmp_path / "copy.log", environment(new)) as copying:
        assert copying.wait(60) == 0, copying.tail()
    assert (await copy_sources(new, old.topic_prefix)).total() == 0, "nothing is left"
    assert await check(new) == [], "arrival is stamped again"

    after = await served(new, tmp_path / "new.log", len(sent), sent[-1].at_ms)
    oracle = await consult(old, sent[0].at_ms)
    assert oracle.counts["produced"] == len(sent)
    check_last_hour(after, new.topics, oracle)
    alerts = judged(before, old.topics, first[-1].at_ms)
    assert sum(map(len, alerts.values())) > 10
    assert judged(after, new.topics, first[-1].at_ms) == alerts
    print(f"{len(sent)} records, {sum(map(len, alerts.values()))} transitions: the same under 8 partitions")
    with pytest.raises(TopicsError, match="have run already"):
        await copy_sources(new, old.topic_prefix)


@pytest.mark.parametrize(("changes", "why"), [({"clock": "log"}, "replay them"), ({"topic_prefix": "old."}, "set that of the new")])
async def test_a_copy_that_cannot_come_to_the_same_is_refused(changes: dict[str, str], why: str) -> None:
    """Before anything is asked of a broker."""
    with pytest.raises(TopicsError, match=why):
        await copy_sources(Settings.model_validate({"topic_prefix": "new."} | changes), "old.")
