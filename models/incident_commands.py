"""What may be asked of an incident on `outwatch.commands`, by its partner's partition."""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from models.base import Payload, SentMs
from models.escalation import TargetSpec
from models.notifications import RESULT, NotificationResult

__all__ = [
    "INCIDENT_ABSORB",
    "INCIDENT_ACK",
    "INCIDENT_COMMENT",
    "INCIDENT_PAYLOADS",
    "INCIDENT_REASSIGN",
    "INCIDENT_RESOLVE",
    "INCIDENT_SNOOZE",
    "IncidentAbsorb",
    "IncidentAck",
    "IncidentComment",
    "IncidentReassign",
    "IncidentResolve",
    "IncidentSnooze",
]

INCIDENT_ACK: Final = "incident.ack"
INCIDENT_SNOOZE: Final = "incident.snooze"
INCIDENT_RESOLVE: Final = "incident.resolve"
INCIDENT_REASSIGN: Final = "incident.reassign"
INCIDENT_COMMENT: Final = "incident.comment"
INCIDENT_ABSORB: Final = "incident.absorb"

_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _OfIncident(Payload):
    incident: _Id


class IncidentAck(_OfIncident):
    """`incident.ack`: somebody looks after it; nobody further is told unless it gets worse."""

    until: SentMs | None = None
    """When that ends, if it is open still; without it, with the incident."""
    comment: _Text | None = None


class IncidentSnooze(_OfIncident):
    """`incident.snooze`: nobody is told until then, unless it gets worse."""

    until: SentMs
    comment: _Text | None = None


class IncidentResolve(_OfIncident):
    """`incident.resolve`: it is over, whatever its alerts say; one that gets worse, or fires again, opens another."""

    comment: _Text | None = None


class IncidentReassign(_OfIncident):
    """`incident.reassign`: hand it over; the target is told at once and has to acknowledge."""

    to: TargetSpec
    comment: _Text | None = None


class IncidentComment(_OfIncident):
    """`incident.comment`: a line of its timeline."""

    comment: _Text


class IncidentAbsorb(_OfIncident):
    """`incident.absorb`, of the notifier in a storm: another incident tells of it, so its own pages stop."""

    into: _Id
    until: SentMs | None = None
    """When it pages by itself again, if it is open still; without it, after an hour."""


INCIDENT_PAYLOADS: Final[dict[str, type[BaseModel]]] = {
    INCIDENT_ACK: IncidentAck,
    INCIDENT_SNOOZE: IncidentSnooze,
    INCIDENT_RESOLVE: IncidentResolve,
    INCIDENT_REASSIGN: IncidentReassign,
    INCIDENT_COMMENT: IncidentComment,
    INCIDENT_ABSORB: IncidentAbsorb,
    RESULT: NotificationResult,
}
"""By the command's type."""
