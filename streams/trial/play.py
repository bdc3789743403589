"""Playing one test: series through the reducer, events through the engine. What is seen is what would be published."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from alerts import Condition, Context, Phase, Sample, alert_event, alert_state, evaluate, fingerprint
from alerts.gates import gates, held_by
from models.adaptive import adaptive_windows
from models.commands import ACK, COMMENT
from models.durations import to_seconds
from models.figures import Kind
from models.kpis import Kpi
from models.notifications import Notification
from models.operation import Command
from models.policy import PartnerPolicy
from models.rules import ADAPTIVE, Rule
from models.windows import GRID_MS, Calendar, Scope, window
from streams.trial.estimates import estimate_of, kind_of
from streams.trial.offline import TOPICS, Offline, policy_records
from streams.trial.pace import events_of
from streams.trial.series import at_step
from streams.trial.suite import CaseSpec, CommandSpec, SeriesSpec
from streams.trial.suite_file import Trial
from streams.trial.told import Page, add

__all__ = ["Seen", "play"]

Json = dict[str, Any]
_OUTCOME: Final = ("ce_type", b"outwatch.command.outcome")


@dataclass(slots=True)
class Seen:
    """What was published by now."""

    partner: str
    states: dict[str, Json] = field(default_factory=dict)
    """`models.records.AlertState` by fingerprint; none of what is OK."""
    events: list[Json] = field(default_factory=list)
    """`models.records.AlertEvent`, in order."""
    told: list[Page] = field(default_factory=list)
    """Who was told of incidents, in order."""
    refused: list[str] = field(default_factory=list)
    """Why events and commands did not count."""
    asked: Callable[[str, str], list[str]] = lambda _, __: []
    """By rule and scope, the gates as they stand, in words; where the engine keeps them, none."""

    def state(self, rule: str, scope: str) -> Json | None:
        """Of one condition; None where it is OK."""
        return self.states.get(fingerprint(rule, self.partner, scope))

    def transitions(self, rule: str, scope: str) -> list[Json]:
        """Of one condition."""
        wanted = fingerprint(rule, self.partner, scope)
        return [each for each in self.events if each["fingerprint"] == wanted]


def play(trial: Trial, case: CaseSpec) -> Iterator[tuple[int, Seen]]:
    """What was seen once each grid point was judged, as (milliseconds from the start, what there is); it is added to as it goes on."""
    return _series(trial.of(case.partner), case) if case.series else _events(trial, case)


def _series(policy: PartnerPolicy, case: CaseSpec) -> Iterator[tuple[int, Seen]]:
    seen, catalogue = Seen(case.partner), policy.customs.catalogue
    kinds = {each.kpi: kind_of(catalogue[each.kpi], policy.customs) for each in case.series}
    watched: list[tuple[str, Scope, SeriesSpec]] = [
        (rule.id, scope, each)
        for rule in policy.rules
        for each in case.series
        if rule.form is None
        and rule.compare is None
        and each.kpi == rule.kpi
        and (scope := Scope.parse(each.scope)).dimension in rule.scopes
    ]
    conditions = {(rule_id, str(scope)): Condition(rule_id, case.partner, str(scope)) for rule_id, scope, _ in watched}
    told: dict[tuple[str, str], list[str]] = {}
    seen.asked = lambda rule, scope: told.get((rule, scope), [])
    for at_ms in range(case.start_ms, case.start_ms + case.end_ms + 1, GRID_MS):
        context = Context(policy.name, at_ms, at_ms, 0, late=False, trace={}, criticality=policy.criticality)
        step = (at_ms - case.start_ms) // case.step_ms
        rules = {rule.id: rule for rule in policy.rules_at(at_ms)}
        for rule_id, scope, each in watched:
            rule, key = rules[rule_id], (rule_id, str(scope))
            sample = _sample(policy, rule, catalogue[rule.kpi], scope, (each, kinds[each.kpi], step), at_ms)
            condition, changes = evaluate(rule, conditions[key], sample, at_ms)
            conditions[key] = condition
            told[key] = [_worded(gate) for gate in gates(rule, sample, held_by(rule, condition, at_ms))]
            seen.events += [alert_event(rule, change, context) for change in changes]
            if condition.phase is Phase.OK:
                seen.states.pop(condition.fingerprint, None)
            else:
                seen.states[condition.fingerprint] = alert_state(rule, condition, context, at_ms)
        yield at_ms - case.start_ms, seen


def _worded(gate: Any) -> str:  # noqa: ANN401 - a gate
    mark = {True: "passed", False: "not passed", None: "not asked"}[gate.passed]
    return f"{gate.severity + ' ' if gate.severity else ''}{gate.name}: {mark} ({gate.said})"


def _sample(policy: PartnerPolicy, rule: Rule, kpi: Kpi, scope: Scope, given: tuple[SeriesSpec, Kind, int], at_ms: int) -> Sample:
    each, kind, step = given
    n = at_step(each.counts, step) or 0
    estimate = estimate_of(kind, at_step(each.steps, step), int(n), each.sd)
    # Which window is chosen a series does not say: it is what is seen there.
    name = adaptive_windows(kpi, policy.windows)[0].name if rule.window == ADAPTIVE else rule.window
    begin_ms = window(name).start(at_ms, Calendar(policy.timezone, policy.month_starts_on))
    return Sample(estimate, kpi.describe(policy.scope_definition(scope)), kpi.unit.value, begin_ms, at_ms, name)


def _events(trial: Trial, case: CaseSpec) -> Iterator[tuple[int, Seen]]:
    seen, offline = Seen(case.partner), Offline()
    settle_ms = trial.of(case.partner).settle_ms
    offline.send(TOPICS.policies, policy_records(trial.policy, case.start_ms, case.partner), case.start_ms)
    offline.tick(case.start_ms)
    events = events_of(case.events, case.partner, case.start_ms)
    commands = sorted(case.commands, key=lambda each: each.at_ms)
    ahead = next(events, None)
    for at_ms in range(0, case.end_ms + 1, GRID_MS):
        now_ms = case.start_ms + at_ms + settle_ms
        run = []
        while ahead is not None and ahead["occurred_at"] < now_ms:
            run.append((case.partner.encode(), orjson.dumps(ahead)))
            ahead = next(events, None)
        offline.send(TOPICS.interactions, run, now_ms)
        while commands and commands[0].at_ms <= at_ms:
            said = commands.pop(0)
            name = f"command-{len(case.commands) - len(commands)}"
            command = Command(id=name, type=said.type, actor=said.actor, at=now_ms, partner=case.partner, payload=_payload(said, case))
            offline.send(TOPICS.commands, [(case.partner.encode(), command.model_dump_json().encode())], now_ms)
        offline.tick(now_ms)
        _take(seen, offline, now_ms, at_ms)
        yield at_ms, seen


def _payload(said: CommandSpec, case: CaseSpec) -> dict[str, Any]:
    """With times and alerts as the engine reads them."""
    payload, until = dict(said.payload), said.payload.get("until")
    if isinstance(until, str):
        payload["until"] = case.start_ms + round(1000 * to_seconds(until))
    if said.type in (ACK, COMMENT) and "rule" in payload:
        payload["fingerprint"] = fingerprint(str(payload.pop("rule")), case.partner, str(payload.pop("scope", "all")))
    return payload


def _take(seen: Seen, offline: Offline, now_ms: int, at_ms: int) -> None:
    for output in offline.take(now_ms):
        body: Any = None if output.value is None else orjson.loads(output.value)
        if output.topic == TOPICS.alerts_state:
            key = (output.key or b"").decode()
            if body is None:
                seen.states.pop(key, None)
            else:
                seen.states[key] = body
        elif output.topic == TOPICS.alerts and _OUTCOME not in output.headers:
            seen.events.append(body)
        elif output.topic == TOPICS.alerts and body["outcome"] == "refused":
            seen.refused.append(f"the command {body['command']} was refused: {body['reason']}")
        elif output.topic == TOPICS.notifications:
            add(seen.told, at_ms, Notification.model_validate(body))
        elif output.topic in (TOPICS.dead_letters, TOPICS.late):
            headers = dict(output.headers)
            said = headers.get("dlq.error", headers.get("late.reason", b"")).decode()
            seen.refused.append(f"an event did not count: {said}")
