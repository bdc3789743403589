"""The real owner, holdings and engines over an in-memory Kafka, killed at every await: what is committed equals an undisturbed run.

`SIM_SEEDS=1000 pytest tests/property/test_simulation.py` runs more schedules; a seed that failed is repeated with `SIM_SEED=`.
"""

import asyncio
import os
from random import Random
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition

from models.policy_record import CURRENT, encode_policy, policy_key
from models.topics import BROADCAST, Topics, partition_of
from streams.engine import Engine, EngineConfig
from tests.engines import event, partner_part, rule, shared_part
from tests.simulation.crew import CHANGELOG, Crew
from tests.simulation.kafka import Cluster
from tests.simulation.loop import SimLoop

TOPICS = Topics()
CONFIG = EngineConfig("sim", "sim", TOPICS, partitions=2, clock_from_log=True)
START_MS = 1_760_000_000_000
STREAM_MS = 900_000
PARTNERS = ("acme", "boreal", "cascade", "delta")
FRESH: dict[str, Any] = {BROADCAST: shared_part(rule(recover_for=30)), **{name: partner_part(name) for name in PARTNERS}}
#: A schedule that failed once is listed here for good.
REGRESSIONS: tuple[int, ...] = (9,)
SEEDS = (
    [int(os.environ["SIM_SEED"])] if "SIM_SEED" in os.environ else [*sorted({*REGRESSIONS, *range(int(os.environ.get("SIM_SEEDS", "30")))})]
)


def _fill(cluster: Cluster, random: Random) -> None:
    """Policies, contacts and surveys of four partners with duplicates, disorder and poison; half of the stream is bad service."""
    for number in range(CONFIG.partitions):
        for name, part in FRESH.items():
            if name == BROADCAST or partition_of(name, CONFIG.partitions) == number:
                value = encode_policy(part, 1).model_dump_json().encode()
                cluster.append(TopicPartition(TOPICS.policies, number), policy_key(name, CURRENT), value)
    for at_ms in range(START_MS, START_MS + STREAM_MS, 10_000):
        for count in range(random.randint(0, 4)):
            partner = random.choice(PARTNERS)
            number = partition_of(partner, CONFIG.partitions)
            bad = START_MS + 200_000 < at_ms < START_MS + 500_000
            kind = random.choice(("contact.queued", "contact.answered", "contact.abandoned", "contact.completed", "survey.response"))
            topic = TOPICS.surveys if kind == "survey.response" else TOPICS.interactions
            fields: dict[str, Any] = {"contact_id": f"c{random.randint(0, 40)}"}
            if kind in ("contact.answered", "contact.abandoned"):
                fields["wait_seconds"] = random.randint(30, 90) if bad else random.randint(0, 15)
            body = orjson.dumps(event(kind, at_ms + random.randint(-4_000, 9_999), f"{at_ms}-{count}", partner=partner, **fields))
            for _ in range(1 + (random.random() < 0.1)):
                cluster.append(TopicPartition(topic, number), partner.encode(), body)
            if random.random() < 0.05:
                cluster.append(TopicPartition(topic, number), partner.encode(), b"not json")
        clock = orjson.dumps({"type": "clock.advanced", "to": at_ms + 10_000, "topics": [TOPICS.interactions, TOPICS.surveys]})
        for number in range(CONFIG.partitions):
            for topic in (TOPICS.interactions, TOPICS.surveys):
                cluster.append(TopicPartition(topic, number), None, clock)


def _sources_read(crew: Crew) -> bool:
    """Whether every source is committed to its end."""
    ends = {tp: len(log) for tp, log in crew.cluster.logs.items() if tp.topic in TOPICS.subscribed}
    return all(crew.cluster.committed.get(tp, 0) == end for tp, end in ends.items())


