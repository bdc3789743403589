"""The alerts of an incident: what it means for the whole that one of them fired, got worse, eased, ended, or may page now."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from alerts.aside import RISES
from alerts.condition import ChangeKind
from alerts.escalation import Step, begun, restarted
from alerts.incident import MEMBERS_MAX, Incident, noted, severer
from alerts.page import to_all
from models.incidents import Happening, IncidentMember
from models.notifications import NotifyReason
from models.rules import Severity

__all__ = ["News", "changed", "ended"]


class News(NamedTuple):
    """What became of an alert at a grid point."""

    kinds: frozenset[ChangeKind]
    """Its changes; none where only what holds its pages back is another."""
    member: IncidentMember
    """As it is now; what was counted of it before is not its to say."""
    late: bool = False
    """Whether it may page only now since it happened while the past was caught up on."""

    @property
    def begins(self) -> bool:
        """Whether it opens an incident where it belongs to none: one that was closed by hand stays so when a silence ends."""
        return self.member.open and not RISES.isdisjoint(self.kinds)


def changed(incident: Incident, news: Sequence[News], at_ms: int) -> Step:
    """The incident after all that happened to its alerts at one grid point; what it then owes is `alerts.escalation.due`."""
    assert incident.ended_ms is None, "what is over takes nothing in"
    before, waited = _known(incident), not any(each.pages for each in incident.members)
    for each in news:
        incident = _merged(incident, each, at_ms)
    if not incident.open:
        return ended(incident, at_ms)
    if any(each.late for each in news):
        incident = replace(incident, head_ms=max(incident.head_ms, at_ms))
    if incident.due_ms is None and incident.step is None and not incident.told:
        if any(each.pages for each in incident.members):
            incident = begun(incident, at_ms)
    elif severer(incident.severity, before):
        incident = _worse(incident, at_ms)
    elif waited and incident.due_ms is not None:
        # Whoever is next is told at once, and nobody was passed over while pages waited.
        incident = replace(incident, due_ms=max(incident.due_ms, at_ms))
    return incident, ()


def ended(incident: Incident, at_ms: int, by: str | None = None, comment: str | None = None) -> Step:
    """It is over: whoever was told of it is told so."""
    incident = replace(
        incident, ended_ms=at_ms, resolved_by=by, epoch=incident.epoch + 1, due_ms=None, pages=(), update_owed=False, head_ms=0
    )
    incident = noted(incident, at_ms, Happening.RESOLVED, comment or "", by)
    return incident, to_all(incident, "resolve", NotifyReason.RESOLVED, at_ms)


def _worse(incident: Incident, at_ms: int) -> Incident:
    if incident.step is None and incident.held is None:
        return incident  # The first page is on its way.
    incident = replace(incident, epoch=incident.epoch + 1, held=None, update_owed=bool(incident.told) and incident.absorbed_by is None)
    return noted(restarted(incident, at_ms, NotifyReason.WORSE), at_ms, Happening.WORSE, str(incident.severity))


def _known(incident: Incident) -> Severity | None:
    """The severity that somebody may know of: while nothing that counted is open, that of what ended."""
    found = incident.severity
    for each in incident.members if found is None and incident.told else ():
        if severer(each.counted, found):
            found = each.counted
    return found


def _merged(incident: Incident, news: News, at_ms: int) -> Incident:
    member = news.member
    at = next((at for at, each in enumerate(incident.members) if each.open and each.fingerprint == member.fingerprint), None)
    if at is None:
        if not member.open:
            return incident
        member = member.model_copy(update={"counted": member.severity if member.pages else None})
        what = Happening.JOINED if incident.members else Happening.OPENED
        incident = replace(incident, members=(*incident.members, member))
        return _owing(noted(_trimmed(incident), at_ms, what, member.text), counts=member.pages)
    former = incident.members[at]
    counted = member.severity if member.pages else _milder(former.counted, member.severity)
    member = member.model_copy(update={"counted": former.counted if not member.open else counted})
    incident = replace(incident, members=(*incident.members[:at], member, *incident.members[at + 1 :]))
    if not member.open:
        incident = noted(incident, at_ms, Happening.ENDED, member.text)
    elif severer(former.severity, member.severity):
        incident = noted(incident, at_ms, Happening.EASED, member.text)
    told = member.counted is not None and (member.counted != former.counted or not member.open)
    return _owing(incident, counts=told)


def _owing(incident: Incident, *, counts: bool) -> Incident:
    owed = counts and bool(incident.told) and incident.absorbed_by is None
    return replace(incident, update_owed=True) if owed else incident


def _milder(one: Severity | None, other: Severity) -> Severity | None:
    return other if severer(one, other) else one


def _trimmed(incident: Incident) -> Incident:
    """Without the alerts that ended first, where there are too many."""
    over = len(incident.members) - MEMBERS_MAX
    if over <= 0:
        return incident
    gone = {id(each) for each in _first(over, (each for each in incident.members if not each.open))}
    kept = tuple(each for each in incident.members if id(each) not in gone)
    return replace(incident, members=kept, members_dropped=incident.members_dropped + len(gone))


def _first(count: int, members: Iterable[IncidentMember]) -> Iterable[IncidentMember]:
    return (each for _, each in zip(range(count), members, strict=False))
