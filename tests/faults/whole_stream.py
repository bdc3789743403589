"""A whole stream through an installation: produced, finished by a last worker, and all that was committed held against the oracle."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord

from models.policy_file import load
from models.settings import Settings
from models.topics import Topics
from models.windows import parse_record_key
from streams.admin import create
from streams.engine import Engine, EngineConfig
from streams.policies import apply_policy
from streams.signals import wait_or_stop
from tests.faults.crash_stream import JUDGED, PARTNERS, POLICY, SOURCES, START_MS, Clock, stream
from tests.oracle import WINDOWS, Oracle, Transition
from tests.verdict import check_record, check_state, check_waiting, coordinates, is_transition, transition_of
from tests.waiting import until
from tests.workers import Worker, committed, read_all

__all__ = ["caught_up", "check", "finish", "installed", "last_clock", "outputs", "produce"]

DAY_MS = 86_400_000
SCOPES = ("all", "queue=billing", "queue=sales", "queue=care", "channel=voice", "channel=chat")


async def installed(kafka: str, app_id: str, replication: int = 1) -> Settings:
    """Topics and policy of an installation that reads the stream by the stream's own clock."""
    made = Settings(
        brokers=kafka,
        app_id=app_id,
        topic_prefix=f"{app_id}.",
        partitions=4,
        clock="log",
        session_timeout_seconds=6,
        replication=replication,
    )
    assert (await create(made)).findings == []
    await apply_policy(made, load(POLICY, "crash.yaml"), START_MS)
    return made


def outputs(topics: Topics) -> tuple[str, ...]:
    """What a reader follows."""
    rollups = (topics.rollups_1m, topics.rollups_15m, topics.rollups_1d)
    return (topics.kpis, *rollups, topics.alerts, topics.alerts_state, topics.heartbeats, topics.late, topics.dead_letters)


async def produce(settings: Settings, seed: int, events: int, for_seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Write the stream at a steady rate, until it may `hurry`; each record where Kafka's own partitioner puts its key."""
    hurry = hurry or asyncio.Event()
    names = [f"{settings.topic_prefix}{source}" for source in SOURCES]
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, enable_idempotence=True, linger_ms=5)
    await producer.start()
    begun = time.monotonic()
    try:
        for number, each in enumerate(stream(seed, events)):
            if isinstance(each, Clock):
                clock = orjson.dumps({"type": "clock.advanced", "to": each.to_ms, "topics": names})
                for name in names:
                    for partition in range(settings.partitions):
                        await producer.send(name, clock, partition=partition)
            else:
                await producer.send(settings.topic_prefix + each.topic, each.value, key=each.key)
            ahead = begun + number / events * for_seconds - time.monotonic()
            if ahead > 0.05 and not hurry.is_set():
                await wait_or_stop(hurry, ahead)
        await producer.flush()
    finally:
        await producer.stop()


async def last_clock(settings: Settings) -> int:
    clocks = [orjson.loads(record.value) for record in await read_all(settings, settings.topics.surveys) if record.key is None]
    return max(int(clock["to"]) for clock in clocks)


async def consult(settings: Settings) -> Oracle:
    oracle = Oracle(frozenset(PARTNERS[:16]), frozenset(JUDGED), START_MS - 36 * DAY_MS)
    for record in await read_all(settings, *(f"{settings.topic_prefix}{source}" for source in SOURCES)):
        oracle.feed(record.topic, record.partition, record.offset, record.value)
    oracle.finish()
    return oracle


def figures_stand_at(seen: list[ConsumerRecord], kpis: str, frontier: int, scopes: int, windows: tuple[str, ...]) -> bool:
    """Whether the last record of every partner, of so many scopes, in these windows is of this frontier."""
    last: dict[bytes, bytes] = {record.key: record.value for record in seen if record.topic == kpis}
    wanted = [value for key, value in last.items() if key.decode().endswith(windows)]
    return len(wanted) == len(PARTNERS) * scopes * len(windows) and all(orjson.loads(value)["frontier"] == frontier for value in wanted)


def caught_up(settings: Settings, seen: list[ConsumerRecord], frontier: int) -> bool:
    """Whether the workers stand where the stream ends."""
    return figures_stand_at(seen, settings.topics.kpis, frontier, 1, ("/all/5m",))


