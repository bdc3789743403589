"""From when on definitions hold: which changes matter, to which scopes, and what a restart makes of them."""

from typing import Any

from models.measures import Family
from models.policy import PartnerPart, PartnerPolicy, SharedPart, compile_partner
from models.windows import Scope
from streams.engine.since import Since
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE, QUARTER

ALL, BILLING, VOICE, CHAT = Scope("all"), Scope("queue", "billing"), Scope("channel", "voice"), Scope("channel", "chat")


def policy(**fields: Any) -> PartnerPolicy:
    return compile_partner(SharedPart(), PartnerPart.model_validate({"id": "acme", "name": "Acme", **fields}), "acme")


def within(seconds: int) -> dict[str, Any]:
    return {"service_level": {"threshold_seconds": seconds}}


def changed(before: PartnerPolicy, after: PartnerPolicy) -> Since:
    since = Since(before)
    since.change(after, START_MS, 0)
    return since


def test_what_does_not_touch_counting_holds_always() -> None:
    calm = {"targets": {"csat": {"target": 0.9}}, "min_samples": 3, "csat": {"top_boxes": 1}, "ces": {"direction": "effort"}}
    assert changed(policy(), policy(definition=calm, timezone="Asia/Kolkata")).at_ms == {}
    assert changed(policy(), policy(channels={"chat": {}}, queues={"billing": within(20)})).at_ms == {}, "it says what held anyway"


def test_a_change_bears_on_all_and_on_what_has_no_limits_of_its_own() -> None:
    since = changed(policy(channels={"chat": within(60)}), policy(definition=within(30), channels={"chat": within(60)}))
    assert [since.holds_from("basis", scope) for scope in (ALL, BILLING, VOICE, CHAT)] == [START_MS, START_MS, START_MS, 0]
    assert since.holds_from("csat", ALL) == 0


def test_a_change_of_a_channel_bears_on_queues_and_on_no_other_channel() -> None:
    since = changed(policy(), policy(channels={"chat": {"csat": {"scale_max": 10}}}))
    assert [since.holds_from("csat", scope) for scope in (ALL, BILLING, VOICE, CHAT)] == [START_MS, START_MS, 0, START_MS]


def test_what_changes_back_holds_from_then_on() -> None:
    since = changed(policy(), policy(definition=within(30)))
    since.change(policy(), START_MS + HOUR, 0)
    assert since.holds_from("basis", ALL) == START_MS + HOUR
    since.change(policy(definition={"ces": {"scale_max": 5}}), START_MS + DAY, START_MS + 2 * HOUR)
    assert since.at_ms == {"ces": START_MS + DAY}, "of what is stored no more nothing needs to be known"


def test_repeats_hold_from_the_next_quarter_hour_on() -> None:
    since = changed(policy(definition={"repeat_window_seconds": 3600}), policy(definition={"repeat_window_seconds": 7200}))
    quarter_ms = START_MS - START_MS % QUARTER + QUARTER
    assert since.holds_from("repeats", ALL) == quarter_ms
    mixed = 1 << Family.HISTORY
    told = dict(since.later(policy(definition={"repeat_window_seconds": 7200}), ALL, START_MS, mixed))
    assert told == dict.fromkeys(("fcr", "repeat_rate"), quarter_ms)
    assert since.later(policy(), ALL, START_MS, 1 << Family.INTERACTIONS) == ()


def figure(rig: Rig, kpi: str, window: str) -> dict[str, Any]:
    found: dict[str, Any] = rig.figures()[f"acme/all/{window}"]["kpis"][kpi]
    return found


def counted() -> Rig:
    rig = Rig()
    rig.policy(partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    for number in range(30):
        rig.send(event("contact.answered", START_MS, f"a{number}", wait_seconds=25.0), at_ms=START_MS)
    rig.send(event("contact.answered", START_MS + 90 * SECOND, "ahead"), at_ms=START_MS)
    rig.to(START_MS + 10 * SECOND)
    return rig


def test_a_figure_holds_from_the_first_pane_of_which_nothing_was_counted() -> None:
    rig = counted()
    rig.policy(partner_part(definition=within(30)), at_ms=START_MS + 20 * SECOND)
    rig.to(START_MS + 30 * SECOND)
    told = figure(rig, "service_level", "15m")
    assert (told["holds_from"], told["status"], told["numerator"]) == (START_MS + 100 * SECOND, "insufficient", 0)
    assert "holds_from" not in figure(rig, "asa", "15m"), "it depends on no limit"
    rig.send(event("contact.answered", START_MS + 20 * MINUTE, "new", wait_seconds=25.0), at_ms=START_MS + 20 * MINUTE)
    rig.to(START_MS + 20 * MINUTE)
    assert "holds_from" not in figure(rig, "service_level", "15m")
    rig.to(START_MS + 22 * MINUTE)
    assert figure(rig, "service_level", "24h")["holds_from"] == START_MS + 100 * SECOND


def test_so_it_is_where_the_worker_dies_before_the_policy_holds_and_after() -> None:
    rig = counted()
    rig.policy(partner_part(definition=within(30)), at_ms=START_MS + 20 * SECOND)
    rig.now_ms = START_MS + 20 * SECOND
    rig.commit()
    for at_ms in (START_MS + 30 * SECOND, START_MS + 5 * MINUTE):
        rig.crash()
        rig.to(at_ms)
        assert figure(rig, "service_level", "15m")["holds_from"] == START_MS + 100 * SECOND


def test_ratings_of_two_scales_are_not_judged() -> None:
    rig = Rig()
    judged = shared_part(rule(kpi="csat", window="15m"))
    rig.policy(judged, partner_part(definition={"targets": {"csat": {"target": 0.5}}}), at_ms=START_MS)
    for number in range(30):
        rig.send(event("survey.response", START_MS, f"s{number}"), at_ms=START_MS, topic=TOPICS.surveys)
    rig.to(START_MS + 10 * SECOND)
    assert figure(rig, "csat", "15m")["status"] == "ok"
    scale = {"csat": {"scale_max": 10, "top_boxes": 2}, "targets": {"csat": {"target": 0.5}}}
    rig.policy(partner_part(definition=scale), at_ms=START_MS + 20 * SECOND)
    rig.to(START_MS + 30 * SECOND)
    told = figure(rig, "csat", "15m")
    assert (told["holds_from"], told["status"], told["value"]) == (START_MS + 10 * SECOND, "insufficient", 0.0)
    rig.to(START_MS + 10 * MINUTE)
    assert rig.bodies(TOPICS.alerts) == [], "nor does a rule look at them"


def test_a_rule_on_what_does_not_depend_on_the_limits_goes_on_where_they_change() -> None:
    rig, limits = Rig(), {"service_level": {"threshold_seconds": 30}}
    slow = rule(kpi="asa", window="15m", direction="above", levels=[{"severity": "warning", "enter": 20, "exit": 15, "for": 0}])
    rig.policy(shared_part(slow), partner_part(), at_ms=START_MS)
    rig.send(event("contact.answered", START_MS, "early", wait_seconds=10), at_ms=START_MS)
    rig.to(START_MS + MINUTE)
    rig.policy(partner_part(definition=limits), at_ms=START_MS + MINUTE)
    rig.to(START_MS + 2 * MINUTE)
    later_ms = START_MS + 2 * MINUTE
    rig.send(*(event("contact.answered", later_ms, f"late{n}", wait_seconds=60) for n in range(9)), at_ms=later_ms)
    rig.to(START_MS + 3 * MINUTE)
    assert [body["transition"]["to"] for body in rig.bodies(TOPICS.alerts)] == ["firing"]
