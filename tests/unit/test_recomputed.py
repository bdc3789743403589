"""What `outwatch policy explain` recomputes, held against what the engine saw: at each change of a rule of each form the same gates."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from alerts.gates import held_since, kept_gates
from models.rule_forms import BalanceSpec, CompositeSpec, DriftSpec
from models.rules import Rule
from models.windows import QUARTER_MS, Scope
from streams.engine import Budget
from streams.gated import Asked, Gated, Known, explain_gates
from streams.recomputed.kept import Kept
from streams.recomputed.rule import judged
from streams.recomputed.usual import since_of
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.past import kept_of
from tests.stories import DAY, HOUR, MINUTE
from tests.unit.test_engine_usual import compared, volume
from tests.weeks import after, contacts, live, office, written

ALL = Scope("all")
BEGIN_MS = START_MS + 50 * MINUTE
"""A full hour."""
_WHEN = {
    "any": [
        {"all": [{"kpi": "asa", "above": 40, "exit": 30}, {"kpi": "csat", "below": 0.7, "window": "4h"}]},
        {"not": {"kpi": "aht", "above": 250, "exit": 240, "window": "adaptive"}},
    ]
}
RULES = (
    rule(id="wide", window="adaptive", min_samples=6, levels=[{"severity": "warning", "for": 60, "enter": 0.8, "exit": 0.83}]),
    rule(
        id="odd", kpi="asa", direction="outside", window="1h", levels=[{"severity": "warning", "for": 0, "enter": [8, 40], "exit": [9, 30]}]
    ),
    CompositeSpec.model_validate({"id": "both", "when": _WHEN, "window": "1h", "severity": "critical", "for": 60, "min_samples": 3}),
    BalanceSpec.model_validate({"id": "pace", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "1h", "min_samples": 3}),
    DriftSpec.model_validate({"id": "creep", "type": "drift", "kpi": "asa", "direction": "above", "reference": 15, "min_samples": 2}),
)


@pytest.fixture(scope="module")
def lived() -> Rig:
    """Two good hours, two bad ones, two good ones: twice a minute, at its end, so that no change comes within one."""
    rig = Rig()
    rig.policy(shared_part(*RULES, settle_seconds=0), partner_part(), at_ms=BEGIN_MS)
    rig.to(BEGIN_MS)
    for minute in range(6 * 60):
        at_ms, bad = BEGIN_MS + minute * MINUTE + 52 * SECOND, 120 <= minute < 240
        for number in range(2):
            wait, talk, score = (70.0 + minute % 9, 200.0, 2) if bad else (12.0 + minute % 5, 400.0, 5)
            name = f"{minute}-{number}"
            rig.send(event("contact.answered", at_ms, f"a{name}", queue="billing", wait_seconds=wait), at_ms=at_ms)
            rig.send(event("contact.completed", at_ms, f"c{name}", queue="billing", talk_seconds=talk + minute % 7), at_ms=at_ms)
            rig.send(
                event("survey.response", at_ms, f"s{name}", queue="billing", survey="csat", score=score), at_ms=at_ms, topic=TOPICS.surveys
            )
        rig.to(at_ms + 8 * SECOND)
    rig.to(BEGIN_MS + 8 * HOUR)
    rig.commit(Budget(10**6, 10**9))
    return rig


def told(rig: Rig, rule_id: str) -> Iterator[tuple[Rule, list[dict[str, Any]], dict[str, Any]]]:
    """Each change that a sample decided: the rule, what was told by then, and the event."""
    of = next(each for each in rig.engine._state.policies.of("acme").rules if each.id == rule_id)
    events = [each for each in rig.bodies(TOPICS.alerts) if each["rule"]["id"] == rule_id and each["scope"] == "all"]
    for number, each in enumerate(events):
        if each["transition"]["kind"] not in {"suppression_ended", "cleared", "retired"}:
            yield of, events[:number], each


def compare(rig: Rig, rule_id: str, kept: Kept, **known: Any) -> list[str]:
    """Hold what is recomputed of each change against what was kept of it; the kinds of changes."""
    kinds = []
    for of, before, each in told(rig, rule_id):
        at_ms, was = each["evaluated_at"], kept_gates(of, each)
        levels = {gate.severity for gate in was} | {None}
        found = judged(of, kept, at_ms, held_since(of, None, at_ms), events=before, **known)
        again = {gate.name: gate for gate in found.gates if gate.severity in levels and gate.name != "held"}
        then = {gate.name: gate for gate in was if gate.name not in {"held", "suppression"}}
        assert {name: gate.passed for name, gate in again.items()} == {name: gate.passed for name, gate in then.items()}, each
        figures = [name for name in then if name.endswith(("figure", "samples", "usual", "total"))]
        # What a compared share was counted of is not kept.
        assert all(again[name].said.startswith(then[name].said) for name in figures)
        kinds.append(each["transition"]["kind"])
    return kinds


@pytest.mark.parametrize("rule_id", [each.id for each in RULES])
def test_at_each_change_the_recomputed_gates_are_those_that_were_kept(lived: Rig, rule_id: str) -> None:
    assert {"fired", "resolved"} <= {*compare(lived, rule_id, kept_of(lived, ALL), since_ms=BEGIN_MS)}


def worse(at_ms: int) -> Callable[[int], list[dict[str, Any]]]:
    """Of a day that begins at `at_ms` an hour with much worse waits, and one with four times the contacts."""

    def told(hour_ms: int) -> list[dict[str, Any]]:
        hour = (hour_ms - at_ms) // HOUR
        times = 4 if hour == 11 else 1
        # At the end of minutes, so that no change comes within one.
        rounds = [contacts(hour_ms + (52 + number) * SECOND, 25, late=21 if hour == 10 else 2) for number in range(times)]
        return [each for one in rounds for each in one] if office(hour_ms) else []

    return told


def test_a_comparison_with_what_is_usual_is_recomputed_as_it_was() -> None:
    rig, at_ms = after(4, shared_part(compared(), volume("above", 0.5)))
    rig.to(live(rig, at_ms, 24, worse(at_ms)))
    kept = kept_of(rig, ALL, written(4))
    first_ms = since_of(kept.quarters, "UTC")
    assert "fired" in compare(rig, "sl", kept, first_ms=first_ms)
    assert "fired" in compare(rig, "volume_above", kept, first_ms=first_ms)


def explained(rig: Rig, rule_id: str, at_ms: int, kept: Kept | None = None, **known: Any) -> Gated:
    events = [each for each in rig.bodies(TOPICS.alerts) if each["rule"]["id"] == rule_id and each["scope"] == "all"]
    return explain_gates(Asked("acme", rule_id, ALL), at_ms, kept or kept_of(rig, ALL), events, Known(**known))


def passed(found: Gated) -> dict[str, bool | None]:
    return {each.name: each.passed for each in found.gates}


def test_between_changes_every_gate_of_every_leg_is_told(lived: Rig) -> None:
    found = explained(lived, "both", BEGIN_MS + 3 * HOUR)
    assert (found.source, found.state) == ("recomputed", "firing")
    assert passed(found) == {
        **{f"asa {gate}": held for gate, held in (("figure", True), ("samples", True), ("enter", True), ("bound", True), ("exit", False))},
        **{
            f"csat {gate}": held for gate, held in (("figure", True), ("samples", True), ("enter", True), ("bound", False), ("exit", False))
        },
        **{f"aht {gate}": held for gate, held in (("figure", True), ("samples", True), ("enter", True), ("bound", True), ("exit", False))},
        "together": True,
        "held": True,
        "suppression": None,
    }


def test_a_balance_between_quarters_is_that_of_the_quarter_before(lived: Rig) -> None:
    found = explained(lived, "pace", BEGIN_MS + 3 * HOUR + 7 * MINUTE)
    assert (found.source, found.state) == ("recomputed", "firing")
    assert "judged at 19:00 as every quarter of an hour" in found.said
    assert passed(found)["csat moved"] is True


def test_what_a_drift_had_added_up_is_known_from_when_its_rule_began_and_told_as_the_least_where_that_is_not(lived: Rig) -> None:
    at_ms = BEGIN_MS + 2 * HOUR + QUARTER_MS
    fired = next(each for _, _, each in told(lived, "creep") if each["transition"]["kind"] == "fired")
    assert fired["evaluated_at"] == at_ms
    known = explained(lived, "creep", at_ms - QUARTER_MS, since_ms=BEGIN_MS)
    assert (known.source, "not known" in known.said) == ("recomputed", False)
    # Nothing adds up in the two good hours, so that what had been by then makes no difference.
    late = replace(kept_of(lived, ALL), quarters_from_ms=BEGIN_MS)
    assert "not known" not in explained(lived, "creep", at_ms - QUARTER_MS, late).said
    near = DriftSpec.model_validate({"id": "near", "type": "drift", "kpi": "asa", "direction": "above", "reference": 13.9}).compiled
    found = judged(near, late, BEGIN_MS + 30 * MINUTE, held_since(near, None, BEGIN_MS))
    assert found.said.endswith("added up from 2025-06-15 16:00 on, and what had been by then is not known: it was this or more")


def test_what_the_topics_no_longer_hold_is_unknown_and_says_why(lived: Rig) -> None:
    gone = replace(kept_of(lived, ALL), quarters=(), minutes=(), quarters_from_ms=BEGIN_MS + DAY)
    found = explained(lived, "creep", BEGIN_MS + 5 * MINUTE, gone)
    assert (found.source, found.gates) == ("unknown", ())
    assert "quarter hours, which are kept from" in found.said


def test_a_part_of_who_waits_is_not_known_and_decides_nothing() -> None:
    rig = Rig()
    when = {"all": [{"kpi": "asa", "above": 40}, {"not": {"kpi": "in_queue", "below": 2}}]}
    spec = CompositeSpec.model_validate({"id": "both", "when": when, "window": "5m", "severity": "critical", "for": 0, "min_samples": 1})
    rig.policy(shared_part(spec, settle_seconds=0), partner_part(), at_ms=BEGIN_MS)
    rig.send(*(event("contact.answered", BEGIN_MS, f"a{number}", wait_seconds=60.0) for number in range(9)), at_ms=BEGIN_MS)
    rig.to(BEGIN_MS + HOUR)
    found = explained(rig, "both", BEGIN_MS + MINUTE)
    assert found.source == "recomputed"
    assert "of who waits at one moment" in next(each.said for each in found.gates if each.name == "in_queue figure")
    assert (passed(found)["asa enter"], passed(found)["together"]) == (True, None)
