"""Scopes beside queues and channels: sites, teams, reasons, activities and segments, where a policy asks for them."""

from typing import Any

import pytest

from models.windows import Scope
from streams.engine.sides import NAMES_MAX
from tests.conditions import START_MS
from tests.customs import own_kpi
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE

_MISSING: dict[str, Any] = {"measures": {}, "kpis": {}}


def split(*scopes: str, **fields: Any) -> Rig:
    rig = Rig()
    rig.policy(shared_part(scopes=scopes, **fields), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    return rig


def tell(rig: Rig, kind: str, identity: str, **fields: Any) -> None:
    at_ms = fields.pop("at_ms", rig.now_ms)
    topic = fields.pop("topic", TOPICS.interactions)
    rig.send(event(kind, at_ms, identity, **fields), at_ms=rig.now_ms, topic=topic)


def measures(rig: Rig, scope: str, window: str = "1h") -> dict[str, int]:
    """Of the newest record, bins left out."""
    found = rig.figures().get(f"acme/{scope}/{window}", _MISSING)["measures"]
    return {name: count for name, count in found.items() if not name.endswith("_bins")}


def figure(rig: Rig, scope: str, kpi: str, window: str = "5m") -> Any:
    return rig.figures()[f"acme/{scope}/{window}"]["kpis"].get(kpi, {"value": "absent"})


def later(rig: Rig, after_ms: int = 11 * SECOND) -> None:
    rig.to(rig.now_ms + after_ms)


def test_an_event_counts_once_in_the_whole_and_once_in_each_of_its_sides() -> None:
    rig = split("site", "team", "reason", "segment")
    sides = {"site": "lisbon", "team": "early", "reason": "refund", "segment": "gold"}
    tell(rig, "contact.completed", "c1", queue="billing", channel="voice", **sides)
    tell(rig, "contact.completed", "c2", site="lisbon")
    later(rig)
    assert measures(rig, "all")["handled"] == measures(rig, "site=lisbon")["handled"] == 2
    for scope in ("queue=billing", "channel=voice", "team=early", "reason=refund", "segment=gold"):
        assert measures(rig, scope)["handled"] == 1, scope
        assert rig.figures()[f"acme/{scope}/1h"]["kpis"]["aht"]["n"] == 1


def test_nothing_is_split_that_the_policy_does_not_ask_for() -> None:
    rig = split("team")
    tell(rig, "contact.completed", "c1", site="lisbon", team="early", reason="refund")
    later(rig)
    assert {body["scope"] for body in rig.bodies(TOPICS.kpis)} == {"all", "team=early"}


def test_a_partner_may_be_split_otherwise_than_the_others() -> None:
    rig = Rig()
    rig.policy(shared_part(scopes=["site"]), partner_part("acme", scopes=["team"]), partner_part("bolt"), at_ms=START_MS)
    rig.to(START_MS)
    for partner in ("acme", "bolt"):
        tell(rig, "contact.completed", "c1", partner=partner, site="lisbon", team="early")
    later(rig)
    found = {(body["partner"], body["scope"]) for body in rig.bodies(TOPICS.kpis)}
    assert found == {("acme", "all"), ("acme", "team=early"), ("bolt", "all"), ("bolt", "site=lisbon")}


def test_an_activity_is_what_the_event_says_or_the_policy_makes_of_its_reason_or_its_queue() -> None:
    rig = Rig()
    shared = shared_part(
        scopes=["activity"], activities={"queues": {"billing": "accounts", "care": "service"}, "reasons": {"refund": "claims"}}
    )
    rig.policy(shared, partner_part(activities={"queues": {"care": "retention"}}), at_ms=START_MS)
    rig.to(START_MS)
    for number, fields in enumerate(
        ({"queue": "billing"}, {"queue": "billing", "reason": "refund"}, {"queue": "care"}, {"queue": "care", "activity": "sales"}, {})
    ):
        tell(rig, "contact.completed", f"c{number}", **fields)
    later(rig)
    found = {body["scope"]: body["measures"]["handled"] for body in rig.figures().values() if body["scope"].startswith("activity=")}
    assert found == {"activity=accounts": 1, "activity=claims": 1, "activity=retention": 1, "activity=sales": 1}


def test_every_family_counts_by_its_sides() -> None:
    rig = split("site", "team")
    sides = {"site": "lisbon", "team": "early"}
    tell(rig, "survey.response", "s1", topic=TOPICS.surveys, **sides)
    tell(rig, "quality.evaluated", "q1", topic=TOPICS.quality, **sides)
    tell(rig, "ticket.opened", "t1", **sides)
    tell(rig, "contact.record", "r1", **sides)
    tell(rig, "agent.state", "a1", topic=TOPICS.workforce, **sides)
    later(rig, 25 * SECOND)
    for scope in ("site=lisbon", "team=early"):
        found = measures(rig, scope)
        assert {found[name] for name in ("csat_5", "evaluated", "opened", "handled", "arrivals")} == {1}, scope
        assert found["idle_ms"] == 20 * SECOND, scope
        assert (figure(rig, scope, "backlog")["value"], figure(rig, scope, "agents_staffed")["value"]) == (1, 1)


def test_a_record_sent_again_moves_from_one_site_to_the_other() -> None:
    rig = split("site")
    tell(rig, "contact.record", "r1", contact_id="c1", site="lisbon", updated_at=START_MS)
    later(rig, MINUTE)
    tell(rig, "contact.record", "r2", contact_id="c1", site="porto", updated_at=START_MS + 1)
    later(rig, MINUTE)
    rig.to(rig.now_ms + MINUTE)
    assert measures(rig, "site=lisbon") == {}
    assert measures(rig, "site=porto")["handled"] == measures(rig, "all")["handled"] == 1


def test_a_ticket_counts_where_each_of_its_events_says() -> None:
    rig = split("site")
    tell(rig, "ticket.opened", "t1", contact_id="t", site="lisbon")
    later(rig)
    rig.crash()
    tell(rig, "ticket.solved", "t2", contact_id="t", site="porto")
    later(rig)
    assert (measures(rig, "site=lisbon"), measures(rig, "site=porto")["solved"]) == ({"opened": 1}, 1)
    assert figure(rig, "site=lisbon", "backlog")["value"] == 0


def test_schedules_and_reasons_of_leaving_are_no_activities_and_contact_reasons() -> None:
    rig = split("activity", "reason")
    tell(rig, "agent.scheduled", "a1", topic=TOPICS.workforce, **{"from": START_MS, "to": START_MS + HOUR})
    tell(rig, "agent.left", "a2", topic=TOPICS.workforce, reason="resigned")
    later(rig, HOUR)
    assert {body["scope"] for body in rig.bodies(TOPICS.kpis)} == {"all"}


def test_names_over_the_limit_count_as_other_and_are_counted() -> None:
    rig = split("reason")
    for number in range(NAMES_MAX + 3):
        tell(rig, "contact.completed", f"c{number}", reason=f"r{number:03}", contact_id=f"x{number}")
    tell(rig, "ticket.opened", "t1", reason="r001")
    later(rig)
    assert measures(rig, "reason=other")["handled"] == 3
    assert measures(rig, "reason=r001") == measures(rig, "reason=r002") | {"opened": 1}
    assert measures(rig, "all")["handled"] == NAMES_MAX + 3
    assert rig.engine.counters["cells_folded"] == 3


def test_names_that_counted_apart_do_so_after_a_restart_and_a_change_of_policy() -> None:
    rig = split("reason")
    for number in reversed(range(NAMES_MAX + 3)):
        tell(rig, "contact.completed", f"c{number}", reason=f"r{number:03}", contact_id=f"x{number}")
    later(rig)
    rig.crash()
    for again in ("after the crash", "under another policy"):
        tell(rig, "contact.completed", f"first {again}", reason="r000", contact_id=f"first {again}")
        tell(rig, "contact.completed", f"last {again}", reason="r102", contact_id=f"last {again}")
        later(rig)
        rig.policy(shared_part(scopes=("site", "reason")), partner_part(), at_ms=rig.now_ms)
        later(rig)
    assert (measures(rig, "reason=other")["handled"], measures(rig, "reason=r102")["handled"]) == (5, 3)


def test_a_side_that_falls_silent_goes_with_a_tombstone_a_restart_notwithstanding() -> None:
    rig = Rig()
    rig.policy(shared_part(scopes=["site"], windows=["5m", "1h"]), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    tell(rig, "contact.completed", "c1", site="lisbon")
    later(rig)
    rig.crash()
    later(rig, 2 * HOUR)
    rig.now_ms += 2 * MINUTE
    rig.commit()
    assert rig.compacted(TOPICS.kpis)["acme/site=lisbon/1h"] is None


def test_a_side_that_the_policy_does_not_ask_for_any_more_goes_with_a_tombstone() -> None:
    rig = split("site")
    tell(rig, "contact.completed", "c1", site="lisbon")
    later(rig)
    assert measures(rig, "site=lisbon")
    rig.policy(shared_part(), at_ms=rig.now_ms)
    later(rig)
    rig.now_ms += 2 * MINUTE
    rig.commit()
    assert rig.compacted(TOPICS.kpis)["acme/site=lisbon/1h"] is None
    assert measures(rig, "all")["handled"] == 1


def test_what_was_counted_before_the_policy_changed_is_corrected_where_it_stands() -> None:
    rig = split("site")
    tell(rig, "ticket.opened", "t1", contact_id="t", site="lisbon", at_ms=START_MS - MINUTE)
    tell(rig, "contact.record", "r1", contact_id="c1", site="lisbon", updated_at=START_MS)
    later(rig)
    rig.policy(shared_part(scopes=["team"]), at_ms=rig.now_ms)
    later(rig)
    tell(rig, "ticket.opened", "t2", contact_id="t", site="porto", team="early", at_ms=START_MS - 2 * MINUTE)
    tell(rig, "contact.record", "r2", contact_id="c1", site="lisbon", team="early", updated_at=START_MS + 1)
    later(rig)
    later(rig, MINUTE)
    assert measures(rig, "team=early")["opened"] == measures(rig, "team=early")["handled"] == measures(rig, "all")["handled"] == 1
    assert sum(counter.endswith("not_recounted") for counter, count in rig.engine.counters.items() if count) == 0
    rig.policy(shared_part(scopes=["site"]), at_ms=rig.now_ms)
    later(rig)
    later(rig, 6 * MINUTE)
    assert measures(rig, "site=lisbon") == {}


def test_where_nobody_who_gave_up_names_a_team_no_team_has_a_service_level() -> None:
    rig = split("team")
    for number in range(5):
        tell(rig, "contact.answered", f"a{number}", team="early")
    later(rig)
    assert figure(rig, "team=early", "service_level")["value"] == 1
    tell(rig, "contact.abandoned", "b1")
    later(rig)
    level, rate = (figure(rig, "team=early", kpi) for kpi in ("service_level", "abandon_rate"))
    assert (level["value"], level["n"], level["status"], rate["value"]) == (None, 0, "not_applicable", None)
    assert figure(rig, "team=early", "asa")["value"] == 10
    tell(rig, "contact.abandoned", "b2", team="late")
    later(rig)
    assert (figure(rig, "team=early", "service_level")["value"], figure(rig, "team=late", "abandon_rate")["value"]) == (1, 1)


def test_the_answered_alone_have_a_service_level_whoever_gave_up() -> None:
    rig = split("team", definition={"service_level": {"variant": "answered_only"}})
    tell(rig, "contact.answered", "a1", team="early")
    tell(rig, "contact.abandoned", "b1")
    later(rig)
    assert figure(rig, "team=early", "service_level")["value"] == 1
    assert figure(rig, "team=early", "abandon_rate")["value"] is None


def test_who_waits_is_known_of_sides_that_are_named_at_queueing_and_of_no_others() -> None:
    rig = split("reason", "team")
    tell(rig, "contact.queued", "q1", contact_id="c1", reason="refund", queue="billing")
    tell(rig, "contact.completed", "d1", contact_id="c0", reason="order", team="early")
    later(rig)
    later(rig, 5 * SECOND)
    assert [figure(rig, scope, "in_queue")["value"] for scope in ("all", "reason=refund", "reason=order")] == [1, 1, 0]
    assert figure(rig, "team=early", "in_queue")["value"] == "absent"
    rig.crash()
    later(rig, 30 * SECOND)
    assert figure(rig, "reason=refund", "waiting_past_threshold")["value"] == 1
    later(rig, 5 * HOUR)
    later(rig, MINUTE)
    assert measures(rig, "reason=refund", "24h")["expired"] == measures(rig, "all", "24h")["expired"] == 1


def test_a_rule_judges_every_site_by_itself() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(scopes=["partner/site"]), scopes=["site"]), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    for number in range(10):
        tell(rig, "contact.answered", f"l{number}", site="lisbon", wait_seconds=300.0)
        tell(rig, "contact.answered", f"p{number}", site="porto")
    later(rig, 20 * SECOND)
    assert [each[:2] for each in rig.alerts()] == [("site=lisbon", "fired")]


@pytest.mark.parametrize("late_ms", [20 * MINUTE, 3 * HOUR, 3 * DAY])
def test_what_is_late_counts_by_its_side_in_whatever_pane_holds_its_time(late_ms: int) -> None:
    rig = split("site")
    tell(rig, "contact.completed", "c0", site="lisbon")
    later(rig, MINUTE)
    tell(rig, "contact.completed", "c1", site="lisbon", at_ms=rig.now_ms - late_ms)
    later(rig, MINUTE)
    later(rig, MINUTE)
    assert measures(rig, "site=lisbon", "7d")["handled"] == measures(rig, "all", "7d")["handled"] == 2
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before


def test_a_closed_day_has_a_record_of_each_side() -> None:
    rig = split("site")
    tell(rig, "contact.completed", "c1", site="lisbon")
    later(rig, 2 * DAY)
    (body,) = [each for each in rig.compacted(TOPICS.rollups_1d).values() if each["scope"] == "site=lisbon"]
    assert body["measures"]["handled"] == 1


def test_contacts_of_two_thresholds_add_up_in_a_site_and_are_not_taken_for_another_definition() -> None:
    rig = Rig()
    chat = {"chat": {"service_level": {"threshold_seconds": 60}}}
    rig.policy(shared_part(scopes=["site"], definition={"min_samples": 1}), partner_part(channels=chat), at_ms=START_MS)
    rig.to(START_MS)
    tell(rig, "contact.answered", "a1", site="lisbon", channel="chat", wait_seconds=40.0)
    tell(rig, "contact.answered", "a2", site="lisbon", channel="voice", wait_seconds=40.0)
    later(rig)
    level = figure(rig, "site=lisbon", "service_level")
    assert (level["numerator"], level["denominator"], level["status"]) == (1, 2, "no_target")
    assert "by their own limits" in level["definition"]
    rig.policy(partner_part(channels={"chat": {"service_level": {"threshold_seconds": 90}}}), at_ms=rig.now_ms)
    later(rig)
    later(rig, 6 * MINUTE)
    assert figure(rig, "site=lisbon", "service_level", "1h")["status"] == "insufficient"


def test_scopes_read_as_they_are_written() -> None:
    for text in ("site=lisbon", "team=a=b", "reason=50 % off", "activity=x/y", "segment=gold"):
        assert str(Scope.parse(text)) == text


def test_a_kpi_of_the_policys_own_is_counted_by_site_too_and_corrected_there() -> None:
    where = {"where": {"segment": "gold"}}
    terms = {"numerator": {"count": "contact.completed", **where}, "denominator": {"count": "contact.completed"}}
    spec = own_kpi("gold_share", unit="ratio", better="higher", **terms)
    rig = split("site", kpis=[spec])
    tell(rig, "contact.record", "r1", contact_id="c1", site="lisbon", segment="gold", updated_at=START_MS)
    later(rig)
    assert figure(rig, "site=lisbon", "gold_share")["value"] == 1
    tell(rig, "contact.record", "r2", contact_id="c1", site="porto", segment="gold", updated_at=START_MS + 1)
    later(rig)
    later(rig)
    assert (measures(rig, "site=lisbon"), figure(rig, "site=porto", "gold_share")["n"]) == ({}, 1)
    assert figure(rig, "all", "gold_share")["n"] == 1
