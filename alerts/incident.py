"""An incident: the alerts of a partner that are one trouble, how far it was told, and who looks after it."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
from pydantic import TypeAdapter

from alerts.errors import RowFormatError
from models.escalation import EscalationSpec, TargetSpec
from models.incidents import (
    TIMELINE_MAX,
    Attention,
    Happening,
    IncidentEntry,
    IncidentHeld,
    IncidentMember,
    IncidentState,
    IncidentTold,
    Stage,
)
from models.notifications import NotifyReason
from models.receivers import Receiver
from models.rules import Severity

__all__ = ["MEMBERS_MAX", "ROW_FORMAT", "UPDATE_MS", "Incident", "incident_id", "noted", "severer", "worst_of"]

ROW_FORMAT: Final = 1
MEMBERS_MAX: Final = 100
"""Alerts of one incident; further ones of its group open another."""
UPDATE_MS: Final = 60_000
"""Between two updates of an incident: the newest wins."""

_RECEIVER: Final[TypeAdapter[Receiver]] = TypeAdapter(Receiver)
_SPACE: Final = UUID("5f0f1c1e-9d4e-5a3c-8a56-0d3c6f2f6c11")
_ORDER: Final = {each: at for at, each in enumerate(Severity)}


def incident_id(partner: str, escalation: str, labels: dict[str, str], opened_ms: int, ordinal: int) -> str:
    """A UUID; `ordinal` tells those apart that one group opened at one grid point."""
    said = [partner, escalation, labels, opened_ms, *([ordinal] if ordinal else [])]
    return str(uuid5(_SPACE, orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()))


def severer(one: Severity | None, other: Severity | None) -> bool:
    """Whether `one` is worse than `other`; nothing is the mildest."""
    return one is not None and (other is None or _ORDER[one] > _ORDER[other])


@dataclass(frozen=True, slots=True)
class Incident:
    """What it was opened with stays as it is, whatever becomes of the policy."""

    id: str
    partner: str
    policy: EscalationSpec
    labels: dict[str, str]
    calendar: str
    receivers: tuple[Receiver, ...]
    """Those that the policy names, as they were."""
    opened_ms: int
    members: tuple[IncidentMember, ...] = ()
    """In the order in which they came; of those that ended only the newest."""
    members_dropped: int = 0
    held: IncidentHeld | None = None
    seen: bool = False
    """Whether anybody ever acknowledged it."""
    epoch: int = 0
    loop: int = 0
    step: int | None = None
    """Who was told last; None: nobody since the escalation began."""
    due_ms: int | None = None
    """When whoever comes next is told, if nobody answers; None: nobody comes next."""
    why: NotifyReason = NotifyReason.OPENED
    """What that will be for."""
    pages: tuple[str, ...] = ()
    """The ids of the last step's pages that may still arrive."""
    told: tuple[IncidentTold, ...] = ()
    updated_ms: int = 0
    update_owed: bool = False
    """Never before somebody was told."""
    head_ms: int = 0
    """Up to where the past was caught up on when something fell due in it; 0 where nothing waits for that."""
    assigned: TargetSpec | None = None
    absorbed_by: str | None = None
    absorbed_until_ms: int | None = None
    timeline: tuple[IncidentEntry, ...] = ()
    timeline_dropped: int = 0
    empty_shifts: int = 0
    ended_ms: int | None = None
    resolved_by: str | None = None

    @property
    def open(self) -> tuple[IncidentMember, ...]:
        """The alerts that have not ended."""
        return tuple(each for each in self.members if each.open)

    @property
    def severity(self) -> Severity | None:
        """The worst that somebody may know of, of the alerts that have not ended; None before any could page."""
        found: Severity | None = None
        for each in self.members:
            if each.open and severer(each.counted, found):
                found = each.counted
        return found

    @property
    def quiet(self) -> bool:
        """Whether nobody is to be told of it for now."""
        taken = self.ended_ms is not None or self.held is not None or self.absorbed_by is not None
        return taken or not any(each.pages for each in self.members)

    @property
    def attention(self) -> Attention:
        """Whether somebody looks after it."""
        if self.ended_ms is not None:
            return Attention.RESOLVED
        return self.held.what if self.held is not None else Attention.UNACKED

    @property
    def stage(self) -> Stage:
        """Where its escalation stands."""
        if self.ended_ms is not None:
            return Stage.STOPPED
        if self.quiet:
            untold = self.step is None and not self.told and self.held is None and self.absorbed_by is None
            return Stage.IDLE if untold else Stage.PAUSED
        if self.due_ms is None:
            return Stage.EXHAUSTED
        return Stage.WAIT_GROUP if self.step is None else Stage.STEP

    @property
    def next_ms(self) -> int | None:
        """When something becomes different by itself; None: only by an alert or a command."""
        if self.ended_ms is not None:
            return None
        due = [self.held.until if self.held else None, self.absorbed_until_ms if self.absorbed_by else None]
        if not self.quiet:
            due.append(self.due_ms)
        if self.update_owed:
            due.append(self.updated_ms + UPDATE_MS)
        first = min((each for each in due if each is not None), default=None)
        return first if first is None else max(first, self.head_ms)

    def to_row(self) -> list[Any]:
        """A list of what JSON can hold, the format's number first."""
        return [
            ROW_FORMAT,
            self.id,
            self.partner,
            self.policy.model_dump(mode="json", exclude_unset=True),
            self.labels,
            self.calendar,
            [_row(each) for each in self.receivers],
            self.opened_ms,
            [_row(each) for each in self.members],
            self.members_dropped,
            self.held and _row(self.held),
            self.seen,
            self.epoch,
            self.loop,
            self.step,
            self.due_ms,
            self.why.value,
            self.pages,
            [_row(each) for each in self.told],
            self.updated_ms,
            self.update_owed,
            self.head_ms,
            self.assigned and _row(self.assigned),
            self.absorbed_by,
            self.absorbed_until_ms,
            [_row(each) for each in self.timeline],
            self.timeline_dropped,
            self.empty_shifts,
            self.ended_ms,
            self.resolved_by,
        ]

    @classmethod
    def from_row(cls, row: list[Any]) -> "Incident":
        """The inverse of `to_row`.

        Raises:
            RowFormatError: if the row is of another format.
        """
        if row[0] != ROW_FORMAT:
            msg = f"an incident's row has format {row[0]!r}, this release reads {ROW_FORMAT}"
            raise RowFormatError(msg)
        # A row of an older release ends before what was appended since.
        found = dict(zip(cls.__slots__, row[1:], strict=False))
        found["policy"] = EscalationSpec.model_validate(found["policy"])
        found["receivers"] = tuple(map(_RECEIVER.validate_python, found["receivers"]))
        found["members"] = tuple(map(IncidentMember.model_validate, found["members"]))
        found["held"] = found["held"] and IncidentHeld.model_validate(found["held"])
        found["why"] = NotifyReason(found["why"])
        found["pages"] = tuple(found["pages"])
        found["told"] = tuple(map(IncidentTold.model_validate, found["told"]))
        found["assigned"] = found["assigned"] and TargetSpec.model_validate(found["assigned"])
        found["timeline"] = tuple(map(IncidentEntry.model_validate, found["timeline"]))
        return cls(**found)

    def state(self, partner_name: str, as_of_ms: int, revision: int) -> IncidentState:
        """The record of it."""
        worst = worst_of(self)
        return IncidentState(
            id=self.id,
            partner=self.partner,
            partner_name=partner_name,
            escalation=self.policy.id,
            labels=self.labels,
            severity=self.severity or worst.severity,
            attention=self.attention,
            stage=self.stage,
            epoch=self.epoch,
            loop=self.loop,
            step=self.step,
            due_at=self.next_ms,
            text=worst.text,
            open=len(self.open),
            members=self.members,
            members_dropped=self.members_dropped,
            told=self.told,
            timeline=self.timeline,
            timeline_dropped=self.timeline_dropped,
            held=self.held,
            assigned=self.assigned,
            absorbed_by=self.absorbed_by,
            unseen=not self.seen,
            opened_at=self.opened_ms,
            ended_at=self.ended_ms,
            resolved_by=self.resolved_by,
            calendar=self.calendar,
            as_of=as_of_ms,
            revision=revision,
        )


def worst_of(incident: Incident) -> IncidentMember:
    """The alert that it is told by: the severest that is open, the first of those; else the one that ended last."""
    assert incident.members, "an incident has alerts"
    if not incident.open:
        return max(incident.members, key=lambda each: (each.ended_at or 0, _ORDER[each.severity]))
    return max(incident.open, key=lambda each: (each.pages, _ORDER[each.severity], -each.fired_at))


def noted(incident: Incident, at_ms: int, what: Happening, text: str = "", by: str | None = None) -> Incident:
    """The same with one more line of the timeline; the oldest goes where there are too many."""
    lines = (*incident.timeline, IncidentEntry(at=at_ms, what=what, by=by, text=text[:500]))
    over = max(0, len(lines) - TIMELINE_MAX)
    return replace(incident, timeline=lines[over:], timeline_dropped=incident.timeline_dropped + over)


def _row(each: Any) -> Any:  # noqa: ANN401 - any of the models above
    return each.model_dump(mode="json", exclude_unset=True)
