"""What people, and the notifier, say of an incident: who looks after it, until when, who else should, and what became of its pages."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from alerts.around import Around
from alerts.errors import IncidentError
from alerts.escalation import Step, ends_loop, reach, tell
from alerts.incident import Incident, noted
from alerts.members import ended
from alerts.page import REASSIGNED, to_all
from models.escalation import TargetSpec
from models.incidents import Attention, Happening, IncidentHeld
from models.notifications import NotificationResult, NotifyReason, Outcome

__all__ = ["Doing", "absorb", "acknowledge", "answered", "comment", "reassign", "resolve", "snooze"]

Doing = Callable[[Incident], Step]
"""One of these, but for what it is to be done to."""

_ABSORBED_MS: Final = 3_600_000
_FAILED: Final = (Outcome.REJECTED, Outcome.EXPIRED)


def acknowledge(incident: Incident, by: str, at_ms: int, until_ms: int | None = None, said: str | None = None) -> Step:
    """Somebody looks after it, up to `until_ms` or its end.

    Raises:
        IncidentError: if it is over, or that time is.
    """
    return _held(incident, IncidentHeld(what=Attention.ACKED, by=by, at=at_ms, until=until_ms), said)


def snooze(incident: Incident, by: str, at_ms: int, until_ms: int, said: str | None = None) -> Step:
    """It waits up to `until_ms`; raises as `acknowledge` does."""
    return _held(incident, IncidentHeld(what=Attention.SNOOZED, by=by, at=at_ms, until=until_ms), said)


def resolve(incident: Incident, by: str, at_ms: int, said: str | None = None) -> Step:
    """Somebody closes it.

    Raises:
        IncidentError: if it is over.
    """
    return ended(_open(incident), at_ms, by, said)


def reassign(incident: Incident, by: str, to: TargetSpec, around: Around, said: str | None = None) -> Step:
    """Hand it over: the target is told at once; without an answer in the time between loops the escalation begins anew.

    Raises:
        IncidentError: if it is over, or nobody is meant now.
    """
    contacts = reach(incident, to, around)
    if not contacts:
        msg = "that means nobody who can be reached now"
        raise IncidentError(msg)
    at_ms = around.at_ms
    incident = replace(
        _open(incident),
        epoch=incident.epoch + 1,
        held=None,
        absorbed_by=None,
        absorbed_until_ms=None,
        assigned=to,
        loop=0,
        step=REASSIGNED,
        why=NotifyReason.NOT_ACKNOWLEDGED,
        due_ms=at_ms + round(incident.policy.loop_after * 1000),
    )
    incident = noted(incident, at_ms, Happening.REASSIGNED, said or "", by)
    return tell(incident, [(to, each) for each in contacts], around, NotifyReason.REASSIGNED)


def comment(incident: Incident, by: str, at_ms: int, said: str) -> Step:
    """A line of its timeline, also after its end."""
    return noted(incident, at_ms, Happening.COMMENTED, said, by), ()


def absorb(incident: Incident, into: str, at_ms: int, until_ms: int | None = None) -> Step:
    """Another incident tells of it: nobody further is told, but for its end; without a time, for an hour.

    Raises:
        IncidentError: if it is over, or the other one is itself.
    """
    if into == incident.id:
        msg = "an incident cannot take itself in"
        raise IncidentError(msg)
    until_ms = at_ms + _ABSORBED_MS if until_ms is None else until_ms
    incident = replace(_open(incident), epoch=incident.epoch + 1, absorbed_by=into, absorbed_until_ms=until_ms, pages=(), update_owed=False)
    return noted(incident, at_ms, Happening.ABSORBED, into), ()


def answered(incident: Incident, result: NotificationResult, at_ms: int) -> Step:
    """What became of a notification: where no page of the last step can arrive any more, whoever comes next in the loop is told at once."""
    told = tuple(
        each
        if each.notification != result.notification
        else each.model_copy(update={"outcome": result.outcome, "receipt": result.receipt or each.receipt})
        for each in incident.told
    )
    if result.outcome not in _FAILED:
        return (incident if told == incident.told else replace(incident, told=told)), ()
    was, left = incident.pages, tuple(each for each in incident.pages if each != result.notification)
    incident = noted(replace(incident, told=told, pages=left), at_ms, Happening.FAILED, result.detail)
    if was and not left and incident.due_ms is not None and not ends_loop(incident):
        incident = replace(incident, due_ms=min(incident.due_ms, at_ms), why=NotifyReason.REJECTED)
    return incident, ()


def _held(incident: Incident, held: IncidentHeld, said: str | None) -> Step:
    if held.until is not None and held.until <= held.at:
        msg = "it would be over already"
        raise IncidentError(msg)
    incident = replace(_open(incident), held=held, seen=True, epoch=incident.epoch + 1, pages=())
    what = Happening.ACKNOWLEDGED if held.what is Attention.ACKED else Happening.SNOOZED
    incident = noted(incident, held.at, what, said or "", held.by)
    return incident, to_all(incident, "acknowledge", NotifyReason.ACKNOWLEDGED, held.at)


def _open(incident: Incident) -> Incident:
    if incident.ended_ms is not None:
        msg = "the incident is over"
        raise IncidentError(msg)
    return incident
