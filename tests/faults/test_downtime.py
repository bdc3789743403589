"""Ten minutes without a worker: what went on meanwhile is judged as it would have been, marked late, and nothing reads as silence.

`live` is a worker that was never away: an engine to which every second comes at its time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.clock import now_ms
from models.policy_file import load, parts
from models.settings import Settings
from models.topics import Topics
from streams.admin import create
from streams.policies import apply_policy
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, event
from tests.faults.crash_stream import SERVICE_LEVEL_LOW
from tests.stories import MINUTE
from tests.topics import with_times_of_their_own
from tests.waiting import until
from tests.workers import Worker, counters, following, heartbeats

POLICY = (
    """
version: 1
partners:
  - {id: acme, name: Acme}
  - {id: bolt, name: Bolt}"""
    + SERVICE_LEVEL_LOW
    + """
    recover_for: 30s
  - id: nothing_comes
    kpi: service_level
    window: 5m
    direction: below
    on_missing: breaching
    levels: [{severity: critical, enter: 0.01, exit: 0.02, for: 60s}]
    recover_for: 30s
"""
)
DOWN_MS = 10 * MINUTE
LATE_MS = 60 * SECOND
GAP_MS = 2 * SECOND
SHORT = {"acme": (2 * MINUTE, 4 * MINUTE)}
"""Within the downtime, since its begin: who loses contacts from when to when. This one ends in it."""
LASTING = {"bolt": (6 * MINUTE, 60 * MINUTE)}

Sent = tuple[int, dict[str, Any]]
"""When it arrives, and the event."""


def contacts(begin_ms: int, end_ms: int, down_ms: int) -> Iterator[Sent]:
    """A contact of each partner every two seconds; all are answered, but for those of the troubles since `down_ms`."""
    for at_ms in range(begin_ms, end_ms, GAP_MS):
        for partner in ("acme", "bolt"):
            first, last = (SHORT | LASTING)[partner]
            lost = first <= at_ms - down_ms < last
            yield at_ms, event("contact.abandoned" if lost else "contact.answered", at_ms, f"{partner}-{at_ms}", partner=partner)


def sent(story: list[Sent], at_ms: int) -> Rig:
    """A rig with a policy and a log that nothing was read of yet."""
    rig = Rig(config=replace(CONFIG, partitions=1))
    shared, own = parts(load(POLICY, "policy.yaml"))
    rig.policy(shared, *own.values(), at_ms=at_ms)
    for arrived_ms, body in story:
        rig.send(body, at_ms=arrived_ms)
    return rig


def watch(rig: Rig, from_ms: int, to_ms: int) -> None:
    """Read what has arrived by each second, when it is over."""
    log = rig.logs[TOPICS.interactions]
    upto = rig.engine.applied.get(TOPICS.interactions, 0)
    for at_ms in range(from_ms, to_ms, SECOND):
        while upto < len(log) and log[upto].timestamp <= at_ms:
            upto += 1
        rig.poll(until=upto)
        rig.idle(at_ms)
        rig.commit()


TOLD = ("id", "fingerprint", "episode", "seq", "partner", "scope", "severity", "transition", "evidence", "explanation", "rule")
TIMES = ("started_at", "fired_at", "ended_at", "evaluated_at")


def told(body: dict[str, Any]) -> dict[str, Any]:
    """Of a transition, all but what the commit adds that it was written in."""
    return {name: body[name] for name in (*TOLD, *TIMES)}


def since(bodies: list[dict[str, Any]], at_ms: int) -> list[dict[str, Any]]:
    """Of events those that a grid point from `at_ms` on decided: before the first event a silence is pending."""
    return [body for body in bodies if body["evaluated_at"] >= at_ms]


def judged(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are transitions of a condition: whether a page waited is of the worker that was behind alone."""
    return [body for body in bodies if body["transition"]["kind"] != "suppression_ended"]


def kinds(bodies: list[dict[str, Any]], partner: str) -> list[str]:
    return [body["transition"]["kind"] for body in bodies if body["partner"] == partner]


def check_downtime(bodies: list[dict[str, Any]], up_ms: int) -> None:
    """What must be so of any downtime that held both troubles; `up_ms` is when the next worker began to read."""
    assert kinds(bodies, "acme") == ["pending", "fired", "recovering", "resolved"], "what ended is recorded"
    assert kinds(bodies, "bolt") == ["pending", "fired", "suppression_ended"], "what still fires is told"
    waits = {body["partner"]: body["suppressed_by"] for body in bodies if body["transition"]["kind"] == "fired"}
    assert waits == {"acme": ["late"], "bolt": ["late"]}, "once, when the past is caught up on, and what ended meanwhile pages nobody"
    assert all(body["late"] and not body["suppressed_by"] for body in bodies if body not in judged(bodies))
    for body in judged(bodies):
        assert body["late"] == (body["processed_at"] - body["evaluated_at"] > LATE_MS), body["transition"]
    assert all(body["late"] for body in bodies if body["evaluated_at"] < up_ms - LATE_MS)
    assert {body["rule"]["id"] for body in bodies} == {"service_level_low"}, "nothing reads as silence"


