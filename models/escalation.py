"""Escalation as a policy says it: who is told first, and who when nobody answers.

```yaml
escalations:
  - id: realtime_ops
    group_by: [queue]
    steps:
      - tell: [{rotation: ops_primary}]
      - {after: 10m, tell: [{person: ana}, {partner: duty_manager}]}
      - {after: 15m, tell: [{receiver: ops_chat}], when: {severity: critical}}
    loops: 2
    fallback: [{receiver: ops_pager}]
```
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.policy_types import Duration, Name
from models.receivers import ReceiverId
from models.rules import Severity

__all__ = ["EscalationId", "EscalationSpec", "PersonId", "RotationId", "StepSpec", "TargetSpec", "WhenSpec"]

EscalationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
PersonId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
RotationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Label = Literal["rule", "scope", "channel", "queue", "site", "team", "reason", "activity", "segment", "severity"]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TargetSpec(_Spec):
    """Exactly one of these."""

    person: PersonId | None = None
    rotation: RotationId | None = None
    receiver: ReceiverId | None = None
    partner: Name | None = None
    """A role among the `contacts` of the incident's partner, such as duty_manager."""

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            msg = "name one of person, rotation, receiver, partner"
            raise ValueError(msg)
        return self


class WhenSpec(_Spec):
    """All that is said must hold when the step is due, else it is passed over at once."""

    severity: Severity | None = None
    """At least."""
    hours: Literal["partner_open", "partner_closed", "responder_at_work"] | None = None
    """The partner's hours, or those of each person told."""
    criticality: Annotated[int, Field(ge=1, le=3)] | None = None
    """What one of its alerts weighs, at least (docs/policies.md)."""


class StepSpec(_Spec):
    """Somebody to tell, `after` the step before."""

    after: Duration = 0.0
    tell: Annotated[tuple[TargetSpec, ...], Field(min_length=1, max_length=20)]
    when: WhenSpec = WhenSpec()


class EscalationSpec(_Spec):
    """From the opening of an incident until somebody acknowledges."""

    id: EscalationId
    group_by: Annotated[tuple[Label, ...], Field(max_length=4)] = ()
    """Alerts of a partner that are alike in these are one incident; without any, all that go this way are."""
    group_wait: Duration = 30.0
    """How long the first page waits for others of its group."""
    steps: Annotated[tuple[StepSpec, ...], Field(min_length=1, max_length=20)]
    loops: Annotated[int, Field(ge=1, le=10)] = 1
    """How often the steps are gone through."""
    loop_after: Duration = 600.0
    """Between the last step and the first again, or the fallback."""
    fallback: Annotated[tuple[TargetSpec, ...], Field(max_length=20)] = ()
    """Told when all loops passed without an answer."""
