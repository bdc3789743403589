"""Incidents as they stand on `outwatch.incidents`: the alerts of a partner that are one trouble, who was told, and who looks after it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.base import Record
from models.escalation import TargetSpec
from models.notifications import NotifyReason, Outcome, Side, Target
from models.reasons import SuppressReason
from models.receivers import Receiver
from models.records import EpochMs
from models.rules import Severity

__all__ = [
    "INCIDENT_KEPT_MS",
    "TIMELINE_MAX",
    "Attention",
    "Happening",
    "IncidentEntry",
    "IncidentHeld",
    "IncidentMember",
    "IncidentState",
    "IncidentTold",
    "Stage",
]

INCIDENT_KEPT_MS = 8 * 24 * 3_600_000
"""How long an incident is known after its end: a shift of a week can be reported on the day after."""

TIMELINE_MAX = 50
"""Lines of a timeline; the oldest go, and are counted."""


class Attention(StrEnum):
    """Whether somebody looks after it."""

    UNACKED = "unacked"
    ACKED = "acked"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Stage(StrEnum):
    """Where its escalation stands."""

    IDLE = "idle"
    """Nobody was told, since all its alerts are suppressed."""
    WAIT_GROUP = "wait_group"
    """The first page waits for others of its group."""
    STEP = "step"
    """Somebody was told; without an answer the next is, when `due_at` is reached."""
    EXHAUSTED = "exhausted"
    """All steps and the fallback passed: nobody else is told unless it gets worse."""
    PAUSED = "paused"
    """Somebody looks after it, or all its alerts are suppressed, or another incident took it in."""
    STOPPED = "stopped"
    """It is over."""


class Happening(StrEnum):
    """What a line of the timeline is about."""

    OPENED = "opened"
    JOINED = "joined"
    WORSE = "worse"
    """Whoever looked after it is no longer taken to: it is told from the first step on."""
    EASED = "eased"
    ENDED = "ended"
    """An alert of it ended."""
    TOLD = "told"
    EMPTY_SHIFT = "empty_shift"
    """A target of a step meant nobody."""
    PASSED_OVER = "passed_over"
    """What a step asks for did not hold, or it fell due in a past that was caught up on."""
    FAILED = "failed"
    """A page could not be delivered."""
    EXHAUSTED = "exhausted"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    ACK_ENDED = "ack_ended"
    """The time of an acknowledgement, a snooze or a storm was over."""
    REASSIGNED = "reassigned"
    COMMENTED = "commented"
    ABSORBED = "absorbed"
    RESOLVED = "resolved"


class IncidentMember(Record):
    """An alert of it, as it was when it last changed."""

    fingerprint: str
    episode: str
    rule: str
    scope: str
    severity: Severity
    counted: Severity | None
    """The severity of which somebody may know; null while it never was without a reason to wait."""
    text: Annotated[str, Field(max_length=200)]
    """What a person would say of it."""
    criticality: int | None = None
    """What it weighs."""
    runbook: Annotated[str, Field(max_length=300)] | None = None
    suggested_action: Annotated[str, Field(max_length=300)] | None = None
    """What its rule says, cut where it is long: an incident is one row."""
    fired_at: EpochMs
    ended_at: EpochMs | None = None
    suppressed_by: tuple[SuppressReason, ...] = ()
    """Why it pages nobody."""

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def pages(self) -> bool:
        """Whether it is open and nothing holds its pages back."""
        return self.ended_at is None and not self.suppressed_by


class IncidentTold(Record):
    """A receiver that was told of it, and is told its end."""

    receiver: Receiver
    """As it was when it was first told."""
    target: Target
    side: Side
    loop: int
    step: int
    """As in `models.notifications.Notification`; so is all of this of the last page that went there."""
    epoch: int
    reason: NotifyReason
    notification: str
    at: EpochMs
    outcome: Outcome | None = None
    """Null while nothing was heard."""
    receipt: str | None = None


class IncidentEntry(Record):
    """A line of the timeline."""

    at: EpochMs
    what: Happening
    by: str | None = None
    text: Annotated[str, Field(max_length=500)] = ""


class IncidentHeld(Record):
    """Why nobody further is told for now."""

    what: Attention
    by: str
    at: EpochMs
    until: EpochMs | None = None
    """When it ends by itself; null: with the incident."""


class IncidentState(Record):
    """`outwatch.incidents`, key incident: its present state; a tombstone 8 days after its end."""

    id: str
    partner: str
    partner_name: str
    escalation: str
    """The policy that it follows, as that was when it opened."""
    labels: dict[str, str]
    """What its alerts have in common."""
    severity: Severity
    attention: Attention
    stage: Stage
    epoch: int
    """Raised by what makes pages stale that are on their way."""
    loop: int
    step: int | None
    """Who was told last; null: nobody yet."""
    due_at: EpochMs | None
    """When something becomes different without a further event; null: only by one."""
    text: str
    """Of its worst alert."""
    open: int
    """Alerts that have not ended."""
    members: tuple[IncidentMember, ...]
    members_dropped: int
    """Ended ones that are not listed any more."""
    told: tuple[IncidentTold, ...]
    timeline: tuple[IncidentEntry, ...]
    timeline_dropped: int
    held: IncidentHeld | None
    """Who looks after it, or had it wait."""
    assigned: TargetSpec | None
    """To whom it was handed over last."""
    absorbed_by: str | None
    """The incident that tells of it too, for the time being."""
    unseen: bool
    """Nobody ever acknowledged it."""
    opened_at: EpochMs
    ended_at: EpochMs | None
    resolved_by: str | None
    """Who closed it; null: it ended by itself."""
    calendar: str
    """The revision of the rotations when it opened."""
    as_of: EpochMs
    """Wall time of the commit."""
    revision: int
    """The commit sequence of the partition."""
