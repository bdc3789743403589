"""Grouping: which incident an alert belongs to, and what all incidents of a partner become at a grid point."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alerts.around import Around
from alerts.escalation import Step, due
from alerts.incident import MEMBERS_MAX, Incident, incident_id
from alerts.members import News, changed
from models.escalation import EscalationSpec, TargetSpec
from models.incidents import IncidentMember

__all__ = ["Routed", "followed", "labels_of"]


class Routed(NamedTuple):
    """News of an alert, and the escalation that it goes by; None where it has none, or its rule is gone."""

    news: News
    policy: EscalationSpec | None


def followed(partner: str, held: Sequence[Incident], routed: Sequence[Routed], around: Around, room: int) -> tuple[list[Step], int]:
    """What becomes of a partner's open incidents at a grid point, and of those that begin; those that stay as they are are left out.

    Args:
        partner: Its id.
        held: The open ones, oldest first.
        routed: What became of alerts.
        around: When, and who can be reached.
        room: How many may begin.

    Returns:
        What became of each that is not as it was, and how many alerts found no room.
    """
    incidents, known = {each.id: each for each in held}, frozenset(each.id for each in held)
    by_alert = {member.fingerprint: each.id for each in held for member in each.open}
    came: dict[str, list[News]] = {}
    refused = 0
    # All of a grid point is taken in at once, so that what begins joins an incident whose other alerts end then.
    for news, policy in routed:
        member = news.member
        identity = by_alert.get(member.fingerprint)
        if identity is None and news.begins and policy is not None:
            labels = labels_of(policy, member)
            identity = _roomy(incidents.values(), policy, labels, came)
            if identity is None and len(incidents) - len(known) < room:
                alike = sum(each.opened_ms == around.at_ms and each.labels == labels for each in incidents.values())
                identity = incident_id(partner, policy.id, labels, around.at_ms, alike)
                named = tuple(contact.receiver for target in _receivers(policy) for contact in around.directory.reach(target, around.at_ms))
                incidents[identity] = Incident(identity, partner, policy, labels, around.directory.calendar, named, around.at_ms)
            refused += identity is None
        if identity is not None:
            by_alert[member.fingerprint] = identity
            came.setdefault(identity, []).append(news)
    steps: list[Step] = []
    for identity, incident in incidents.items():
        after, told = changed(incident, came[identity], around.at_ms) if identity in came else (incident, ())
        after, pages = due(after, around)
        if after is not incident or identity not in known:
            steps.append((after, told + pages))
    return steps, refused


def labels_of(policy: EscalationSpec, member: IncidentMember) -> dict[str, str]:
    """By what the escalation groups: of an alert that is not of a queue the queue is left out."""
    dimension, _, value = member.scope.partition("=")
    said = {"rule": member.rule, "scope": member.scope, "severity": member.severity.value} | ({dimension: value} if value else {})
    return {name: said[name] for name in policy.group_by if name in said}


def _receivers(policy: EscalationSpec) -> list[TargetSpec]:
    """The receivers that a policy names, each once."""
    targets = (*(each for step in policy.steps for each in step.tell), *policy.fallback)
    return list({each.receiver: each for each in targets if each.receiver is not None}.values())


def _roomy(incidents: Iterable[Incident], policy: EscalationSpec, labels: dict[str, str], came: dict[str, list[News]]) -> str | None:
    """The incident of a group that is open and can take one more alert."""
    for each in incidents:
        alike = each.policy.id == policy.id and each.labels == labels
        if alike and len(each.open) + len(came.get(each.id, ())) < MEMBERS_MAX:
            return each.id
    return None