async def _disturbed(crew: Crew, random: Random) -> None:
    """Workers come, die, freeze and come back while the sources are read; the last one finishes alone."""
    for _ in range(random.randint(2, 6)):
        while sum(not worker.dead for worker in crew.workers) < random.randint(1, 3):
            crew.add(kill_rate=random.choice((0.0, 0.002, 0.02)))
        for worker in crew.workers:
            worker.frozen = not worker.rebalancing and random.random() < 0.2
        await crew.rebalance()
        await asyncio.sleep(random.random() * 1.5)
    for worker in crew.workers:
        worker.dead = True
    await _undisturbed(crew)


async def _undisturbed(crew: Crew) -> None:
    """One worker that nothing happens to reads everything that is left."""
    crew.add(kill_rate=0.0)
    await crew.rebalance()
    async with asyncio.timeout(600):
        while not _sources_read(crew):  # noqa: ASYNC110 - simulated time
            await asyncio.sleep(0.1)
    await crew.end()


def _rebuilt(cluster: Cluster, number: int) -> Engine:
    engine = Engine(number, CONFIG)
    for record in cluster.read(TopicPartition(CHANGELOG, number)):
        assert record.key is not None
        engine.load(record.key, record.value)
    engine.loaded()
    return engine


def _facts(engine: Engine) -> dict[str, Any]:
    """What must not depend on how it came about."""
    found = engine.snapshot()
    counters = {name: count for name, count in found["counters"].items() if count}
    return {key: found[key] for key in ("applied", "seen", "contacts", "partners")} | {"counters": counters}


def _alerts(cluster: Cluster, number: int) -> list[tuple[str, str]]:
    values = [orjson.loads(record.value or b"{}") for record in cluster.read(TopicPartition(TOPICS.alerts, number))]
    return [(value["fingerprint"], value["id"]) for value in values]


def _letters(cluster: Cluster, number: int) -> list[str]:
    records = cluster.read(TopicPartition(TOPICS.dead_letters, number))
    return sorted(f"{dict(record.headers)['dlq.topic']!r}{dict(record.headers)['dlq.offset']!r}" for record in records)


def _revisions(cluster: Cluster, number: int) -> dict[bytes | None, list[int]]:
    found: dict[bytes | None, list[int]] = {}
    for record in cluster.read(TopicPartition(TOPICS.kpis, number)):
        if record.value is not None:
            found.setdefault(record.key, []).append(orjson.loads(record.value)["revision"])
    return found


def _run(seed: int, monkeypatch: pytest.MonkeyPatch, *, disturb: bool) -> Cluster:
    random = Random(seed)
    cluster = Cluster(random)
    _fill(cluster, Random(seed))
    crew = Crew(cluster, CONFIG, random)
    crew.patches(monkeypatch)

    loop = SimLoop(random)
    monkeypatch.setattr("streams.holding.now_ms", lambda: START_MS + round(loop.time() * 1000))
    monkeypatch.setattr("streams.owner.now_ms", lambda: START_MS + round(loop.time() * 1000))
    try:
        loop.run_until_complete(_disturbed(crew, random) if disturb else _undisturbed(crew))
    finally:
        loop.close()
    fenced = [why for why in crew.ends if "ProducerFenced" not in why]
    assert fenced == [], f"seed {seed}: a worker ended itself for another reason than being fenced"
    return cluster


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_committed_does_not_depend_on_who_died_when(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = _run(seed, monkeypatch, disturb=False)
    found = _run(seed, monkeypatch, disturb=True)
    for number in range(CONFIG.partitions):
        assert _facts(_rebuilt(truth, number)) == _facts(_rebuilt(found, number)), f"seed {seed}"
        assert sorted(_alerts(truth, number)) == sorted(_alerts(found, number)), f"seed {seed}"
        assert len(set(_alerts(found, number))) == len(_alerts(found, number)), f"seed {seed}: an alert event came twice"
        assert _letters(truth, number) == _letters(found, number), f"seed {seed}"
        for key, revisions in _revisions(found, number).items():
            assert revisions == sorted(set(revisions)), f"seed {seed}: the revision of {key!r} went back"
