"""The report of a shift at its handover: what fired, who took it, what is open, and what resolved unseen."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from models.escalation import EscalationSpec, TargetSpec
from models.incidents import INCIDENT_KEPT_MS, Happening, IncidentState
from models.notices import OverrideState
from models.oncall import Rotation, Segment
from models.people import Contacts
from models.rules import Severity
from models.shift_report import ShiftIncident, ShiftPart, ShiftReport, ShiftTaken

__all__ = ["DUE_MS", "Handover", "concerns", "due_handovers", "shift_report"]

DUE_MS: Final = 30 * 60_000
"""For so long after a handover its report is due."""
_SEVERITIES: Final = tuple(Severity)


class Handover(NamedTuple):
    """Somebody's shift began."""

    rotation: str
    shift: Segment
    """The one before, up to this time: with the hours in between in which nobody was on call."""
    following: tuple[str, ...]


def due_handovers(
    rotations: Iterable[Rotation], overrides: Sequence[OverrideState], now_ms: int, marked: Container[tuple[str, int]]
) -> Iterator[Handover]:
    """The handovers of the last 30 minutes that are not marked, by rotation and time; there is none before a rotation's first shift."""
    for rotation in rotations:
        before: tuple[str, ...] | None = None
        for begin_ms, _, on_call in rotation.schedule(now_ms - DUE_MS, now_ms + 1, overrides):
            begins = on_call.people and before is not None and on_call.people != before
            before = on_call.people
            if begins and (rotation.id, begin_ms) not in marked:
                shift = rotation.shift_before(begin_ms, overrides)
                if shift is not None:
                    yield Handover(rotation.id, shift._replace(end_ms=begin_ms), on_call.people)


def concerns(
    rotation: str, partner: str | None, escalations: Iterable[EscalationSpec], contacts: Mapping[str, Contacts]
) -> Callable[[IncidentState], bool]:
    """Which incidents are a rotation's: those whose escalation names it, itself or by a role, and those that it was told of.

    Of a rotation on a partner's side only that partner's are. `contacts` are by partner.
    """
    said = ((whose, role, each) for whose, told in contacts.items() for role, several in told.items() for each in several)
    roles = {(whose, role) for whose, role, each in said if each.rotation == rotation}
    targets = {each.id: tuple(_targets(each)) for each in escalations}

    def of(incident: IncidentState) -> bool:
        if partner is not None and incident.partner != partner:
            return False
        if any(told.target.kind == "rotation" and told.target.id == rotation for told in incident.told):
            return True
        named = targets.get(incident.escalation, ())
        return any(each.rotation == rotation or (incident.partner, each.partner) in roles for each in named)

    return of


def _targets(escalation: EscalationSpec) -> Iterator[TargetSpec]:
    for step in escalation.steps:
        yield from step.tell
    yield from escalation.fallback


def shift_report(
    rotation: str, shift: Segment, following: tuple[str, ...], incidents: Iterable[IncidentState], as_of_ms: int
) -> ShiftReport:
    """What the shift had to do with, of the incidents that are its rotation's; `as_of_ms` is when they were read."""
    found = [each for each in (_incident(each, shift) for each in incidents) if each.parts]
    found.sort(key=_order)
    counts = {part: sum(part in each.parts for each in found) for part in ShiftPart}
    said = {"rotation": rotation, "people": shift.on_call.people, "following": following, "from": shift.begin_ms, "to": shift.end_ms}
    complete = shift.begin_ms >= as_of_ms - INCIDENT_KEPT_MS
    return ShiftReport.model_validate({**said, "counts": counts, "incidents": found, "complete": complete})


def _incident(incident: IncidentState, shift: Segment) -> ShiftIncident:
    begin_ms, end_ms = shift.begin_ms, shift.end_ms
    taken = [
        ShiftTaken(by=line.by, at=line.at)
        for line in incident.timeline
        if line.what is Happening.ACKNOWLEDGED and line.by is not None and begin_ms <= line.at < end_ms
    ]
    ended = incident.ended_at is not None and begin_ms <= incident.ended_at < end_ms
    holds = {
        ShiftPart.FIRED: begin_ms <= incident.opened_at < end_ms,
        ShiftPart.TAKEN: bool(taken),
        ShiftPart.OPEN: incident.opened_at < end_ms and (incident.ended_at is None or incident.ended_at >= end_ms),
        ShiftPart.RESOLVED: ended,
        ShiftPart.UNSEEN: ended and incident.unseen,
    }
    return ShiftIncident(
        id=incident.id,
        partner=incident.partner,
        partner_name=incident.partner_name,
        escalation=incident.escalation,
        severity=incident.severity,
        text=incident.text,
        parts=tuple(part for part, held in holds.items() if held),
        taken=tuple(taken),
        opened_at=incident.opened_at,
        ended_at=incident.ended_at,
    )


def _order(incident: ShiftIncident) -> tuple[bool, bool, int, int, str]:
    is_open, unseen = (part in incident.parts for part in (ShiftPart.OPEN, ShiftPart.UNSEEN))
    return not is_open, not unseen, -_SEVERITIES.index(incident.severity), incident.opened_at, incident.id
