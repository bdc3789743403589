"""Incidents in an engine: in the commit of the alert that causes them, after every crash, and nothing where no policy asks for them."""

from typing import Any

import orjson
import pytest

from models.commands import ACK
from models.incident_commands import (
    INCIDENT_ABSORB,
    INCIDENT_ACK,
    INCIDENT_COMMENT,
    INCIDENT_REASSIGN,
    INCIDENT_RESOLVE,
    INCIDENT_SNOOZE,
)
from models.incidents import INCIDENT_KEPT_MS
from models.notifications import RESULT
from models.policy import compile_partner
from models.windows import HOUR_MS, MINUTE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, limited, partner_part, rule, shared_part
from tests.unit.test_engine_commands import LADDER, answers, lost, told

RECEIVERS = tuple({"id": each, "type": "webhook", "url": f"https://pages.example/{each}"} for each in ("first", "second", "third"))
OPS: dict[str, Any] = {
    "id": "ops",
    "group_wait": 20,
    "steps": [
        {"tell": [{"receiver": "first"}]},
        {"after": "5m", "tell": [{"receiver": "second"}]},
        {"after": "5m", "tell": [{"receiver": "third"}]},
    ],
}


def paged(levels: list[dict[str, Any]] = LADDER, config: Any = None, **fields: Any) -> Rig:
    """An alert of acme fires at the grid point after START_MS, by a rule that escalates."""
    rig = Rig() if config is None else Rig(config)
    shared = shared_part(
        rule(levels=levels[:1], escalation="ops", runbook="https://runbooks.example/sl"), escalations=[OPS], receivers=RECEIVERS, **fields
    )
    rig.policy(shared, partner_part(), at_ms=START_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert rig.kinds()[-1] == "fired"
    return rig


def pages(rig: Rig) -> list[str]:
    return [f"{each['kind']} {each['receiver']['id']} {each['reason']}" for each in rig.bodies(TOPICS.notifications)]


def incident(rig: Rig) -> dict[str, Any]:
    """The newest state of the one incident."""
    (found,) = [each for each in rig.compacted(TOPICS.incidents).values() if each is not None]
    return dict(found)


def to(rig: Rig, at_ms: int) -> None:
    """Time passes as a worker sees it: it looks every ten seconds, and is replaced after each look."""
    while rig.now_ms < at_ms:
        rig.to(min(at_ms, rig.now_ms + 10 * SECOND))
        rig.crash()


def recover(rig: Rig, at_ms: int) -> None:
    rig.send(*(event("contact.answered", at_ms, f"{at_ms}-{each}", wait_seconds=1.0) for each in range(900)), at_ms=at_ms)


def test_an_alert_opens_an_incident_in_its_own_commit_and_its_page_follows_the_group_wait() -> None:
    rig = paged()
    (commit,) = [each for each in rig.commits if each.transitions]
    assert TOPICS.incidents in {each.topic for each in commit.records}
    assert incident(rig)["stage"] == "wait_group"
    to(rig, START_MS + 60 * SECOND)
    assert pages(rig) == ["trigger first opened"]
    (page,) = rig.bodies(TOPICS.notifications)
    assert page["text"] == incident(rig)["text"]
    assert page["text"].startswith("Acme: service level 0 % in the last 5 min, under 80 % since 15:10 UTC")
    assert (page["runbook"], page["labels"]["rule"]) == ("https://runbooks.example/sl", "sl")


def test_escalation_goes_on_over_every_replacement_of_the_worker_and_ends_with_the_alert() -> None:
    rig = paged()
    to(rig, START_MS + 6 * MINUTE_MS)
    assert pages(rig) == ["trigger first opened", "trigger second not_acknowledged"]
    recover(rig, rig.now_ms)
    to(rig, rig.now_ms + 30 * SECOND)
    assert pages(rig)[2:] == ["resolve first resolved", "resolve second resolved"]
    assert (incident(rig)["attention"], incident(rig)["unseen"], incident(rig)["open"]) == ("resolved", True, 0)
    to(rig, rig.now_ms + 20 * MINUTE_MS)
    assert len(pages(rig)) == 4


def test_a_page_commits_at_once() -> None:
    rig = paged()
    rig.idle(START_MS + 36 * SECOND)
    assert rig.engine.urgent
    rig.commit()
    assert not rig.engine.urgent


def test_an_incident_is_forgotten_eight_days_after_its_end() -> None:
    rig = paged()
    recover(rig, START_MS + 20 * SECOND)
    rig.to(START_MS + 40 * SECOND)
    ended_ms = incident(rig)["ended_at"]
    rig.to(ended_ms + INCIDENT_KEPT_MS - HOUR_MS)
    assert incident(rig)["stage"] == "stopped"
    rig.to(ended_ms + INCIDENT_KEPT_MS + 2 * HOUR_MS)
    assert list(rig.compacted(TOPICS.incidents).values()) == [None]
    assert not [key for key in rig.changelog if key.startswith(b'["incident"')]


@pytest.mark.parametrize("kind", [ACK, INCIDENT_ACK])
def test_whoever_looks_after_the_alert_looks_after_its_incident(kind: str) -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    of = {"fingerprint": rig.bodies(TOPICS.alerts)[-1]["fingerprint"]} if kind == ACK else {"incident": incident(rig)["id"]}
    until = rig.now_ms + 10 * MINUTE_MS
    told(rig, kind, rig.now_ms, "c1", **of, until=until)
    if kind == ACK:  # Of each alert of an incident, and nobody is told each time.
        told(rig, kind, rig.now_ms, "c2", **of, until=until)
    to(rig, START_MS + 8 * MINUTE_MS)
    assert {outcome for _, outcome in answers(rig)} == {"applied"}
    assert incident(rig)["held"]["by"] == "ana"
    assert pages(rig) == ["trigger first opened", "acknowledge first acknowledged"]
    lost(rig, rig.now_ms)  # What was lost before leaves the window.
    to(rig, START_MS + 12 * MINUTE_MS)
    assert pages(rig)[2:] == ["trigger first ack_ended"]


def test_what_is_asked_of_an_incident_is_done_once_and_refused_where_it_cannot_be() -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    identity, other = incident(rig)["id"], "0" * 8 + "-0000-0000-0000-" + "0" * 12
    at_ms = rig.now_ms
    asked: list[tuple[str, dict[str, Any]]] = [
        (INCIDENT_COMMENT, {"comment": "looking"}),
        (INCIDENT_SNOOZE, {"until": at_ms + MINUTE_MS}),
        (INCIDENT_SNOOZE, {"until": at_ms - 1}),
        (INCIDENT_REASSIGN, {"to": {"receiver": "third"}}),
        (INCIDENT_REASSIGN, {"to": {"receiver": "nobody"}}),
        (INCIDENT_ABSORB, {"into": other}),
        (INCIDENT_RESOLVE, {"comment": "done"}),
        (INCIDENT_RESOLVE, {}),
    ]
    for number, (kind, payload) in enumerate(asked):
        for _ in range(2):
            told(rig, kind, at_ms, f"c{number}", incident=identity, **payload)
    told(rig, INCIDENT_ACK, at_ms, "stranger", incident=other)
    told(rig, INCIDENT_ACK, at_ms, "not hers", "bolt", incident=identity)
    rig.to(at_ms + SECOND)
    refused = {name for name, outcome in answers(rig) if outcome == "refused"}
    assert refused == {"c2", "c4", "c7", "stranger", "not hers"}
    found = incident(rig)
    assert (found["attention"], found["resolved_by"], found["absorbed_by"]) == ("resolved", "ana", other)
    assert [each["text"] for each in found["timeline"] if each["what"] in {"commented", "resolved"}] == ["looking", "done"]
    assert pages(rig) == [
        *("trigger first opened", "acknowledge first acknowledged", "trigger third reassigned"),
        *("resolve first resolved", "resolve third resolved"),
    ]


def test_a_page_that_is_refused_advances_the_tier_and_no_result_is_answered() -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    (page,) = rig.bodies(TOPICS.notifications)
    said = {"notification": page["id"], "incident": page["incident"], "outcome": "rejected", "detail": "404"}
    for _ in range(2):
        told(rig, RESULT, rig.now_ms, "r1", **said)
    told(rig, RESULT, rig.now_ms, "r2", **said | {"incident": "gone"})
    to(rig, rig.now_ms + 20 * SECOND)
    assert pages(rig)[1:] == ["trigger second rejected"]
    assert answers(rig) == []
    assert rig.snapshot()["done"] == {}


def test_a_policy_that_changes_while_an_incident_is_open_changes_nothing_of_it() -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    rig.policy(shared_part(rule(levels=LADDER[:1])), at_ms=rig.now_ms)
    to(rig, START_MS + 6 * MINUTE_MS)
    assert pages(rig) == ["trigger first opened", "trigger second not_acknowledged"]
    rig.policy(shared_part(), at_ms=rig.now_ms)
    to(rig, rig.now_ms + 30 * SECOND)
    assert pages(rig)[2:] == ["resolve first resolved", "resolve second resolved"]


def test_a_partner_that_leaves_ends_its_incidents() -> None:
    rig = paged()
    to(rig, START_MS + 60 * SECOND)
    rig.drop("acme", rig.now_ms)
    to(rig, rig.now_ms + 30 * SECOND)
    assert pages(rig)[1:] == ["resolve first resolved"]


def test_a_downtime_pages_once_by_the_tier_that_is_due_now() -> None:
    rig = paged()
    rig.to(START_MS + 60 * SECOND)
    for minute in range(2, 12):
        lost(rig, START_MS + minute * MINUTE_MS)
    rig.now_ms = START_MS + 12 * MINUTE_MS
    rig.poll()
    rig.idle(rig.now_ms)
    rig.commit()
    assert pages(rig) == ["trigger first opened", "trigger third not_acknowledged"]
    assert [each["late"] for each in rig.bodies(TOPICS.notifications)] == [False, True]


def test_what_fired_and_ended_while_everything_was_down_is_recorded_and_pages_nobody() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(escalation="ops"), escalations=[OPS], receivers=RECEIVERS), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    lost(rig, START_MS)
    recover(rig, START_MS + 60 * SECOND)
    rig.now_ms = START_MS + HOUR_MS
    rig.poll()
    rig.to(rig.now_ms)
    assert rig.kinds()[:2] == ["fired", "resolved"]
    assert pages(rig) == []
    assert (incident(rig)["attention"], incident(rig)["unseen"]) == ("resolved", True)


