"""What may be asked of the API in a body, as models: requests are validated by them, and the OpenAPI document is made of them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from desk.queries import At
from models.commands import AnnotationKind
from models.escalation import PersonId, RotationId, TargetSpec

__all__ = [
    "AckAlert",
    "AckIncident",
    "Annotate",
    "Cancel",
    "CommentAlert",
    "CommentIncident",
    "Dispute",
    "Expire",
    "Login",
    "Override",
    "Reassign",
    "Resolve",
    "Silence",
    "Snooze",
]

_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Glob = Annotated[str, Field(min_length=1, max_length=128)]
_Id = Annotated[str, Field(min_length=1, max_length=128)]
_Partner = Annotated[str, Field(min_length=1, max_length=128)]
_Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Incident = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class AckAlert(_Asked):
    """Look after an alert, and after the incident that it is of."""

    alert: _Fingerprint
    until: At | None = None
    """Epoch ms; without it, with the alert."""
    comment: _Text | None = None


class AckIncident(_Asked):
    """Look after an incident."""

    incident: _Incident
    until: At | None = None
    """Epoch ms; without it, with the incident."""
    comment: _Text | None = None


class Snooze(_Asked):
    """Have an incident wait."""

    incident: _Incident
    until: At
    comment: _Text | None = None


class Silence(_Asked):
    """Have pages of the alerts that fit wait; `*` stands for any letters, and what is left out fits all."""

    partner: _Glob
    rule: _Glob | None = None
    scope: _Glob | None = None
    severity: _Glob | None = None
    until: At
    comment: _Text


class CommentAlert(_Asked):
    """Say something of an alert."""

    alert: _Fingerprint
    comment: _Text


class CommentIncident(_Asked):
    """Say something of an incident."""

    incident: _Incident
    comment: _Text


class Annotate(_Asked):
    """Say what happened, or will."""

    partner: _Partner
    """Or `*`."""
    kind: AnnotationKind = "other"
    from_: At = Field(alias="from")
    """Inclusive."""
    to: At
    """Exclusive, after `from`."""
    text: _Text


class Dispute(_Asked):
    """Say that a figure is not what you count; it stands as an annotation beside it."""

    partner: _Partner
    kpi: _Partner
    from_: At = Field(alias="from")
    to: At
    """After `from`."""
    text: _Text


class Expire(_Asked):
    """End a silence now."""

    silence: _Id


class Resolve(_Asked):
    """Close an incident, whatever its alerts say; what gets worse, or fires again, opens another."""

    incident: _Incident
    comment: _Text | None = None


class Reassign(_Asked):
    """Hand an incident over: whom you name is told at once, and has to acknowledge."""

    incident: _Incident
    to: TargetSpec
    comment: _Text | None = None


class Override(_Asked):
    """Have somebody on call in place of a rotation's own; who takes a shift names itself."""

    rotation: RotationId
    person: PersonId
    """Of the same side as the rotation."""
    from_: At = Field(alias="from")
    to: At
    """Exclusive, after `from`."""
    comment: _Text | None = None


class Cancel(_Asked):
    """End an override now, or before it begins."""

    override: _Id


class Login(_Asked):
    """By token."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
