"""Inhibition and flapping in the engine: an alert that explains others, and one that comes and goes."""

from typing import Any

from models.windows import MINUTE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.unit.test_engine_commands import lost

LOW = rule(id="low", window="5m", recover_for=0)
SLOW = rule(
    id="slow",
    kpi="asa",
    direction="above",
    window="5m",
    recover_for=60,
    levels=[{"severity": "warning", "enter": 30, "exit": 20, "for": 0}],
)
EXPLAINS = {"source": {"rule": "slow"}, "target": {"rule": "low"}}


def told(rig: Rig, rule_id: str) -> list[tuple[str, list[str], int]]:
    """Of a rule every event: its kind, why its page waits, and when it was in seconds since the start."""
    bodies = [each for each in rig.bodies(TOPICS.alerts) if each["rule"]["id"] == rule_id]
    return [(each["transition"]["kind"], each["suppressed_by"], (each["evaluated_at"] - START_MS) // SECOND) for each in bodies]


def began(*inhibit: dict[str, Any]) -> Rig:
    rig = Rig()
    rig.policy(shared_part(LOW, SLOW, inhibit=inhibit), partner_part(), at_ms=START_MS - MINUTE_MS)
    rig.to(START_MS - MINUTE_MS)
    return rig


def waited(rig: Rig, at_ms: int, seconds: float, number: int = 100) -> None:
    rig.send(*(event("contact.answered", at_ms, f"{at_ms}.{each}", wait_seconds=seconds) for each in range(number)), at_ms=at_ms)


def live(rig: Rig, to_ms: int) -> None:
    """Time passes in steps, so that nothing is late."""
    for at_ms in range(rig.now_ms, to_ms, 30 * SECOND):
        rig.to(at_ms)
    rig.to(to_ms)


def test_an_alert_that_another_explains_waits_until_a_minute_after_that_one_resolved() -> None:
    rig = began(EXPLAINS)
    waited(rig, START_MS, 90.0, 10)
    live(rig, START_MS + 16 * SECOND)
    assert told(rig, "low") == [("fired", ["inhibited"], 10)]
    assert told(rig, "slow") == [("fired", [], 10)]
    for _ in range(5):
        lost(rig, START_MS + MINUTE_MS + _)
    live(rig, START_MS + 2 * MINUTE_MS)
    waited(rig, START_MS + 2 * MINUTE_MS, 1.0)
    live(rig, START_MS + 2 * MINUTE_MS + 20 * SECOND)
    assert [each[0] for each in told(rig, "slow")] == ["fired", "recovering"]
    rig.crash()
    live(rig, START_MS + 14 * MINUTE_MS)
    resolved = told(rig, "slow")[-1]
    assert resolved[:2] == ("resolved", [])
    assert told(rig, "low")[1] == ("suppression_ended", [], resolved[2] + 60)


def test_a_target_waits_for_its_source_which_may_fire_a_little_later() -> None:
    rig = began(EXPLAINS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert told(rig, "low") == [("fired", ["inhibited"], 10)]
    waited(rig, START_MS + 30 * SECOND, 90.0)
    live(rig, START_MS + 3 * MINUTE_MS)
    assert told(rig, "slow") == [("fired", [], 40)]
    assert len(told(rig, "low")) == 1


def test_without_a_source_a_target_pages_when_it_has_waited() -> None:
    rig = began(EXPLAINS)
    lost(rig, START_MS)
    live(rig, START_MS + 2 * MINUTE_MS)
    assert told(rig, "low") == [("fired", ["inhibited"], 10), ("suppression_ended", [], 60)]


def test_only_alerts_that_are_alike_in_what_is_equal_are_held_back() -> None:
    rig = Rig()
    queues = LOW.model_copy(update={"scopes": ("partner/queue",)}), SLOW.model_copy(update={"scopes": ("partner/queue",)})
    rig.policy(shared_part(*queues, inhibit=[EXPLAINS | {"equal": ["scope"], "wait": 0}]), partner_part(), at_ms=START_MS - MINUTE_MS)
    rig.to(START_MS - MINUTE_MS)
    for number in range(100):
        rig.send(
            event("contact.answered", START_MS, f"a{number}", queue="a", wait_seconds=90.0),
            event("contact.abandoned", START_MS, f"b{number}", queue="b"),
            at_ms=START_MS,
        )
    rig.to(START_MS + 16 * SECOND)
    low = {each["scope"]: each["suppressed_by"] for each in rig.bodies(TOPICS.alerts) if each["rule"]["id"] == "low"}
    assert low == {"queue=a": ["inhibited"], "queue=b": []}


def test_an_alert_that_comes_and_goes_stops_to_page_and_pages_again_once_it_stays() -> None:
    rig = Rig()
    rig.policy(shared_part(LOW), partner_part(), at_ms=START_MS - MINUTE_MS)
    rig.to(START_MS - MINUTE_MS)
    for turn in range(5):
        lost(rig, START_MS + turn * 12 * MINUTE_MS)
        live(rig, START_MS + (turn * 12 + 6) * MINUTE_MS)
        waited(rig, START_MS + (turn * 12 + 6) * MINUTE_MS, 1.0)
        live(rig, START_MS + (turn * 12 + 11) * MINUTE_MS)
        rig.crash()
    fired = [why for kind, why, _ in told(rig, "low") if kind == "fired"]
    assert fired == [[], [], [], ["flapping"], ["flapping"]]
    assert [why for kind, why, _ in told(rig, "low") if kind == "resolved"] == [[]] * 5
    for minute in range(60, 160, 2):
        lost(rig, START_MS + minute * MINUTE_MS)
        live(rig, START_MS + (minute + 2) * MINUTE_MS)
    assert [kind for kind, _, _ in told(rig, "low")][-2:] == ["fired", "suppression_ended"]
    rig.to(START_MS + 400 * MINUTE_MS)
    assert not [key for key in rig.changelog if key.startswith(b'["aside"')]