def test_without_escalations_nothing_is_another_than_it_was() -> None:
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 60 * SECOND)
    assert {each.topic for each in rig.written}.isdisjoint({TOPICS.incidents, TOPICS.notifications})
    assert not rig.engine.counters.keys() & {"incidents_opened", "notifications", "empty_shifts"}


def test_who_is_told_changes_no_revision_of_a_rule_and_that_of_the_policy() -> None:
    plain, own = rule(), partner_part()
    assert rule(escalation="ops").compiled.revision == plain.compiled.revision
    assert "escalation" not in plain.canonical
    before = compile_partner(shared_part(plain), own, "acme").revision
    after = compile_partner(shared_part(plain, escalations=[OPS], receivers=RECEIVERS, escalation="ops"), own, "acme").revision
    assert before != after
    assert compile_partner(shared_part(plain, receivers=RECEIVERS), own, "acme").revision == before


def test_the_default_of_a_partner_holds_where_its_rule_says_nothing() -> None:
    shared = shared_part(rule(), escalations=[OPS, OPS | {"id": "night"}], escalation="ops")
    paging = compile_partner(shared, partner_part(escalation="night"), "acme").paging
    assert paging is not None
    assert [found and found.id for found in map(paging.escalation_of, (None, "ops", "gone"))] == ["night", "ops", None]
    paging = compile_partner(shared, partner_part("bolt"), "bolt").paging
    assert paging is not None
    assert paging.escalation_of(None) == shared.escalations[0]


def test_over_the_limit_what_ended_goes_first_and_then_nothing_opens_which_is_counted() -> None:
    rig = Rig(limited(incidents=1))
    shared = shared_part(
        rule(escalation="ops"), rule(id="two", escalation="each"), escalations=[OPS, OPS | {"id": "each"}], receivers=RECEIVERS
    )
    rig.policy(shared, partner_part(), at_ms=START_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert rig.engine.counters["incidents_dropped"] == 1
    recover(rig, START_MS + 20 * SECOND)
    rig.to(START_MS + 40 * SECOND)
    rig.to(START_MS + 10 * MINUTE_MS)
    lost(rig, rig.now_ms)
    rig.to(rig.now_ms + 16 * SECOND)
    assert len(rig.snapshot()["incidents"]) == 1
    assert rig.engine.counters["incidents_forgotten_early"] == 1
    assert orjson.dumps(incident(rig))
