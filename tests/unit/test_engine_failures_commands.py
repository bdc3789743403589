"""What raises at a command of an incident, at what a notifier answers, or at what an alert weighs, ends no worker and stops nobody else."""

from typing import Any

import pytest

from alerts import attention
from models.criticality import Criticality
from models.incident_commands import INCIDENT_ACK, INCIDENT_COMMENT
from models.notifications import RESULT
from models.reasons import RejectReason
from models.windows import HOUR_MS
from streams.engine import incidents
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, partner_part, rule, shared_part
from tests.unit.test_engine_commands import LADDER, answers, lost, told
from tests.unit.test_engine_failures_beside import broken, letters
from tests.unit.test_engine_incidents import OPS, RECEIVERS, incident, paged, pages


def asked(rig: Rig, kind: str, number: int, at_ms: int, **payload: Any) -> None:
    told(rig, kind, at_ms, f"{kind}{number}", incident=incident(rig)["id"], **payload)
    rig.to(at_ms)


def test_a_command_at_which_our_code_raises_is_refused_and_the_next_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = paged()
    with monkeypatch.context() as patch:
        broken(patch, attention, "acknowledge", lambda *_: True)
        for number in range(3):
            asked(rig, INCIDENT_ACK, number, START_MS + (20 + number) * SECOND)
    asked(rig, INCIDENT_COMMENT, 1, START_MS + 30 * SECOND, comment="a look")
    assert [outcome for _, outcome in answers(rig)] == ["refused"] * 3 + ["applied"]
    assert incident(rig)["held"] is None
    assert rig.engine.counters["commands_failed"] == 3
    assert rig.letters() == [(RejectReason.BUG, 0)]
    assert letters(rig)[0]["type"] == INCIDENT_ACK
    asked(rig, INCIDENT_ACK, 0, START_MS + 40 * SECOND)
    assert incident(rig)["held"]["by"] == "ana", "it was not taken for done"


def test_of_a_type_of_command_one_is_a_letter_in_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = paged()
    broken(monkeypatch, attention, "answered", lambda *_: True)
    for number in range(140):
        result = {"notification": f"n{number}", "incident": incident(rig)["id"], "outcome": "rejected", "detail": "410"}
        told(rig, RESULT, START_MS + (20 + 60 * number) * SECOND, f"r{number}", **result)
        rig.to(START_MS + (20 + 60 * number) * SECOND)
    assert rig.engine.counters["commands_failed"] == 140
    assert len(letters(rig)) == rig.engine.counters[f"dead_letters.{RejectReason.BUG}"] == 1 + 139 * 60 * SECOND // HOUR_MS
    assert answers(rig) == [], "what the notifier says is never answered"


def test_an_alert_whose_weight_cannot_be_found_goes_out_and_pages_as_one_that_weighs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weighing = {"partner": {"risk": 3}, "raise_from": 3}

    def story() -> Rig:
        rig = Rig()
        shared = shared_part(rule(levels=LADDER[:1], escalation="ops"), escalations=[OPS], receivers=RECEIVERS, criticality=weighing)
        rig.policy(shared, partner_part(), at_ms=START_MS)
        lost(rig, START_MS)
        rig.to(START_MS + 16 * SECOND)
        rig.to(START_MS + 60 * SECOND)
        return rig

    expected = story()
    broken(monkeypatch, Criticality, "told", lambda *_: True)
    rig = story()
    assert rig.alerts() == expected.alerts()
    assert pages(rig) == pages(expected) != []
    severities = [{each["severity"] for each in one.bodies(TOPICS.alerts)} for one in (expected, rig)]
    assert severities == [{"critical"}, {"warning"}]
    assert {each["step"] for each in letters(rig)} == {"weigh"}
    assert rig.engine.counters["rules_failed"] >= len(letters(rig)) == 1


def test_an_incident_pages_though_nobody_can_say_beside_its_alerts_who_looks_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = paged()
    rig.to(START_MS + 50 * SECOND)
    broken(monkeypatch, incidents, "attend", lambda *_: True)
    asked(rig, INCIDENT_ACK, 1, START_MS + 50 * SECOND)
    assert incident(rig)["held"]["by"] == "ana"
    assert pages(rig)[-1] == "acknowledge first acknowledged"
    rig.to(START_MS + 120 * SECOND)
    assert letters(rig)[0]["step"] == "incident"
