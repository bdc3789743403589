"""What the notifier is asked to send, on `outwatch.notifications`, and what it answers, as a command.

An incident writes the intents, in the transaction of what causes them; their ids are computed from it, so that a crash writes none twice.
Of one incident and receiver they are sent in the order in which they stand.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from models.base import Record
from models.receivers import Receiver
from models.records import EpochMs

__all__ = ["RESULT", "Fact", "Kind", "Notification", "NotificationResult", "NotifyReason", "Outcome", "Side", "Target"]

RESULT = "notification.result"
"""The type of the command."""

Kind = Literal["trigger", "update", "acknowledge", "resolve"]
Side = Literal["client", "partner"]


class NotifyReason(StrEnum):
    """Why somebody is told."""

    OPENED = "opened"
    """An incident began."""
    WORSE = "worse"
    """A member of it became more severe, or a more severe one came."""
    NOT_ACKNOWLEDGED = "not_acknowledged"
    """Nobody answered the step before."""
    REJECTED = "rejected"
    """The page of the step before could not be delivered."""
    EMPTY_SHIFT = "empty_shift"
    """Nobody was on call at the step before."""
    FALLBACK = "fallback"
    """All steps passed, as often as they loop, and nobody answered."""
    ACK_ENDED = "ack_ended"
    """The time of an acknowledgement or a snooze was over."""
    REASSIGNED = "reassigned"
    """Somebody handed it over."""
    CHANGED = "changed"
    """A member came, went or eased."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody looks after it."""
    RESOLVED = "resolved"
    """All its members resolved, or somebody closed it."""
    DIGEST = "digest"
    """Pages were held back and are told together; the notifier's own, as is the next."""
    TEST = "test"
    """Somebody asked for a test page."""
    HANDOVER = "handover"
    """A shift began: what there was in the one before; the notifier's own."""
    AUDIT = "audit"
    """Outwatch itself cannot be relied on; the auditor's own, on no topic."""


class Outcome(StrEnum):
    """What became of a notification."""

    SENT = "sent"
    """The receiver took it."""
    REJECTED = "rejected"
    """The receiver refused it for good, or it cannot be sent at all: the next step is due at once."""
    EXPIRED = "expired"
    """It could not be delivered in its time."""
    STALE = "stale"
    """The incident had moved on."""
    DIGESTED = "digested"
    """A line of a digest, since its person had enough pages, or it was old and over."""


class Target(Record):
    """Who is told."""

    kind: Literal["person", "rotation", "receiver", "partner"]
    """What the step names; `partner`: a role on the partner's side."""
    id: str
    person: str | None = None
    """Whom that meant when the step fired."""


class Fact(Record):
    """A line of a table in a page."""

    name: str
    value: str


class Notification(Record):
    """`outwatch.notifications`, key incident: something to be sent to one receiver."""

    id: str
    """A UUID of incident, epoch, loop, step, target, receiver and kind."""
    incident: str
    """A UUID; also what pagers de-duplicate by."""
    partner: str
    epoch: int
    """Of the incident when this was written; a trigger or an update of an older one than its present is dropped, an end never."""
    loop: int
    step: int
    """From 0 on; -1 of the fallback, -2 of whom it was handed over to."""
    kind: Kind
    reason: NotifyReason
    target: Target
    receiver: Receiver
    """As it was when the incident first told it."""
    receipt: Annotated[str, Field(max_length=200)] | None = None
    """What this receiver answered to the incident's first page, as `NotificationResult` told: it keeps a thread one where Redis lost it."""
    side: Side
    severity: Literal["warning", "critical"]
    text: Annotated[str, Field(max_length=200)]
    """Whole by itself: partner, KPI, figure against target, n, since when."""
    facts: tuple[Fact, ...] = ()
    members: int
    """Alerts of the incident that are open."""
    runbook: str | None = None
    suggested_action: str | None = None
    labels: dict[str, str]
    """What the incident groups by, its rule and scope."""
    opened_at: EpochMs
    ended_at: EpochMs | None = None
    late: bool
    """Written while the past was caught up on."""
    processed_at: EpochMs
    """Wall time of the commit."""


class NotificationResult(Record):
    """The payload of the command `notification.result`, to the partition of its partner."""

    notification: str
    incident: str
    outcome: Outcome
    detail: Annotated[str, Field(max_length=500)]
    """What the receiver said, in one line, without secrets."""
    receipt: Annotated[str, Field(max_length=200)] | None = None
    """What it answered to be called by later, such as the `ts` of a thread."""
