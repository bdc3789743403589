"""Whoever looks after an incident stands beside its alerts, as long as that is so and no longer."""

from typing import Any

import pytest

from models.commands import ACK
from models.incident_commands import INCIDENT_ACK, INCIDENT_REASSIGN, INCIDENT_RESOLVE, INCIDENT_SNOOZE
from models.windows import MINUTE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.unit.test_engine_commands import LADDER, lost, told
from tests.unit.test_engine_incidents import OPS, RECEIVERS, incident, paged, to


def acks(rig: Rig) -> list[dict[str, Any] | None]:
    """Of every alert that is open, who looks after it, as its state tells."""
    return [each["ack"] for each in rig.compacted(TOPICS.alerts_state).values() if each is not None and each["state"] == "firing"]


def acked(rig: Rig, identity: str = "c1", **payload: Any) -> None:
    told(rig, INCIDENT_ACK, rig.now_ms, identity, incident=incident(rig)["id"], **payload)
    rig.to(rig.now_ms + SECOND)
    rig.crash()


def by_ana(at_ms: int, until: int | None = None) -> dict[str, Any]:
    return {"actor": "ana", "at": at_ms, "until": until, "comment": None}


def test_the_alerts_of_an_acknowledged_incident_say_who_looks_after_them_until_that_time_is_over() -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    assert acks(rig) == [None]
    at_ms, until = rig.now_ms, rig.now_ms + 2 * MINUTE_MS
    acked(rig, until=until)
    assert acks(rig) == [by_ana(at_ms, until)]
    to(rig, until)
    assert acks(rig) == [by_ana(at_ms, until)]
    to(rig, until + 20 * SECOND)
    assert acks(rig) == [None]
    assert rig.rebuilt().snapshot() == rig.snapshot()


@pytest.mark.parametrize(
    ("kind", "payload", "left"),
    [
        (INCIDENT_REASSIGN, {"to": {"receiver": "third"}}, False),
        (INCIDENT_SNOOZE, {"until": START_MS + 20 * MINUTE_MS}, False),
        (INCIDENT_RESOLVE, {}, True),
    ],
)
def test_who_hands_it_over_or_puts_it_off_looks_after_its_alerts_no_more(kind: str, payload: dict[str, Any], *, left: bool) -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    at_ms = rig.now_ms
    acked(rig)
    told(rig, kind, rig.now_ms, "c2", incident=incident(rig)["id"], **payload)
    rig.to(rig.now_ms + SECOND)
    rig.crash()
    assert acks(rig) == [by_ana(at_ms) if left else None]


def test_what_gets_worse_is_looked_after_by_nobody_any_more_and_what_joins_is_by_who_has_the_rest() -> None:
    rig = Rig()
    slow = rule(id="slow", kpi="asa", direction="above", levels=[{"severity": "warning", "enter": 30, "exit": 20, "for": 40}])
    shared = shared_part(rule(levels=LADDER), slow, escalation="ops", escalations=[OPS], receivers=RECEIVERS)
    rig.policy(shared, partner_part(), at_ms=START_MS)
    lost(rig, START_MS)
    rig.send(*(event("contact.answered", START_MS, f"slow{each}", wait_seconds=90.0) for each in range(30)), at_ms=START_MS)
    rig.to(START_MS + 20 * SECOND)
    at_ms = rig.now_ms
    acked(rig)
    assert acks(rig) == [by_ana(at_ms)]
    rig.to(START_MS + 60 * SECOND)
    assert acks(rig) == [by_ana(at_ms)] * 2
    rig.to(START_MS + 90 * SECOND)
    assert rig.kinds()[-1] == "escalated"
    assert acks(rig) == [None] * 2


def test_an_alert_that_is_acknowledged_by_itself_keeps_what_was_said_of_it() -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    fingerprint = rig.bodies(TOPICS.alerts)[-1]["fingerprint"]
    at_ms = rig.now_ms
    told(rig, ACK, at_ms, "c1", fingerprint=fingerprint, comment="on it")
    rig.to(at_ms + SECOND)
    assert acks(rig) == [by_ana(at_ms) | {"comment": "on it"}]
    told(rig, INCIDENT_REASSIGN, rig.now_ms, "c2", incident=incident(rig)["id"], to={"receiver": "third"})
    rig.to(rig.now_ms + SECOND)
    assert acks(rig) == [None]
