"""Figures of agents are those of a plain replay of whole histories, whatever arrives when, and wherever a worker starts again."""

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.windows import GRID_MS
from tests import naive, naive_agents
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, shared_part
from tests.stories import HOUR, MINUTE

EXPIRY_MS = 40 * MINUTE
SETTLE_MS = 5 * SECOND
STATES = ("available", "on_contact", "wrap", "break", "training", "offline")
ACTIVITIES = ("contacts", "contacts", "break", "training", "offline")
KINDS = ("agent.state",) * 4 + ("agent.scheduled",) * 2 + ("agent.joined", "agent.left", "training.due", "training.done")
JUMPS = (0, 0, SECOND, 7 * SECOND, 10 * SECOND, 31 * SECOND, 4 * MINUTE, 20 * MINUTE)
LATENESS = (0, 0, 0, 3 * SECOND, 10 * SECOND, 2 * MINUTE, 40 * MINUTE, 6 * HOUR, 30 * HOUR, -10 * SECOND, -4 * MINUTE)
MEASURES = ("contact_ms", "idle_ms", "agents_expired", "scheduled_ms", "adherent_ms")


@dataclass(frozen=True, slots=True)
class Step:
    """Time passes, and something is told of an agent."""

    after_ms: int
    kind: str
    agent: str
    queue: str | None
    late_ms: int
    value: int


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(JUMPS),
        st.sampled_from(KINDS),
        st.sampled_from(("ann", "ben")),
        st.sampled_from(("billing", "sales", None)),
        st.sampled_from(LATENESS),
        st.integers(0, 999),
    ),
    min_size=1,
    max_size=14,
)


def told(step: Step, identity: str, now_ms: int) -> dict[str, Any]:
    at_ms, value = now_ms - step.late_ms, step.value
    fields: dict[str, Any] = {"agent_id": step.agent} | ({} if step.queue is None else {"queue": step.queue})
    fields |= {"team": team} if (team := ("early", "late", None)[value // 7 % 3]) else {}
    if step.kind == "agent.state":
        fields["state"] = STATES[value % 6]
    elif step.kind == "agent.scheduled":
        start_ms = at_ms + (value % 9 - 3) * 7 * MINUTE
        fields |= {"activity": ACTIVITIES[value % 5], "from": start_ms, "to": start_ms + (1 + value % 8) * 13 * MINUTE + value * 10}
        fields |= {"updated_at": START_MS + value % 4} if value % 2 else {}
    elif step.kind.startswith("training"):
        fields["course"] = ("tone", "law")[value % 2]
        fields |= {"due_at": at_ms + value * 5 * SECOND} if step.kind == "training.due" else {}
    return event(step.kind, at_ms, identity, **fields)


def settled(rig: Rig) -> int:
    at = rig.engine.frontier_ms - SETTLE_MS
    return at - at % GRID_MS


def check(rig: Rig, bodies: list[dict[str, Any]]) -> None:
    """The present records, and those of closed days, say what a replay of all that was told says."""
    closed_ms, view = settled(rig), rig.figures()
    for window in naive.WINDOWS:
        start, end = naive.window_start(window, closed_ms), rig.engine.frontier_ms // GRID_MS * GRID_MS + GRID_MS
        for scope in ("all", "queue=billing", "queue=sales", "team=early", "team=late"):
            expected = naive_agents.measures(bodies, "acme", scope, start, end, closed_ms, EXPIRY_MS)
            held = view.get(f"acme/{scope}/{window}", {"measures": {}, "kpis": {}})
            assert expected == held["measures"], (scope, window, expected, held["measures"])
            if window == "5m" and "agents_staffed" in held["kpis"]:
                now = tuple(held["kpis"][f"agents_{kpi}"]["value"] for kpi in ("staffed", "available"))
                # What expires between two grid points shows at the second.
                moments = (closed_ms, rig.engine.frontier_ms)
                assert now in [naive_agents.staffed(bodies, "acme", scope, at, EXPIRY_MS) for at in moments], scope
    for body in rig.compacted(TOPICS.rollups_1d).values():
        expected = naive_agents.measures(bodies, "acme", body["scope"], body["from"], body["to"], closed_ms, EXPIRY_MS)
        assert expected == body["measures"], body["date"]


def ready() -> Rig:
    rig = Rig()
    rig.to(START_MS - MINUTE)
    rig.policy(shared_part(agent_expiry_seconds=EXPIRY_MS / 1000, scopes=("site", "team")), partner_part(), at_ms=START_MS - MINUTE)
    rig.to(START_MS)
    return rig


def play(story: list[Step], *, crashes: bool) -> None:
    rig, at_ms, bodies = ready(), START_MS, list[dict[str, Any]]()
    for number, step in enumerate(story):
        at_ms += step.after_ms
        body = told(step, f"e{number}", at_ms)
        bodies.append(body)
        rig.send(body, at_ms=at_ms, topic=TOPICS.workforce)
        rig.to(at_ms)
        if crashes and step.value % 3 == 0:
            before = rig.snapshot()
            rig.crash()
            assert rig.snapshot() == before
    for after_ms in (61 * SECOND, 25 * MINUTE, 2 * HOUR):
        at_ms += after_ms
        rig.to(at_ms)
        check(rig, bodies)
    assert rig.letters() == rig.letters(TOPICS.late) == []
    assert rig.engine.counters.get("agents_dropped", 0) == rig.engine.counters.get("agents_not_recounted", 0) == 0


@settings(max_examples=60, deadline=None)
@given(steps)
def test_every_record_holds_the_time_that_a_replay_finds_in_its_window(story: list[Step]) -> None:
    play(story, crashes=False)


@settings(max_examples=30, deadline=None)
@given(steps)
def test_so_it_is_after_crashes(story: list[Step]) -> None:
    play(story, crashes=True)


@settings(max_examples=40, deadline=None)
@given(steps, st.randoms(use_true_random=False))
def test_any_order_of_delivery_and_any_repetition_give_the_same_figures(story: list[Step], random: Random) -> None:
    at_ms, bodies = START_MS, list[dict[str, Any]]()
    for number, step in enumerate(story):
        at_ms += step.after_ms
        bodies.append(told(step, f"e{number}", at_ms))
    rig = ready()
    order = random.sample(bodies, len(bodies))
    for body in [*order, *random.choices(order, k=3)]:
        rig.send(body, at_ms=at_ms, topic=TOPICS.workforce)
        if random.random() < 0.3:
            rig.to(at_ms)
    rig.to(at_ms + 61 * SECOND)
    check(rig, bodies)
    rig.to(at_ms + HOUR)
    check(rig, bodies)
