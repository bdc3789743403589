"""Criticality: what matters more stands before the rest, and is told one severity higher where the policy says so."""

from typing import Any

import pytest

from models.criticality import CriticalitySpec, compiled, laid_over, order
from models.policy import compile_partner
from models.rules import Severity
from models.windows import Scope
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import MINUTE

AT_MS = 1_760_000_000_000
SAID = {
    "activities": {"claims": {"risk": 3, "customer_proximity": 2}, "orders": {"competitive_advantage": 2, "loyalty_driver": 2}},
    "segments": {"gold": 3},
    "queues": {"complaints": {"loyalty_driver": 3}, "refunds": {"risk": 1}},
    "partner": {"customer_proximity": 1},
    "raise_from": 3,
}


def spec(**changes: Any) -> CriticalitySpec:
    return CriticalitySpec.model_validate(SAID | changes)


@pytest.mark.parametrize(
    ("scope", "weight", "reason"),
    [
        ("activity=claims", 3, "activity claims is a risk"),
        ("activity=orders", 2, "activity orders is a competitive advantage"),
        ("segment=gold", 3, "segment gold weighs 3 of 3"),
        ("queue=complaints", 3, "queue complaints is a driver of loyalty"),
        ("reason=refund", 3, "activity claims is a risk"),
        ("queue=billing", 2, "activity orders is a competitive advantage"),
        ("queue=refunds", 1, "queue refunds is a risk"),
        ("queue=other", 1, "the partner is close to customers"),
        ("channel=voice", 1, "the partner is close to customers"),
        ("all", 1, "the partner is close to customers"),
    ],
)
def test_a_scope_weighs_what_it_is_of_and_else_what_its_partner_does(scope: str, weight: int, reason: str) -> None:
    found = compiled(spec(), {"refund": "claims"}, {"billing": "orders", "refunds": "claims"})
    assert found.of(Scope.parse(scope)) == (weight, reason)


def test_where_nothing_is_said_nothing_weighs() -> None:
    found = compiled(spec(partner=None), {}, {})
    assert found.of(Scope("all")) is None
    assert found.told(Severity.WARNING, Scope("all")) is Severity.WARNING


def test_only_from_the_weight_on_that_is_said_a_severity_is_raised_and_never_beyond_the_highest() -> None:
    claims, orders = Scope("activity", "claims"), Scope("activity", "orders")
    found = compiled(spec(), {}, {})
    assert [found.told(each, claims) for each in Severity] == [Severity.CRITICAL, Severity.CRITICAL]
    assert [found.told(each, orders) for each in Severity] == list(Severity)
    assert compiled(spec(raise_from=None), {}, {}).told(Severity.WARNING, claims) is Severity.WARNING


def test_a_severity_goes_before_any_weight_and_a_weight_before_none() -> None:
    found = compiled(spec(), {}, {})
    places = [(severity, found.of(scope)) for severity in Severity for scope in (Scope("all"), Scope("segment", "gold"))]
    assert [order(*each) for each in [(Severity.WARNING, None), *places]] == [10, 11, 13, 21, 23]


def test_a_partner_says_over_all_name_by_name() -> None:
    own = CriticalitySpec.model_validate({"activities": {"claims": {"risk": 1}}, "segments": {"silver": 2}})
    laid = laid_over(spec(), own)
    assert laid is not None
    assert {name: each.points for name, each in laid.activities.items()} == {
        "claims": {"risk": 1},
        "orders": {"competitive_advantage": 2, "loyalty_driver": 2},
    }
    assert (laid.segments, laid.raise_from) == ({"gold": 3, "silver": 2}, 3)
    assert (laid_over(None, own), laid_over(spec(), None)) == (own, spec())


def test_a_policy_is_another_once_it_says_what_matters() -> None:
    plain, weighed, mapped = (
        compile_partner(shared_part(rule(), **fields), partner_part(), "acme").revision
        for fields in ({}, {"criticality": spec()}, {"criticality": spec(), "activities": {"queues": {"billing": "claims"}}})
    )
    assert len({plain, weighed, mapped}) == 3


def fired(**fields: Any) -> tuple[Rig, dict[str, dict[str, Any]]]:
    """A rig in which a rule fired for each activity, and the last state of each alert by its scope."""
    rig = Rig()
    judged = rule(scopes=["partner", "partner/activity"])
    rig.policy(shared_part(judged, scopes=["activity"], **fields), partner_part(), at_ms=AT_MS)
    rig.to(AT_MS)
    for number in range(120):
        activity = ("claims", "orders", None)[number % 3]
        rig.send(event("contact.answered", AT_MS, f"e{number}", wait_seconds=600.0, activity=activity), at_ms=AT_MS)
    rig.to(AT_MS + 20 * SECOND)
    return rig, {each["scope"]: each for each in rig.bodies(TOPICS.alerts_state)}


def test_an_alert_tells_how_much_it_matters_why_and_where_it_stands_among_others() -> None:
    _, states = fired(criticality=spec())
    assert {scope: (each["severity"], each["order"]) for scope, each in states.items()} == {
        "all": ("warning", 11),
        "activity=claims": ("critical", 23),
        "activity=orders": ("warning", 12),
    }
    assert states["activity=claims"]["criticality"] == {"weight": 3, "reason": "activity claims is a risk", "raised_from": "warning"}
    assert states["activity=orders"]["criticality"]["raised_from"] is None
    assert states["activity=claims"]["explanation"].endswith("; critical since activity claims is a risk")
    assert states["activity=orders"]["explanation"].endswith("; activity orders is a competitive advantage")


def test_without_a_word_of_it_an_alert_is_what_it_was() -> None:
    _, states = fired()
    assert {(each["severity"], each["order"], "criticality" in each) for each in states.values()} == {("warning", 10, False)}
    assert all(each["explanation"].endswith("contacts answered in time)") for each in states.values())


def test_the_condition_goes_by_the_rule_s_own_levels_so_that_weights_may_change_under_an_open_alert() -> None:
    rig, states = fired(criticality=spec())
    before = len(rig.bodies(TOPICS.alerts))
    judged = rule(scopes=["partner", "partner/activity"])
    rig.policy(shared_part(judged, scopes=["activity"]), at_ms=AT_MS + 21 * SECOND)
    rig.to(AT_MS + MINUTE)
    assert len(rig.bodies(TOPICS.alerts)) == before, "nobody is told of anything"
    assert {each.severity for each in rig.engine._state.partners["acme"].conditions.values()} == {Severity.WARNING}
    assert rig.rebuilt().snapshot() == rig.snapshot()
    assert states["activity=claims"]["severity"] == "critical"


def test_a_silence_means_the_severity_that_people_see() -> None:
    rig, states = fired(criticality=spec())
    payload = {"matchers": {"severity": "critical"}, "until": AT_MS + 60 * MINUTE, "comment": "known"}
    command = {"id": "s1", "type": "silence.add", "actor": "ann", "at": AT_MS, "partner": "*", "payload": payload}
    rig.send(command, at_ms=AT_MS + 21 * SECOND, topic=TOPICS.commands, key=b"*")
    rig.to(AT_MS + MINUTE)
    asides = rig.engine._state.partners["acme"].asides
    assert {str(scope): list(aside.reasons) for (_, scope), aside in asides.items()} == {
        scope: (["silenced"] if each["severity"] == "critical" else []) for scope, each in states.items()
    }
