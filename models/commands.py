"""What operators may ask for on `outwatch.commands`: the payload of each type of command.

Every type but `customer.erase` (`models.customers`) stands here, or in `models.incident_commands` and
`models.oncall_commands`. An id acts once: who sends a command again gets the same outcome.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from models.base import Payload, SentMs
from models.incident_commands import INCIDENT_PAYLOADS
from models.oncall_commands import ONCALL_PAYLOADS

__all__ = [
    "ACK",
    "ANNOTATE",
    "COMMENT",
    "EXPIRE",
    "MISSES",
    "NO_PARTNER",
    "NO_RULE",
    "NO_SCOPE",
    "NO_SEVERITY",
    "PAYLOADS",
    "SILENCE",
    "AlertAck",
    "AlertComment",
    "AnnotationAdd",
    "AnnotationKind",
    "Matchers",
    "SilenceAdd",
    "SilenceExpire",
]

SILENCE: Final = "silence.add"
EXPIRE: Final = "silence.expire"
ACK: Final = "alert.ack"
COMMENT: Final = "alert.comment"
ANNOTATE: Final = "annotation.add"

_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Id = Annotated[str, Field(min_length=1, max_length=128)]
_Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Glob = Annotated[str, Field(min_length=1, max_length=128)]

NO_PARTNER: Final = "no partner is called so here"
NO_RULE: Final = "no rule of such a partner is called so"
NO_SCOPE: Final = "no such scope is judged that has figures"
NO_SEVERITY: Final = "no such rule has that severity"
MISSES: Final = (NO_PARTNER, NO_RULE, NO_SCOPE, NO_SEVERITY)
"""Why a silence fits no alert, as its answer says it, that which says the most last."""

AnnotationKind = Literal["pilot", "release", "outage", "other", "dispute"]
"""A dispute says that a figure of that time is not what the other side counts."""


class Matchers(Payload):
    """Which alerts are meant: all that is named must fit; `*` stands for any letters, `?` for one."""

    partner: _Glob | None = None
    rule: _Glob | None = None
    scope: _Glob | None = None
    """Such as `all`, `queue=billing` or `queue=*`."""
    severity: _Glob | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            msg = "names none of partner, rule, scope, severity; write partner: '*' to mean every alert"
            raise ValueError(msg)
        return self


class SilenceAdd(Payload):
    """`silence.add`: pages of these alerts wait until then; the command's id is the silence's."""

    matchers: Matchers
    until: SentMs
    comment: _Text


class SilenceExpire(Payload):
    """`silence.expire`: a silence ends now."""

    silence: _Id


class AlertAck(Payload):
    """`alert.ack`: somebody looks after an open alert; an escalation takes that back."""

    fingerprint: _Fingerprint
    until: SentMs | None = None
    """When it ends by itself; without it, with the alert."""
    comment: _Text | None = None


class AlertComment(Payload):
    """`alert.comment`: what somebody says of an alert that is open or was just resolved."""

    fingerprint: _Fingerprint
    comment: _Text


class AnnotationAdd(Payload):
    """`annotation.add`: what happened, or will, from when to when; the command's id is the annotation's."""

    kind: AnnotationKind = "other"
    from_: SentMs = Field(alias="from")
    """Inclusive."""
    to: SentMs
    """Exclusive."""
    text: _Text
    kpi: _Id | None = None
    """The KPI that is meant; without it, all."""

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if self.to <= self.from_:
            msg = "`to` must lie after `from`"
            raise ValueError(msg)
        return self


PAYLOADS: Final[dict[str, type[BaseModel]]] = {
    SILENCE: SilenceAdd,
    EXPIRE: SilenceExpire,
    ACK: AlertAck,
    COMMENT: AlertComment,
    ANNOTATE: AnnotationAdd,
    **INCIDENT_PAYLOADS,
    **ONCALL_PAYLOADS,
}
"""By the command's type."""
