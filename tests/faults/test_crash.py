"""The crash test: workers are killed at failpoints, at random and by SIGTERM while a stream runs, and everything comes out exact.

The stream is made from a seed, `OUTWATCH_TEST_SEED`, which is printed; the oracle reads the raw topics and shares no code with us.
"""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from models.clock import now_ms
from models.policy_file import load
from models.settings import Settings
from models.topics import Topics
from models.windows import parse_record_key
from streams.admin import create
from streams.engine import Engine, EngineConfig
from streams.policies import apply_policy
from tests.faults.crash_stream import JUDGED, PARTNERS, POLICY, START_MS, Clock, stream
from tests.faults.crew import Crew
from tests.oracle import WINDOWS, Oracle, Transition
from tests.verdict import check_record, check_state, check_waiting, coordinates, transition_of
from tests.waiting import until
from tests.workers import Worker, committed, following, read_all

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SOURCES = ("cx.interactions", "cx.surveys")
DAY_MS = 86_400_000
SCOPES = ("all", "queue=billing", "queue=sales", "queue=care", "channel=voice", "channel=chat")


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("OUTWATCH_TEST_SEED") or now_ms() % 1_000_000)


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(
        brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=4, clock="log", session_timeout_seconds=6, replication=1
    )
    assert (await create(made)).findings == []
    await apply_policy(made, load(POLICY, "crash.yaml"), START_MS)
    return made


async def produce(settings: Settings, seed: int, events: int, for_seconds: float) -> None:
    """Write the stream at a steady rate, each record where Kafka's own partitioner puts its key."""
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
            if ahead > 0.05:
                await asyncio.sleep(ahead)
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


async def run(settings: Settings, folder: Path, seed: int, events: int, for_seconds: float) -> tuple[list[ConsumerRecord], Counter[str]]:
    """Produce and torment, then let one worker finish; returns what a read_committed reader saw, and how workers ended."""
    topics, crew = settings.topics, Crew(settings, folder, Random(seed))
    outputs = (topics.kpis, topics.rollups_1d, topics.alerts, topics.alerts_state, topics.heartbeats, topics.late, topics.dead_letters)
    async with following(settings, *outputs) as seen:

        def committed_ms() -> int:
            last = {record.partition: record.timestamp for record in seen}
            return min(last.values()) if len(last) == settings.partitions else 0

        try:
            crew.hire()
            producing = asyncio.create_task(produce(settings, seed, events, for_seconds))
            tormenting = asyncio.create_task(crew.torment(committed_ms))
            await asyncio.sleep(for_seconds / 3)
            crew.hire()
            crew.hire()
            await asyncio.wait({producing, tormenting}, return_when=asyncio.FIRST_COMPLETED)
            assert not tormenting.done(), tormenting.exception()
            tormenting.cancel()
            await producing
            frontier = await last_clock(settings)

            async def caught_up() -> bool:
                return figures_stand_at(seen, topics.kpis, frontier, 1, ("/all/5m",))

            await until(caught_up, 60)
            codes = await crew.dismiss()
            assert set(codes) <= {0}, codes
        finally:
            crew.kill()
        # A worker that begins publishes everything at once; one that goes on would take a minute for the windows of a day.
        with Worker(settings, folder / "last.log") as last:

            async def final() -> bool:
                assert last.alive(), last.tail()
                return figures_stand_at(seen, topics.kpis, frontier, len(SCOPES), tuple(f"/{window}" for window in WINDOWS))

            await until(final, 60)
            begun = time.monotonic()
            assert await last.terminate() == 0, last.tail()
            assert time.monotonic() - begun < 5
        return seen, crew.deaths


async def state_of(settings: Settings) -> list[dict[str, Any]]:
    """By partition, what an engine is that was rebuilt from the changelog alone."""
    config = EngineConfig(settings.app_id, "reader", settings.topics, settings.partitions, clock_from_log=True)
    engines = [Engine(number, config) for number in range(settings.partitions)]
    for record in await read_all(settings, settings.topics.changelog(settings.app_id)):
        engines[record.partition].load(record.key, record.value)
    for engine in engines:
        engine.loaded()
    return [engine.snapshot() for engine in engines]


def check_alerts(seen: list[ConsumerRecord], topics: Topics, oracle: Oracle) -> int:
    told: dict[str, list[Transition]] = {}
    for record in seen:
        if record.topic == topics.alerts:
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
    for topic in (topics.kpis, topics.rollups_1d, topics.heartbeats):
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


async def crash(settings: Settings, folder: Path, seed: int, events: int, for_seconds: float) -> None:
    print(f"OUTWATCH_TEST_SEED={seed}")
    begun = time.monotonic()
    seen, deaths = await run(settings, folder, seed, events, for_seconds)
    print(f"{events} events, {time.monotonic() - begun:.0f} s, {sum(deaths.values())} ends: {dict(sorted(deaths.items()))}")
    oracle, states, topics = await consult(settings), await state_of(settings), settings.topics
    assert oracle.counts["produced"] == events
    check_state(states, oracle)
    await check_positions(settings, states)
    for topic, prefix, expected in ((topics.dead_letters, "dlq", oracle.dead), (topics.late, "late", oracle.late)):
        assert coordinates([record for record in seen if record.topic == topic], prefix) == sorted(expected)
    check_figures(seen, topics, oracle)
    print(f"{check_alerts(seen, topics, oracle)} transitions, {len(seen)} records read: exact")
    assert not [how for how in deaths if how.startswith("exit")], deaths


@pytest.mark.timeout(240)
async def test_workers_that_are_killed_lose_nothing_and_double_nothing(settings: Settings, tmp_path: Path, seed: int) -> None:
    await crash(settings, tmp_path, seed, events=40_000, for_seconds=60)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_the_same_over_five_minutes(settings: Settings, tmp_path: Path, seed: int) -> None:
    await crash(settings, tmp_path, seed, events=200_000, for_seconds=300)