async def finish(settings: Settings, seen: list[ConsumerRecord], log_path: Path, frontier: int) -> None:
    """Have one more worker publish everything, and end."""
    # A worker that begins publishes everything at once; one that goes on would take a minute for the windows of a day.
    with Worker(settings, log_path) as last:

        async def final() -> bool:
            assert last.alive(), last.tail()
            return figures_stand_at(seen, settings.topics.kpis, frontier, len(SCOPES), tuple(f"/{window}" for window in WINDOWS))

        await until(final, 60)
        assert await last.terminate() == 0, last.tail()


async def state_of(settings: Settings) -> list[dict[str, Any]]:
    """By partition, what an engine is that was rebuilt from the changelog alone."""
    config = EngineConfig(settings.app_id, "reader", settings.topics, settings.partitions, clock_from_log=True)
    engines = [Engine(number, config) for number in range(settings.partitions)]
    for record in await read_all(settings, settings.topics.changelog(settings.app_id)):
        engines[record.partition].load([record])
    for engine in engines:
        engine.loaded()
    return [engine.snapshot() for engine in engines]


def check_alerts(seen: list[ConsumerRecord], topics: Topics, oracle: Oracle) -> int:
    told: dict[str, list[Transition]] = {}
    for record in seen:
        if record.topic == topics.alerts and is_transition(orjson.loads(record.value)):
            each = transition_of(orjson.loads(record.value))
            told.setdefault(each.fingerprint, []).append(each)
    expected = oracle.transitions()
    assert told == expected
    present = {record.key.decode(): record.value for record in seen if record.topic == topics.alerts_state}
    shown = {mark: orjson.loads(value)["state"] for mark, value in present.items() if value is not None}
    assert shown == {mark: made[-1].after for mark, made in expected.items() if made[-1].after != "ok"}
    kinds = Counter(each.kind for made in expected.values() for each in made)
    assert kinds["fired"] > 1, "the stream must have made an alert fire"
    assert kinds["resolved"] > 1, "and resolve"
    return sum(kinds.values())


def check_figures(seen: list[ConsumerRecord], topics: Topics, oracle: Oracle) -> None:
    for topic in (topics.kpis, topics.rollups_1m, topics.rollups_15m, topics.rollups_1d, topics.heartbeats):
        revisions: dict[tuple[int, bytes], int] = {}
        for record in seen:
            if record.topic == topic and record.value is not None:
                revision, at = orjson.loads(record.value)["revision"], (record.partition, record.key)
                assert revision > revisions.get(at, 0), f"{record.key!r} went back to {revision}"
                revisions[at] = revision
    for key, value in {record.key.decode(): record.value for record in seen if record.topic == topics.kpis}.items():
        partner, scope, window = parse_record_key(key)
        record = orjson.loads(value)
        start, end = oracle.window(window)
        assert (record["from"], record["to"]) == (start, end), key
        check_record(record, oracle, partner, str(scope), start, end)
        if window == "5m":
            check_waiting(record["kpis"], oracle, partner, str(scope))
    midnight = START_MS - START_MS % DAY_MS + DAY_MS
    days = {record.key.decode(): record.value for record in seen if record.topic == topics.rollups_1d}
    assert len(days) == len(PARTNERS) * len(SCOPES)
    for key, value in days.items():
        partner, scope, date = parse_record_key(key)
        assert date == "2026-03-02"
        check_record(orjson.loads(value), oracle, partner, str(scope), midnight - DAY_MS, midnight)


async def check_positions(settings: Settings, states: list[dict[str, Any]]) -> None:
    """Offsets and state belong together: the group's are the state's."""
    group = await committed(settings)
    assert group == {(topic, number): offset for number, state in enumerate(states) for topic, offset in state["applied"].items()}
    for source in SOURCES:
        topic = f"{settings.topic_prefix}{source}"
        ends = Counter(record.partition for record in await read_all(settings, topic))
        assert {number: group[topic, number] for number in range(settings.partitions)} == ends


async def check(settings: Settings, seen: list[ConsumerRecord], events: int) -> None:
    """Hold everything that was committed, and what a reader saw, against the oracle."""
    oracle, states, topics = await consult(settings), await state_of(settings), settings.topics
    assert oracle.counts["produced"] == events
    check_state(states, oracle)
    await check_positions(settings, states)
    for topic, prefix, expected in ((topics.dead_letters, "dlq", oracle.dead), (topics.late, "late", oracle.late)):
        assert coordinates([record for record in seen if record.topic == topic], prefix) == sorted(expected)
    check_figures(seen, topics, oracle)
    print(f"{check_alerts(seen, topics, oracle)} transitions, {len(seen)} records read: exact")
