"""Records of alerts, as the plain dicts that `models.records` describes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.aside import NOTHING, Aside
from alerts.condition import Change, ChangeKind, Condition, Phase
from alerts.explanation import explain, plain
from alerts.ids import event_id
from models.criticality import Criticality, Weighed, order
from models.reasons import SuppressReason
from models.rules import Rule, Severity
from models.windows import Scope

__all__ = ["Context", "OnFailure", "alert_event", "alert_state", "told"]

OnFailure = Callable[[str, Rule | None, Condition, int, Exception], None]
"""Is told what of a condition at a grid point raised: `weigh`, then it weighs nothing, or `explain`, then its sentence is a plain one."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a record says about the commit that it is written in."""

    partner_name: str
    frontier_ms: int
    processed_ms: int
    """Wall time."""
    revision: int
    """The commit sequence of the partition."""
    late: bool
    trace: Mapping[str, int]
    """Source topic -> next offset to be read."""
    criticality: Criticality | None = None
    """What the partner's policy says of what matters."""
    on_failure: OnFailure | None = None
    """None: what raises there is raised."""


def alert_event(rule: Rule | None, change: Change, context: Context, aside: Aside = NOTHING) -> dict[str, Any]:
    """The `models.records.AlertEvent` of a change; `rule` is None where it is gone."""
    condition = change.after
    shared = _shared(rule, condition, context, change.at_ms)
    beside = (change.at_ms,) if change.kind is ChangeKind.SUPPRESSION_ENDED else ()
    return shared | {
        "id": event_id(shared["fingerprint"], shared["episode"], condition.seq, *beside),
        "transition": {"from": change.before.value, "to": condition.phase.value, "kind": change.kind.value, "reason": change.reason},
        "processed_at": context.processed_ms,
        "late": context.late or SuppressReason.LATE in change.waited,
        "suppressed_by": list(aside.reasons) if condition.open else [],
        "trace": dict(context.trace),
    }


def alert_state(rule: Rule | None, condition: Condition, context: Context, at_ms: int, aside: Aside = NOTHING) -> dict[str, Any]:
    """The `models.records.AlertState` of a condition at the grid point `at_ms`; one that is OK has a tombstone instead."""
    assert condition.phase is not Phase.OK, "nothing is left to tell of a condition that is OK"
    return _shared(rule, condition, context, at_ms) | {
        "state": condition.phase.value,
        "quality": condition.quality.value,
        "since": condition.since_ms,
        "as_of": context.processed_ms,
        "revision": context.revision,
        "suppressed_by": list(aside.reasons),
        "ack": aside.ack and aside.ack.model_dump(mode="json"),
        "comments": [each.model_dump(mode="json") for each in aside.comments],
    }


def _shared(rule: Rule | None, condition: Condition, context: Context, at_ms: int) -> dict[str, Any]:
    assert condition.evidence is not None, "a condition that changed has evidence"
    severity, weighed, explanation = told(rule, condition, context.partner_name, at_ms, context.criticality, context.on_failure)
    raised = severity is not condition.severity
    return {
        "fingerprint": condition.fingerprint,
        "episode": condition.episode,
        "seq": condition.seq,
        "partner": condition.partner,
        "scope": condition.scope,
        "rule": {
            "id": condition.rule_id,
            "revision": condition.revision,
            "owner": rule and rule.owner,
            "runbook": rule and rule.runbook,
            "suggested_action": rule and rule.suggested_action,
        },
        "severity": severity and severity.value,
        "order": 0 if severity is None else order(severity, weighed),
        "evidence": condition.evidence.model_dump(mode="json", by_alias=True),
        "attribution": condition.attribution and condition.attribution.model_dump(mode="json", by_alias=True),
        "circumstances": condition.circumstances and condition.circumstances.model_dump(mode="json", by_alias=True),
        **({} if weighed is None else {"criticality": weighed._asdict() | {"raised_from": condition.severity if raised else None}}),
        "explanation": explanation,
        "started_at": condition.started_ms,
        "fired_at": condition.fired_ms,
        "ended_at": condition.ended_ms,
        "evaluated_at": at_ms,
        "frontier": context.frontier_ms,
    }


def told(
    rule: Rule | None,
    condition: Condition,
    partner_name: str,
    at_ms: int,
    criticality: Criticality | None,
    on_failure: OnFailure | None = None,
) -> tuple[Severity | None, Weighed | None, str]:
    """The severity that a condition is told with, what it weighs, and what a person would say of it."""
    severity, weighed = condition.severity, None
    if criticality is not None and severity is not None:
        try:
            scope = Scope.parse(condition.scope)
            severity, weighed = criticality.told(severity, scope), criticality.of(scope)
        except Exception as error:
            if on_failure is None:
                raise
            on_failure("weigh", rule, condition, at_ms, error)
    raised = severity if severity is not condition.severity else None
    try:
        text = explain(rule, condition, partner_name, at_ms, weighed and _said(weighed, raised))
    except Exception as error:
        if on_failure is None:
            raise
        on_failure("explain", rule, condition, at_ms, error)
        text = plain(condition, partner_name)
    return severity, weighed, text


def _said(weighed: Weighed, raised_to: Severity | None) -> str:
    return weighed.reason if raised_to is None else f"{raised_to} since {weighed.reason}"
