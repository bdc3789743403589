"""Rehearsing an escalation: who would be told of an alert, and when, by the very reducer that workers run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alerts.around import Around
from alerts.attention import acknowledge
from alerts.condition import ChangeKind
from alerts.directory import PolicyDirectory
from alerts.escalation import Step
from alerts.group import Routed, followed
from alerts.ids import episode_id, fingerprint
from alerts.incident import Incident
from alerts.members import News
from models.errors import OutwatchError
from models.incidents import Happening, IncidentMember, Stage
from models.notices import OverrideState
from models.paging import Paging
from models.policy import PartnerPolicy, compile_partner
from models.policy_file import parts
from models.policy_spec import PolicyFile
from models.rules import Rule, Severity
from models.windows import DAY_MS, GRID_MS, Scope
from models.yaml_file import suggest

__all__ = ["Rehearsal", "RehearsalError", "Told", "rehearse"]

_MAX_MS: Final = 400 * DAY_MS
_NEVER_MS: Final = 2**62
_QUIET: Final = {Happening.EMPTY_SHIFT, Happening.PASSED_OVER}
"""What is told of where nobody is."""


class RehearsalError(OutwatchError):
    """Raised when there is no such alert, or it would page nobody; the text says why."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """An alert that fires, and what people do."""

    partner: str | None = None
    """None: the first of the policy that has such a rule."""
    rule: str | None = None
    """None: the first that escalates."""
    scope: Scope | None = None
    severity: Severity | None = None
    """None: the worst of the rule."""
    ack_after_ms: int | None = None
    """None: nobody answers."""
    overrides: tuple[OverrideState, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A line: somebody is told, or why nobody is."""

    at_ms: int
    what: str
    """What kind of page; or, where there was none, what came in its way."""
    who: str
    receiver: str | None
    """Its type and id."""
    why: str


def rehearse(policy: PolicyFile, what: Rehearsal, at_ms: int) -> list[Told]:
    """Who is told of an alert that fires at `at_ms`, up to the end of its escalation or its acknowledgement, in order.

    Raises:
        RehearsalError: if there is no such alert, or it would page nobody.
    """
    own, paging, rule = _found(policy, what)
    escalation = paging.escalation_of(rule.escalation)
    assert escalation is not None, "only what escalates is found"
    at_ms += -at_ms % GRID_MS
    directory = PolicyDirectory(paging, own.hours, what.overrides)
    news = News(frozenset({ChangeKind.FIRED}), _member(own, rule, what, at_ms))
    (step,), _ = followed(own.partner_id, [], [Routed(news, escalation)], Around(at_ms, directory), 1)
    incident, lines = step[0], [*_lines(None, step)]
    ack_ms = _NEVER_MS if what.ack_after_ms is None else at_ms + what.ack_after_ms
    while (due_ms := incident.next_ms) is not None and due_ms < min(ack_ms, at_ms + _MAX_MS):
        (step,), _ = followed(own.partner_id, [incident], [], Around(due_ms + -due_ms % GRID_MS, directory), 1)
        lines += _lines(incident, step)
        incident = step[0]
    if ack_ms < _NEVER_MS:
        lines += _lines(incident, acknowledge(incident, "somebody", ack_ms))
    return lines


def _found(policy: PolicyFile, what: Rehearsal) -> tuple[PartnerPolicy, Paging, Rule]:
    """The first partner and rule that are meant, and that escalate."""
    shared, own = parts(policy)
    names = [each.id for each in policy.rules]
    for named, there, kind in ((what.partner, [*own], "partner"), (what.rule, names, "rule")):
        if named is not None and named not in there:
            msg = f"no {kind} {named} ({suggest(named, there, None if there else 'the policy names none')})"
            raise RehearsalError(msg)
    for partner_id, part in own.items():
        if what.partner not in (None, partner_id):
            continue
        compiled = compile_partner(shared, part, partner_id)
        for rule in compiled.rules:
            if what.rule in (None, rule.id) and compiled.paging and compiled.paging.escalation_of(rule.escalation):
                return compiled, compiled.paging, rule
    msg = f"{what.rule or 'no rule'} pages {'nobody' if what.rule else 'anybody'} (add escalation: to the rule, the partner or defaults)"
    raise RehearsalError(msg)


def _member(own: PartnerPolicy, rule: Rule, what: Rehearsal, at_ms: int) -> IncidentMember:
    scope = what.scope or (Scope("all") if "all" in rule.scopes else Scope(min(rule.scopes), "any"))
    severity, weighed = what.severity or rule.levels[-1].severity, None
    if own.criticality is not None:
        weighed = own.criticality.of(scope)
        severity = severity if what.severity is not None else own.criticality.told(severity, scope)
    identity = fingerprint(rule.id, own.partner_id, str(scope))
    return IncidentMember(
        fingerprint=identity,
        episode=episode_id(identity, at_ms),
        rule=rule.id,
        scope=str(scope),
        severity=severity,
        counted=None,
        text=f"{own.name[:100]}: {rule.id} is {severity} (a rehearsal)",
        criticality=weighed and weighed.weight,
        fired_at=at_ms,
    )


def _lines(before: Incident | None, step: Step) -> Iterator[Told]:
    """What one step told, and of whom it told nobody, as its timeline has it."""
    after, pages = step
    for entry in after.timeline[len(before.timeline) if before is not None else 0 :]:
        if entry.what in _QUIET:
            yield Told(entry.at, entry.what.value, "nobody", None, entry.text)
    for page in pages:
        target, receiver = page.target, page.receiver
        who = f"{target.kind} {target.id}" + (f" ({target.person})" if target.person not in (None, target.id) else "")
        yield Told(page.processed_at, page.kind, who, f"{receiver.type} {receiver.id}", page.reason.value)
    if after.stage is Stage.EXHAUSTED:
        yield Told(pages[-1].processed_at if pages else after.timeline[-1].at, Stage.EXHAUSTED.value, "nobody", None, "all steps passed")