@dataclass
class Downtime:
    """What came, and a worker that was never away beside one that went; each example goes on from here."""

    story: list[Sent]
    live: Rig
    away: Rig
    down_ms: int = START_MS + 6 * MINUTE
    up_ms: int = down_ms + DOWN_MS
    end_ms: int = up_ms + 2 * MINUTE


@pytest.fixture(scope="module")
def downtime() -> Downtime:
    story = list(contacts(START_MS, Downtime.end_ms, Downtime.down_ms))
    live, away = sent(story, START_MS), sent(story, START_MS)
    watch(live, START_MS, Downtime.end_ms)
    watch(away, START_MS, Downtime.down_ms)
    return Downtime(story, live, away)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 400), st.booleans())
@example(10_000, True)
@example(10_000, False)
def test_a_downtime_is_judged_as_if_there_had_been_none(downtime: Downtime, run: int, others_first: bool) -> None:
    """In runs of whichever length, whether the topics in which nothing came are heard of before or after."""
    live, before, up_ms, end_ms = downtime.live, downtime.away, downtime.up_ms, downtime.end_ms
    away = replace(before, changelog=dict(before.changelog), written=list(before.written), commits=[])
    away.crash()
    away.now_ms = max(away.now_ms, up_ms)
    others = [topic for topic in TOPICS.subscribed if topic != TOPICS.interactions]
    if others_first:
        away.idle(up_ms, *others)
    last = sum(at_ms <= up_ms for at_ms, _ in downtime.story)
    for upto in [*range(away.engine.applied[TOPICS.interactions] + run, last, run), last]:
        away.poll(until=upto)
        away.commit()
    watch(away, up_ms, end_ms)
    once, again = live.bodies(TOPICS.alerts), away.bodies(TOPICS.alerts)
    assert [told(body) for body in judged(again)] == [told(body) for body in once]
    assert not any(body["late"] for body in once)
    check_downtime(since(again, downtime.down_ms), up_ms)
    assert sorted(body["state"] for body in away.compacted(TOPICS.alerts_state).values() if body) == ["firing", "resolved"]
    assert away.engine.snapshot()["partners"] == live.engine.snapshot()["partners"]


async def produce(settings: Settings, story: list[Sent]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=5) as producer:
        for at_ms, body in story:
            key = body["partner_id"].encode()
            await producer.send(settings.topics.interactions, orjson.dumps(body), key=key, timestamp_ms=at_ms)
        await producer.flush()


def transitions(seen: list[ConsumerRecord], topics: Topics) -> list[dict[str, Any]]:
    return [orjson.loads(record.value) for record in seen if record.topic == topics.alerts]


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.long
async def test_so_is_a_downtime_of_real_workers(kafka: str, app_id: str, tmp_path: Path) -> None:
    """The first lived ten minutes ago, by its own clock; the second finds what came since."""
    settings = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=1, replication=1)
    topics = settings.topics
    await create(settings)
    await with_times_of_their_own(settings, topics.interactions)
    begun_ms = now_ms()
    await apply_policy(settings, load(POLICY, "policy.yaml"), begun_ms)
    down_ms = begun_ms - DOWN_MS
    before = list(contacts(down_ms - 6 * MINUTE, down_ms, down_ms))
    await produce(settings, before)
    async with following(settings, topics.heartbeats, topics.alerts) as seen:

        async def counted(events: int, to_ms: int) -> bool:
            beats = heartbeats(seen, settings)
            return counters(seen, settings)["events"] == events and beats[0]["evaluated_to"] >= to_ms

        program = (str(Path(__file__).with_name("behind.py")), str(DOWN_MS // SECOND), "run")
        with Worker(settings, tmp_path / "before.log", program=program) as first:
            await until(lambda: counted(len(before), down_ms), 40)
            assert await first.terminate() == 0, first.tail()
        assert heartbeats(seen, settings)[0]["as_of"] < begun_ms - DOWN_MS / 2, "it lived then"
        up_ms = now_ms()
        down_ms = heartbeats(seen, settings)[0]["frontier"] + 1
        meanwhile = list(contacts(down_ms, up_ms, down_ms))
        await produce(settings, meanwhile)
        with Worker(settings, tmp_path / "after.log") as second:
            await until(lambda: counted(len(before) + len(meanwhile), up_ms), 40)
            assert await second.terminate() == 0, second.tail()
    bodies = since(transitions(seen, topics), down_ms)
    check_downtime(bodies, up_ms)
    live = sent(before + meanwhile, before[0][0])
    watch(live, before[0][0], up_ms)
    once = [told(body) for body in since(live.bodies(TOPICS.alerts), down_ms)]
    assert [told(body) for body in judged(bodies) if body["evaluated_at"] < up_ms] == once
