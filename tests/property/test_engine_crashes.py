"""Crash schedules: wherever a run is cut, and whichever commits never landed, the next worker goes on as if nothing had happened."""

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, budget
from tests.stories import AGENT_KINDS, KINDS, MINUTE, POLICY, QUICK, SLIGHTLY_LATE, drawn_event, seeded, topic_of

Arrival = tuple[str, int]
"""(topic, Kafka timestamp) of the next record, in the order in which all of them arrived."""


def filled(random: Random, count: int) -> tuple[Rig, list[Arrival]]:
    """A rig whose logs hold a story with duplicates and poison, and the order in which it arrived."""
    rig, at_ms, arrivals, bodies = Rig(), START_MS, list[Arrival](), list[dict[str, Any]]()
    for number, step in enumerate(seeded(random, count, QUICK, SLIGHTLY_LATE, (*KINDS, *AGENT_KINDS))):
        at_ms += step.after_ms
        body = drawn_event(step, f"e{number}", at_ms)
        if random.random() < 0.05 and bodies:
            body = random.choice(bodies[-5:])
        bodies.append(body)
        topic = topic_of(body)
        rig.send(body if random.random() > 0.03 else b"poison", at_ms=at_ms, topic=topic, key=body["partner_id"].encode())
        arrivals.append((topic, at_ms))
    return rig, arrivals


def follow(rig: Rig, arrivals: list[Arrival], sizes: Iterator[int]) -> Iterator[None]:
    """Read what was not applied yet, in the order of arrival, in runs of these sizes; yields wherever a commit may come."""
    done = {topic: rig.engine.applied.get(topic, 0) for topic in TOPICS.sources}
    seen = dict.fromkeys(TOPICS.sources, 0)
    left: list[tuple[str, int, int]] = []
    for topic, at_ms in arrivals:
        if seen[topic] >= done[topic]:
            left.append((topic, seen[topic], at_ms))
        seen[topic] += 1
    while left:
        run = list(itertools.takewhile(lambda each: each[0] == left[0][0], left))[: next(sizes)]
        topic, last, at_ms = run[-1]
        del left[: len(run)]
        for other in TOPICS.subscribed:
            if other != topic:  # nothing of it arrived before the run's last record
                rig.engine.idle(other, at_ms)
        for _ in rig.engine.advance():
            yield
        for _ in rig.steps(topic, last + 1):
            yield
        rig.now_ms = at_ms
        yield


def finish(rig: Rig, at_ms: int) -> dict[str, Any]:
    """Close every partner at one grid point and publish everything; what is left then."""
    for partner in ("acme", "bolt", "core"):
        body = {"type": "contact.abandoned", "event_id": f"last-{partner}", "partner_id": partner, "occurred_at": at_ms, "wait_seconds": 1}
        if rig.engine.applied.get(TOPICS.interactions, 0) == len(rig.logs[TOPICS.interactions]):
            rig.send(body, at_ms=at_ms)
        rig.poll()
    rig.to(at_ms + 16 * SECOND)
    for _ in range(2):  # scopes that only wide windows know of stand in the others from the second time on
        rig.now_ms += 10 * MINUTE
        rig.commit()
    left = rig.snapshot()
    del left["sequence"]
    return left | {
        "alerts": [each for each in rig.alerts() if not each[0].startswith("no")],
        "figures": {key: body["measures"] for key, body in rig.figures().items()},
        "rollups": {
            key: (body["measures"], body["final"])
            for topic in (TOPICS.rollups_1m, TOPICS.rollups_15m, TOPICS.rollups_1d)
            for key, body in rig.compacted(topic).items()
        },
        "periods": {key: (body["kpis"], body["amounts"]) for key, body in rig.compacted(TOPICS.periods).items()},
        "letters": rig.letters(),
        "states": {key: body and body["state"] for key, body in rig.compacted(TOPICS.alerts_state).items()},
    }


def undisturbed(seed: int, count: int) -> dict[str, Any]:
    """One worker, one commit at the end, runs as long as they can be."""
    rig, arrivals = filled(Random(seed), count)
    rig.policy(*POLICY, at_ms=START_MS)
    for _ in follow(rig, arrivals, itertools.repeat(10**6)):
        pass
    rig.commit()
    return finish(rig, arrivals[-1][1])


def disturbed(seed: int, count: int, random: Random) -> dict[str, Any]:
    rig, arrivals = filled(Random(seed), count)
    rig.policy(*POLICY, at_ms=START_MS)
    rig.commit()
    sizes = iter(lambda: random.choice((1, 1, 2, 5, 20)), 0)
    commits, losses = random.choice(((0.2, 0.05), (0.05, 0.3), (0.02, 0.6)))
    while True:
        for _ in follow(rig, arrivals, sizes):
            if random.random() < commits:
                if random.random() < losses:
                    rig.commit(lands=False)
                    break
                rig.commit(budget(random.choice((0, 3, 30))))
                if random.random() < 0.2:
                    rig.crash()
                    break
        else:
            break
    rig.commit()
    check_wire(rig)
    return finish(rig, arrivals[-1][1])


def check_wire(rig: Rig) -> None:
    """What a read_committed reader holds against any worker: no id twice, no revision that goes back."""
    events = [each[3] for each in rig.alerts()]
    assert len(set(events)) == len(events)
    revisions: dict[str, int] = {}
    for body in rig.bodies(TOPICS.kpis):
        key = "/".join((body["partner"], body["scope"], body["window"]))
        assert body["revision"] > revisions.get(key, 0)
        revisions[key] = body["revision"]


def check(seed: int, count: int) -> None:
    expected, found = undisturbed(seed, count), disturbed(seed, count, Random(seed))
    for part, content in expected.items():
        assert found[part] == content, (seed, part)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
@example(1, 20)
@example(59, 60)
def test_a_crash_schedule_leaves_no_trace(seed: int, count: int) -> None:
    check(seed, count)
