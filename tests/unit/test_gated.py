"""`outwatch policy explain`: the gates of a grid point, of kept evidence or of closed stretches."""

from typing import Any

import pytest
from typer.testing import CliRunner

from alerts import fingerprint
from models.windows import MINUTE_MS, Scope
from streams.cli import app
from streams.cli.exits import Exit
from streams.engine import Budget
from streams.gated import Asked, NoRuleError, _asked, explain_gates
from streams.recomputed.kept import Kept
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.past import kept_of

ALL = Asked("acme", "sl", Scope("all"))
LADDER = [{"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 60}]
BEGIN_MS = START_MS - START_MS % MINUTE_MS


def story(own: dict[str, Any] | None = None, **changes: Any) -> tuple[Rig, list[dict[str, Any]], Kept]:
    """Five good minutes, then five bad ones: what was told of alerts, and the closed stretches under the policy."""
    rig = Rig()
    rig.idle(BEGIN_MS)
    spec = rule(**{"levels": LADDER, "min_samples": 10, "recover_for": 60} | changes)
    rig.policy(shared_part(spec, settle_seconds=0), partner_part(**(own or {})), at_ms=BEGIN_MS)
    for second in range(0, 600, 5):
        at_ms = BEGIN_MS + second * SECOND
        rig.send(event("contact.answered", at_ms, f"{second}", wait_seconds=5.0 if second < 300 else 60.0), at_ms=at_ms)
        rig.to(at_ms + 5 * SECOND)
    rig.commit(Budget(10**6, 10**9))
    return rig, rig.bodies(TOPICS.alerts), kept_of(rig, Scope("all"))


def explained(at_ms: int, asked: Asked = ALL, **changes: Any) -> Any:
    rig, events, kept = story()
    if changes:
        rig.policy(shared_part(rule(**changes)), at_ms=rig.now_ms)
        kept = kept_of(rig, Scope("all"))
    return explain_gates(asked, at_ms, kept, events)


def passed(found: Any) -> dict[str, bool | None]:
    return {each.name: each.passed for each in found.gates}


def test_at_a_change_the_kept_evidence_tells_the_gates() -> None:
    _, events, _ = story()
    fired = next(each for each in events if each["transition"]["kind"] == "fired")
    found = explained(fired["evaluated_at"])
    assert (found.source, found.state, found.severity, found.fingerprint) == ("kept", "firing", "warning", fingerprint("sl", "acme", "all"))
    assert passed(found) == {
        "figure": True,
        "samples": True,
        "enter": True,
        "bound": True,
        "exit": False,
        "held": True,
        "suppression": True,
    }


def test_between_changes_the_gates_are_recomputed_of_closed_minutes() -> None:
    found = explained(BEGIN_MS + 5 * MINUTE_MS)
    assert (found.source, found.state, found.since) == ("recomputed", "ok", None)
    assert found.said == "5 closed stretches of the window"
    assert passed(found) == {
        "figure": True,
        "samples": True,
        "enter": False,
        "bound": False,
        "exit": True,
        "held": False,
        "suppression": None,
    }
    assert found.gates[0].said == "100 % in the window 5m (60 of 60)"


def test_what_was_recomputed_within_a_minute_says_that_only_whole_ones_are_known() -> None:
    assert "only whole minutes" in explained(BEGIN_MS + 5 * MINUTE_MS + 30 * SECOND).said


def test_a_rule_that_changed_since_is_told_of() -> None:
    _, events, _ = story()
    fired = next(each for each in events if each["transition"]["kind"] == "fired")
    assert explained(fired["evaluated_at"], min_samples=2).said.endswith("; the rule is another by now")
    assert explained(fired["evaluated_at"] + MINUTE_MS, min_samples=2).said.endswith("; by the rule as it is now, not as it was")


def test_before_anything_happened_the_figure_is_missing() -> None:
    assert passed(explained(BEGIN_MS - 10 * MINUTE_MS))["figure"] is False


def test_a_level_that_was_not_reached_is_not_said_to_be_on_where_what_matters_is_told_as_worse() -> None:
    ladder = [*LADDER, {"severity": "critical", "enter": 0.1, "exit": 0.2, "for": 60}]
    critical = {"partner": {"risk": 3}, "raise_from": 3}
    told, held = [], []
    for own in ({}, {"criticality": critical}):
        _, events, kept = story(own, levels=ladder)
        fired = next(each for each in events if each["transition"]["kind"] == "fired")
        told.append(fired["severity"])
        times = fired["evaluated_at"], fired["evaluated_at"] + 20 * SECOND
        gates = [gate for at_ms in times for gate in explain_gates(ALL, at_ms, kept, events).gates]
        held.append([(str(gate.severity), gate.passed) for gate in gates if gate.name == "held"])
    assert told == ["warning", "critical"]
    assert held[1] == held[0] == [("warning", True), ("warning", True), ("critical", None)]


def test_outside_hours_a_page_would_have_waited() -> None:
    rig, events, _ = story()
    rig.policy(shared_part(rule(levels=LADDER), hours={"sat": "01:00-02:00"}), at_ms=rig.now_ms)
    found = explain_gates(ALL, BEGIN_MS + 5 * MINUTE_MS, kept_of(rig, Scope("all")), events)
    assert (found.gates[-1].passed, found.gates[-1].said) == (False, "a page would wait: out_of_hours")


def test_of_a_live_figure_nothing_is_kept_between_changes() -> None:
    found = explained(BEGIN_MS + 5 * MINUTE_MS, kpi="in_queue", direction="above", levels=[LADDER[0] | {"enter": 9, "exit": 8}])
    assert (found.source, found.gates) == ("unknown", ())


def test_a_rule_that_is_not_there_is_refused_with_what_it_may_have_meant() -> None:
    with pytest.raises(NoRuleError, match=r"no rule 'sll' is judged for acme, all .*write sl"):
        explained(BEGIN_MS, Asked("acme", "sll", Scope("all")))


@pytest.mark.parametrize(
    ("name", "asked"),
    [("acme/sl", ALL), ("acme/sl/queue=a/b", Asked("acme", "sl", Scope("queue", "a/b"))), (fingerprint("sl", "acme", "all"), None)],
)
def test_a_fingerprint_or_names_are_understood(name: str, asked: Asked | None) -> None:
    assert _asked(name) == asked


@pytest.mark.parametrize("name", ["acme", "acme/", "acme/sl/where=x"])
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(NoRuleError):
        _asked(name)


@pytest.mark.parametrize("command", ["test", "backtest", "explain"])
def test_the_tools_that_trust_a_rule_have_help(command: str) -> None:
    told = CliRunner().invoke(app, ["policy", command, "--help"])
    assert (told.exit_code, "Usage" in told.output) == (Exit.OK, True)
