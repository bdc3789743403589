"""A rule that raises stops no other: it is caught, counted and told of with what it saw, and judged again."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rule_forms import CompositeSpec, DriftSpec
from models.rule_silence import SilenceSpec
from streams.engine import judge
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR, MINUTE

WHEN = {"any": [{"kpi": "service_level", "below": 0.8}]}
RULES = (
    rule(id="ladder", scopes=["partner", "partner/queue"]),
    CompositeSpec.model_validate({"id": "form", "when": WHEN, "window": "5m", "severity": "critical", "for": 0, "min_samples": 1}),
    DriftSpec.model_validate({"id": "drift", "type": "drift", "kpi": "asa", "direction": "above", "reference": 5, "min_samples": 2}),
    SilenceSpec.model_validate({"id": "silent", "type": "feed_silence", "severity": "critical", "for": 0}),
    rule(id="last"),
)


class BrokenError(Exception):
    """What a rule with a bug raises."""


def broken(monkeypatch: pytest.MonkeyPatch, name: str, when: Callable[..., bool]) -> None:
    """Have a step of judging raise where its arguments say so."""
    real: Any = getattr(judge, name)

    def step(*arguments: Any) -> Any:
        if when(*arguments):
            raise BrokenError
        return real(*arguments)

    monkeypatch.setattr(judge, name, step)


def lived(minutes: int = 20) -> Rig:
    """Contacts of one queue that all wait too long."""
    rig = Rig()
    rig.policy(shared_part(*RULES), partner_part(), at_ms=START_MS)
    for second in range(0, minutes * 60, 10):
        at_ms = START_MS + second * SECOND
        rig.send(event("contact.answered", at_ms, f"a{second}", wait_seconds=90.0 + second % 7, queue="billing"), at_ms=at_ms)
        rig.to(at_ms)
    rig.to(START_MS + minutes * MINUTE)
    return rig


def fired(rig: Rig) -> set[tuple[str, str]]:
    return {(each["rule"]["id"], each["scope"]) for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"}


ALL = {("ladder", "all"), ("ladder", "queue=billing"), ("form", "all"), ("drift", "all"), ("last", "all")}


@pytest.mark.parametrize("bad", ["ladder", "form", "drift"])
def test_the_others_go_on_and_it_is_judged_again_once_it_can_be(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    with monkeypatch.context() as patch:
        broken(patch, "evaluate", lambda of, *_: of.id == bad)
        rig = lived()
    assert fired(rig) == {each for each in ALL if each[0] != bad}
    letters = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    assert {orjson.loads(each.value or b"")["rule"] for each in letters} == {bad}
    assert rig.engine.counters["rules_failed"] >= len(letters)
    assert rig.engine.counters["dead_letters.bug"] == len(letters)
    at_ms = START_MS + 20 * MINUTE
    rig.send(event("contact.answered", at_ms, "again", wait_seconds=90.0, queue="billing"), at_ms=at_ms)
    rig.to(START_MS + HOUR)
    assert bad in {each for each, _ in fired(rig)}


def test_a_letter_says_on_what_it_was_raised_and_comes_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "evaluate", lambda of, condition, *_: of.id == "ladder" and condition.scope == "queue=billing")
    rig = lived()
    assert fired(rig) == ALL - {("ladder", "queue=billing")}
    (letter,) = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    said, headers = orjson.loads(letter.value or b""), dict(letter.headers)
    assert (said["partner"], said["rule"], said["scope"], said["window"]) == ("acme", "ladder", "queue=billing", "5m")
    assert said["measures"]["5m"]["answered"] >= 1
    assert (letter.key, headers["dlq.reason"], headers["dlq.topic"]) == (b"acme", b"bug", b"outwatch.policies")
    assert b"BrokenError" in headers["dlq.error"]
    assert rig.engine.counters["rules_failed"] > 50
    at_ms = START_MS + 61 * MINUTE
    rig.send(event("contact.answered", at_ms, "later", queue="billing"), at_ms=at_ms)
    rig.to(at_ms + MINUTE)
    assert len(rig.letters()) == 2


@pytest.mark.parametrize("step", ["attribution", "circumstances"])
def test_an_alert_fires_although_it_cannot_be_told_why(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    broken(monkeypatch, step, lambda *_: True)
    rig = lived()
    assert fired(rig) == ALL
    assert rig.letters()[0][0] == "bug"


def test_a_silence_that_cannot_be_told_stops_no_other_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "decide", lambda *_: True)
    broken(monkeypatch, "silence_due_ms", lambda *_: True)
    rig = lived()
    assert fired(rig) == ALL
    assert {orjson.loads(each.value or b"")["rule"] for each in rig.written if each.topic == TOPICS.dead_letters} == {"silent"}


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([each.id for each in RULES[:3]]), st.sets(st.integers(0, 11), min_size=1))
def test_failures_now_and_then_change_nothing_of_other_rules(bad: str, when: set[int]) -> None:
    def others(rig: Rig) -> list[str]:
        return [each["id"] for each in rig.bodies(TOPICS.alerts) if each["rule"]["id"] != bad]

    expected = others(lived(16))
    with pytest.MonkeyPatch.context() as patch:
        broken(patch, "evaluate", lambda of, _, __, at_ms: of.id == bad and at_ms // 10_000 % 12 in when)
        assert others(lived(16)) == expected
