"""Policies as a source: what holds, from when on, and what it makes of what was counted before."""

from typing import Any

import pytest

from models.policy_record import CURRENT, policy_key
from models.reasons import RejectReason
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR, MINUTE

AIM = {"targets": {"service_level": {"target": 0.8}}, "min_samples": 1}


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(definition=AIM), at_ms=START_MS)
    rig.to(START_MS)
    return rig


def calls(rig: Rig, after_ms: int, count: int = 10, kind: str = "contact.answered", **fields: Any) -> None:
    at_ms = START_MS + after_ms
    for number in range(count):
        rig.send(event(kind, at_ms, f"{kind}-{after_ms}-{number}", **fields), at_ms=at_ms)
    rig.to(at_ms)


def test_a_changed_target_is_published_at_the_next_grid_point_although_no_figure_changed(rig: Rig) -> None:
    calls(rig, SECOND, wait_seconds=30.0)
    rig.to(START_MS + MINUTE)
    before = rig.figures()["acme/all/15m"]
    assert before["kpis"]["service_level"]["status"] == "warning"
    rig.policy(partner_part(definition={**AIM, "targets": {"service_level": {"target": 0.0}}}), at_ms=START_MS + MINUTE)
    rig.to(START_MS + MINUTE + 4 * SECOND)
    assert rig.figures()["acme/all/15m"]["policy_revision"] == before["policy_revision"]
    rig.to(START_MS + MINUTE + 16 * SECOND)
    after = rig.figures()["acme/all/15m"]
    assert after["policy_revision"] != before["policy_revision"]
    assert after["kpis"]["service_level"]["status"] == "ok"


def test_a_changed_definition_is_judged_at_the_next_grid_point_although_no_figure_changed(rig: Rig) -> None:
    calls(rig, SECOND, wait_seconds=1.0)
    calls(rig, SECOND, kind="contact.abandoned", wait_seconds=60.0)
    rig.policy(partner_part(definition=AIM | {"service_level": {"variant": "answered_only"}}), at_ms=START_MS + 2 * SECOND)
    rig.to(START_MS + MINUTE)
    assert rig.alerts() == []
    rig.policy(partner_part(definition=AIM), at_ms=START_MS + MINUTE)
    rig.to(START_MS + MINUTE + 16 * SECOND)
    assert [(kind, at_ms) for _, kind, at_ms, _ in rig.alerts()] == [("fired", START_MS + MINUTE)]


def test_a_changed_threshold_counts_from_the_next_grid_point_and_is_insufficient_until_the_window_has_passed_it(rig: Rig) -> None:
    calls(rig, SECOND, wait_seconds=30.0)
    rig.policy(partner_part(definition=AIM | {"service_level": {"threshold_seconds": 40}}), at_ms=START_MS + 2 * SECOND)
    calls(rig, 3 * SECOND, wait_seconds=30.0)
    rig.to(START_MS + 16 * SECOND)
    calls(rig, 20 * SECOND, wait_seconds=30.0)
    rig.to(START_MS + MINUTE)
    level = rig.figures()["acme/all/5m"]["kpis"]["service_level"]
    assert (level["numerator"], level["denominator"], level["status"]) == (10, 30, "insufficient")
    assert rig.figures()["acme/all/5m"]["kpis"]["asa"]["status"] == "no_target", "what does not depend on the threshold goes on"
    calls(rig, 5 * MINUTE, wait_seconds=30.0)
    rig.to(START_MS + 5 * MINUTE + 36 * SECOND)
    level = rig.figures()["acme/all/5m"]["kpis"]["service_level"]
    assert (level["numerator"], level["denominator"], level["status"]) == (10, 10, "ok")
    assert rig.figures()["acme/all/15m"]["kpis"]["service_level"]["status"] == "insufficient"
    assert rig.alerts() == [], "and nothing is judged on it"


def test_queues_and_channels_count_under_limits_of_their_own() -> None:
    rig = Rig()
    part = partner_part(
        channels={"chat": {"service_level": {"threshold_seconds": 60}}}, queues={"vip": {"service_level": {"threshold_seconds": 5}}}
    )
    rig.policy(shared_part(), part, at_ms=START_MS)
    rig.to(START_MS)
    places: list[dict[str, str]] = [{}, {"channel": "chat"}, {"channel": "chat", "queue": "vip"}]
    for number, place in enumerate(places):
        body = event("contact.answered", START_MS, f"e{number}") | {"wait_seconds": 30.0} | place
        rig.send(body, at_ms=START_MS)
    rig.to(START_MS + 5 * SECOND)
    levels = {key: body["kpis"]["service_level"] for key, body in rig.figures().items() if key.endswith("/5m")}
    assert {key: (each["numerator"], each["denominator"]) for key, each in levels.items()} == {
        "acme/all/5m": (1, 3),
        "acme/channel=chat/5m": (1, 2),
        "acme/queue=vip/5m": (0, 1),
    }


