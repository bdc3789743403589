"""What tells, suppresses or escalates an alert and raises keeps no alert back: it is counted, told of, and others go on."""

from typing import Any

import orjson
import pytest

import alerts.events
from alerts import Condition, group
from alerts.explanation import LENGTH_MAX, plain
from models.records import AlertEvent
from streams.engine import beside, incidents
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import MINUTE
from tests.unit.test_engine_incidents import OPS, RECEIVERS

SOON = {**OPS, "id": "soon", "group_wait": 0}
SHARED = shared_part(
    rule(id="bad", escalation="ops"),
    rule(id="good", escalation="soon"),
    escalations=[OPS, SOON],
    receivers=RECEIVERS,
)


class BrokenError(Exception):
    """What code with a bug raises."""


def broken(patch: pytest.MonkeyPatch, module: Any, name: str, when: Any) -> None:
    """Have a function raise where its arguments say so."""
    real: Any = getattr(module, name)

    def step(*arguments: Any) -> Any:
        if when(*arguments):
            raise BrokenError
        return real(*arguments)

    patch.setattr(module, name, step)


def begun() -> Rig:
    rig = Rig()
    rig.policy(SHARED, partner_part(), at_ms=START_MS)
    return rig


def live(rig: Rig, from_minute: int, to_minute: int, wait_seconds: float) -> None:
    """Contacts of one queue, one in ten seconds."""
    for second in range(from_minute * 60, to_minute * 60, 10):
        at_ms = START_MS + second * SECOND
        rig.send(event("contact.answered", at_ms, f"a{second}", wait_seconds=wait_seconds), at_ms=at_ms)
        rig.to(at_ms)
    rig.to(START_MS + to_minute * MINUTE)


def story() -> Rig:
    """All wait too long for ten minutes, and nobody does after that; the worker is replaced on the way."""
    rig = begun()
    live(rig, 0, 10, 90.0)
    rig.crash()
    live(rig, 10, 30, 1.0)
    return rig


def told(rig: Rig) -> list[tuple[str, str, int]]:
    return [(each["rule"]["id"], each["transition"]["kind"], each["evaluated_at"]) for each in rig.bodies(TOPICS.alerts)]


def letters(rig: Rig) -> list[dict[str, Any]]:
    return [orjson.loads(each.value or b"") for each in rig.written if each.topic == TOPICS.dead_letters]


def pages(rig: Rig) -> list[tuple[str, str]]:
    states = {key: each for key, each in rig.compacted(TOPICS.incidents).items() if each is not None}
    return [(states[each["incident"]]["escalation"], each["kind"]) for each in rig.bodies(TOPICS.notifications)]


def test_an_alert_whose_sentence_cannot_be_written_has_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = story()
    broken(monkeypatch, alerts.events, "explain", lambda of, *_: of.id == "bad")
    rig = story()
    assert (told(rig), pages(rig)) == (told(expected), pages(expected))
    for each in rig.bodies(TOPICS.alerts):
        AlertEvent.model_validate(each)
        assert ("sentence could not be written" in each["explanation"]) is (each["rule"]["id"] == "bad")
    assert {(each["step"], each["rule"], each["scope"]) for each in letters(rig)} == {("explain", "bad", "all")}
    assert rig.engine.counters["rules_failed"] >= len(letters(rig)) >= 1
    assert rig.engine.counters["dead_letters.bug"] == len(letters(rig))


def test_a_plain_sentence_is_no_longer_than_another() -> None:
    said = plain(Condition("r" * 300, "acme", "queue=billing"), "Acme" * 100)
    assert len(said) == LENGTH_MAX
    assert said.startswith("AcmeAcme")
    assert "…: rrr" in said


@pytest.mark.parametrize("step", ["_reasons", "step", "_turns"])
def test_an_alert_goes_out_and_pages_though_nobody_can_say_what_stands_beside_it(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    expected = story()
    broken(monkeypatch, beside, step, lambda *_: True)
    rig = story()
    assert (told(rig), pages(rig)) == (told(expected), pages(expected))
    assert {(each["step"], each["rule"]) for each in letters(rig)} == {("beside", "bad"), ("beside", "good")}


def test_what_stands_beside_an_alert_is_found_once_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = begun()
    with monkeypatch.context() as patch:
        broken(patch, beside, "step", lambda _, condition, *__: condition.rule_id == "bad")
        live(rig, 0, 5, 90.0)
    live(rig, 5, 30, 1.0)
    expected = story()
    assert rig.engine.snapshot()["partners"]["acme"]["asides"].keys() == expected.engine.snapshot()["partners"]["acme"]["asides"].keys()


@pytest.mark.parametrize(("module", "name"), [(group, "due"), (group, "changed")])
def test_an_escalation_that_raises_stops_no_other(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    expected = story()
    broken(monkeypatch, module, name, lambda incident, *_: incident.policy.id == "ops")
    rig = story()
    assert told(rig) == told(expected)
    assert pages(rig) == [each for each in pages(expected) if each[0] != "ops"] != []
    assert {(each["step"], each["escalation"]) for each in letters(rig)} == {("incident", "ops")}
    assert letters(rig)[0]["alerts"][0]["rule"] == "bad"
    assert rig.engine.counters["rules_failed"] >= len(letters(rig))


def test_news_that_cannot_be_told_to_incidents_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = story()
    broken(monkeypatch, incidents, "news_of", lambda judged, *_: judged.rule.id == "bad")
    rig = story()
    assert told(rig) == told(expected)
    assert pages(rig) == [each for each in pages(expected) if each[0] != "ops"]
    assert {(each["step"], each["rule"]) for each in letters(rig)} == {("incident", "bad")}


def test_what_an_incident_owes_by_itself_is_sent_once_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = begun()
    live(rig, 0, 2, 90.0)
    assert pages(rig) == [("soon", "trigger"), ("ops", "trigger")]
    with monkeypatch.context() as patch:
        broken(patch, group, "due", lambda *_: True)
        live(rig, 2, 8, 90.0)
        assert len(pages(rig)) == 2
    live(rig, 8, 9, 90.0)
    assert len(pages(rig)) == 4
    assert {each["escalation"] for each in letters(rig)} == {"ops", "soon"}
