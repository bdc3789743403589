from collections.abc import Mapping
from typing import Any

import pytest

from models.definitions import Definition, Target
from models.policy import DEFAULT_SHARED, PartnerPart, PartnerPolicy, SharedPart, compile_partner, merge
from models.rules import Direction, OnMissing, Severity
from models.windows import Scope

RULE: Mapping[str, Any] = {
    "id": "low",
    "kpi": "service_level",
    "scopes": ["partner", "partner/queue"],
    "window": "15m",
    "direction": "below",
    "levels": [
        {"severity": "critical", "enter": 0.65, "exit": 0.7, "for": "1m"},
        {"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 90},
    ],
    "recover_for": "5m",
}

SHARED: Mapping[str, Any] = {
    "timezone": "Europe/Lisbon",
    "settle_seconds": 2.5,
    "definition": {
        "service_level": {"threshold_seconds": 30, "variant": "answered_only"},
        "targets": {"asa": {"target": 30, "critical": 60}, "csat": {"target": 0.75}},
    },
    "rules": [RULE],
}

ACME: Mapping[str, Any] = {
    "id": "acme",
    "name": "Acme Care",
    "definition": {"short_abandon_seconds": 3, "targets": {"asa": {"target": 25}}},
    "channels": {"chat": {"service_level": {"threshold_seconds": 60}}},
    "queues": {"vip": {"service_level": {"threshold_seconds": 10}, "min_samples": 5}},
}


def compiled(shared: Mapping[str, Any] = SHARED, part: Mapping[str, Any] | None = ACME, partner_id: str = "acme") -> PartnerPolicy:
    own = None if part is None else PartnerPart.model_validate(part)
    return compile_partner(SharedPart.model_validate(shared), own, partner_id)


def test_a_definition_is_merged_field_by_field_from_the_outside_in() -> None:
    policy = compiled()
    base = policy.definition(None, None)
    assert (base.service_level.threshold_seconds, base.service_level.variant, base.short_abandon_seconds) == (30, "answered_only", 3)
    assert base.targets == {"asa": Target(target=25, critical=60), "csat": Target(target=0.75)}
    chat = policy.definition(None, "chat")
    assert (chat.basis, chat.service_level.variant) == ((60_000, 3000), "answered_only")
    vip_chat = policy.definition("vip", "chat")
    assert (vip_chat.basis, vip_chat.min_samples) == ((10_000, 3000), 5)


def test_an_override_can_take_a_value_away() -> None:
    outer = Definition(targets={"asa": Target(target=30, critical=60)})
    inner = Definition.model_validate({"targets": {"asa": {"target": 30, "critical": None}}})
    assert merge(outer, inner).targets["asa"].critical is None


def test_places_without_an_override_share_one_definition() -> None:
    policy = compiled()
    assert policy.definition("billing", "voice") is policy.definition(None, None)
    assert policy.definition("billing", "chat") is policy.definition("sales", "chat")


@pytest.mark.parametrize(
    ("scope", "threshold_seconds"), [("all", 30), ("channel=chat", 60), ("channel=voice", 30), ("queue=vip", 10), ("queue=chat", 30)]
)
def test_a_scope_is_held_against_the_definition_of_its_own_place(scope: str, threshold_seconds: float) -> None:
    assert compiled().scope_definition(Scope.parse(scope)).service_level.threshold_seconds == threshold_seconds


def test_a_partner_says_what_differs_and_the_rest_is_shared() -> None:
    policy = compiled()
    assert (policy.name, policy.timezone, policy.settle_ms, policy.contact_expiry_ms, policy.feed) == (
        "Acme Care",
        "Europe/Lisbon",
        2500,
        4 * 3_600_000,
        "events",
    )
    own = compiled(part={**ACME, "timezone": "Asia/Manila", "settle_seconds": 0, "feed": "records"})
    assert (own.timezone, own.settle_ms, own.feed) == ("Asia/Manila", 0, "records")


def test_a_rule_becomes_a_ladder_with_the_mildest_level_first() -> None:
    (rule,) = compiled().rules
    assert [(level.severity, level.enter, level.exit, level.for_ms) for level in rule.levels] == [
        (Severity.WARNING, 0.8, 0.83, 90_000),
        (Severity.CRITICAL, 0.65, 0.7, 60_000),
    ]
    assert (sorted(rule.scopes), rule.direction, rule.recover_for_ms) == (["all", "queue"], Direction.BELOW, 300_000)
    assert (rule.min_samples, rule.on_missing) == (20, OnMissing.HOLD)


def test_a_rule_for_some_partners_applies_to_them_alone() -> None:
    shared = {**SHARED, "rules": [{**RULE, "partners": ["acme"]}]}
    assert len(compiled(shared).rules) == 1
    assert compiled(shared, {"id": "delta", "name": "Delta"}, "delta").rules == ()


@pytest.mark.parametrize("partner_id", ["newcomer", "unassigned", "x" * 128])
def test_a_partner_that_no_policy_names_counts_under_the_defaults_and_is_judged_by_no_rule(partner_id: str) -> None:
    policy = compiled(part=None, partner_id=partner_id)
    assert (policy.configured, policy.name, policy.timezone, policy.rules) == (False, partner_id, "Europe/Lisbon", ())
    assert policy.definition("vip", "chat").service_level.threshold_seconds == 30


def test_a_month_begins_where_the_contract_says_and_windows_are_everybodys() -> None:
    shared = {**SHARED, "month_starts_on": 16, "windows": ["month", "15m"]}
    assert (compiled(shared).month_starts_on, compiled(shared).windows) == (16, frozenset(("month", "15m")))
    assert compiled(shared, {**ACME, "month_starts_on": 3}).month_starts_on == 3


def test_before_any_policy_the_default_definition_holds() -> None:
    policy = compile_partner(DEFAULT_SHARED, None, "acme")
    assert (policy.definition(None, None), policy.timezone, policy.rules) == (Definition(), "UTC", ())


def test_equal_content_has_an_equal_revision_wherever_it_stands() -> None:
    moved = {**ACME, "timezone": "Europe/Lisbon", "settle_seconds": "2.5s"}
    assert compiled(part=moved).revision == compiled().revision
    spelled_out = {**SHARED, "rules": [{**RULE, "min_samples": 20, "recover_for": 300}]}
    assert compiled(spelled_out).revision == compiled().revision


def test_what_holds_keeps_its_revision_over_releases() -> None:
    assert compiled().revision == "06b682e2d28d"


@pytest.mark.parametrize(
    "change",
    [
        {"definition": {}},
        {"timezone": "UTC"},
        {"month_starts_on": 2},
        {"name": "Acme"},
        {"channels": {}},
        {"queues": {"vip": {"min_samples": 6}}},
        {"feed": "records"},
        {"settle_seconds": 9},
    ],
)
def test_any_other_content_has_another_revision(change: dict[str, Any]) -> None:
    assert compiled(part={**ACME, **change}).revision != compiled().revision


def test_a_rules_revision_follows_its_meaning_and_not_its_owner() -> None:
    (rule,) = compiled().rules
    (same,) = compiled({**SHARED, "rules": [{**RULE, "owner": "night desk", "runbook": "https://runbooks.example"}]}).rules
    (other,) = compiled({**SHARED, "rules": [{**RULE, "min_samples": 21}]}).rules
    assert same.revision == rule.revision
    assert other.revision != rule.revision