@pytest.mark.parametrize(
    "value", [b"no json", b"{}", b'{"format":1,"partner":"acme","revision":"x","applied_at":1,"part":{"id":"bolt","name":"b"}}']
)
def test_a_bad_policy_is_refused_whole_and_the_last_good_one_stays(rig: Rig, value: bytes) -> None:
    before = rig.engine._state.policies.of("acme")
    rig.append(TOPICS.policies, START_MS, policy_key("acme", CURRENT), value)
    rig.poll(TOPICS.policies)
    rig.to(START_MS + MINUTE)
    assert rig.engine._state.policies.of("acme") == before
    assert rig.letters() == [(RejectReason.INVALID, 2)]
    assert rig.engine.counters["policies_refused"] == 1


def test_a_revision_that_is_only_kept_changes_nothing(rig: Rig) -> None:
    value = rig.logs[TOPICS.policies][-1].value
    before = rig.engine._state.policies.of("bolt")
    rig.append(TOPICS.policies, START_MS, policy_key("bolt", "0123456789ab"), None)
    rig.append(TOPICS.policies, START_MS, b"acme/other", value)
    rig.poll(TOPICS.policies)
    rig.to(START_MS + MINUTE)
    assert rig.engine._state.policies.of("bolt") == before
    assert rig.engine.counters["policies_refused"] == 1, "a key that names another revision than its value is refused"


def test_a_partner_that_no_policy_names_is_counted_and_judged_by_no_rule(rig: Rig) -> None:
    calls(rig, SECOND, kind="contact.abandoned", partner="bolt")
    rig.to(START_MS + MINUTE)
    assert rig.figures()["bolt/all/5m"]["configured"] is False
    assert rig.figures()["bolt/all/5m"]["measures"]["abandoned"] == 10
    assert rig.alerts() == []
    rig.policy(partner_part("bolt"), at_ms=START_MS + MINUTE)
    rig.to(START_MS + MINUTE + 16 * SECOND)
    assert rig.figures()["bolt/all/5m"]["configured"] is True
    assert rig.kinds() == ["fired"]


def test_a_partner_that_the_policy_drops_has_its_alerts_retired(rig: Rig) -> None:
    calls(rig, SECOND, kind="contact.abandoned")
    rig.to(START_MS + MINUTE)
    rig.drop("acme", START_MS + MINUTE)
    rig.to(START_MS + 2 * MINUTE)
    assert rig.kinds() == ["fired", "retired"]
    assert rig.figures()["acme/all/5m"]["configured"] is False
    rig.to(START_MS + HOUR)
    assert rig.kinds() == ["fired", "retired", "cleared"]
    assert set(rig.compacted(TOPICS.alerts_state).values()) == {None}
    assert not [key for key in rig.changelog if b'"alert"' in key]


def test_a_rule_that_goes_retires_its_alerts_and_the_others_stay(rig: Rig) -> None:
    rig.policy(shared_part(rule(), rule(id="other")), at_ms=START_MS)
    calls(rig, SECOND, kind="contact.abandoned")
    rig.to(START_MS + MINUTE)
    rig.policy(shared_part(rule()), at_ms=START_MS + MINUTE)
    rig.to(START_MS + 2 * MINUTE)
    last = {body["rule"]["id"]: body["transition"]["kind"] for body in rig.bodies(TOPICS.alerts)}
    assert last == {"sl": "fired", "other": "retired"}


@pytest.mark.parametrize("crashes", [False, True])
def test_rules_that_go_together_retire_their_alerts_in_one_order_also_after_a_restart(rig: Rig, *, crashes: bool) -> None:
    rig.policy(shared_part(*(rule(id=name) for name in "dacb")), at_ms=START_MS)
    calls(rig, SECOND, kind="contact.abandoned")
    rig.to(START_MS + MINUTE)
    if crashes:
        rig.crash()
    rig.policy(shared_part(), at_ms=START_MS + MINUTE)
    rig.to(START_MS + 2 * MINUTE)
    assert [body["rule"]["id"] for body in rig.bodies(TOPICS.alerts) if body["transition"]["kind"] == "retired"] == list("abcd")


def test_a_new_rule_for_a_partner_that_lies_idle_holds_from_now_on_not_from_its_last_event(rig: Rig) -> None:
    rig.to(START_MS + 30 * HOUR)
    silent = rule(id="silent", on_missing="breaching", levels=[{"severity": "warning", "enter": 0.1, "exit": 0.1, "for": 60}])
    rig.policy(shared_part(silent), at_ms=START_MS + 30 * HOUR)
    rig.commit()
    rig.crash()
    rig.to(START_MS + 30 * HOUR + 2 * MINUTE)
    moments = [(kind, at_ms - START_MS - 30 * HOUR) for _, kind, at_ms, _ in rig.alerts()]
    assert moments == [("pending", 0), ("fired", MINUTE)]


def test_policies_come_back_from_their_rows(rig: Rig) -> None:
    before = {partner: rig.engine._state.policies.of(partner) for partner in ("acme", "bolt")}
    rig.crash()
    assert {partner: rig.engine._state.policies.of(partner) for partner in ("acme", "bolt")} == before
    rig.drop("acme", START_MS)
    rig.to(START_MS + MINUTE)
    rig.crash()
    assert not rig.engine._state.policies.of("acme").configured
