"""Rotations as a policy says them: layers of shifts that repeat by an RRULE, in wall-clock time of a zone, and who takes turns.

```yaml
rotations:
  - id: ops_primary
    timezone: Europe/Lisbon
    layers:
      - {starts: 2026-01-05T09:00, rrule: FREQ=WEEKLY, members: [ana, bo, [cy, dee]]}
      - {starts: 2026-01-05T09:00, rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", lasts: 8h, members: [eva]}
```

A later layer lies over the earlier ones: where it has a shift, that one holds, also where it is an empty one.
"""

from datetime import datetime
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from models.durations import WRITTEN, to_seconds
from models.escalation import PersonId, RotationId
from models.hours import Week
from models.policy_types import Name, Zone
from models.receivers import ReceiverId
from models.recurrence import check_rrule

__all__ = ["LayerSpec", "Local", "Member", "ReportTarget", "RotationSpec"]

_YEAR_SECONDS: Final = 366 * 86_400.0
_EXCEPT_MAX: Final = 500


def _local(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no time of a day (write such as 2026-01-05T09:00)"
        raise ValueError(msg) from None
    return text


def _branch(said: object) -> str:
    return "several" if isinstance(said, list | tuple) else "one"


Local = Annotated[str, Field(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$"), AfterValidator(_local)]
"""A time of the rotation's wall clock."""
Rrule = Annotated[str, Field(max_length=500), AfterValidator(check_rrule)]
Lasts = Annotated[float, BeforeValidator(to_seconds), Field(ge=60, le=_YEAR_SECONDS), WRITTEN]
Member = Annotated[
    Annotated[PersonId, Tag("one")] | Annotated[Annotated[tuple[PersonId, ...], Field(max_length=10)], Tag("several")],
    Discriminator(_branch),
]
"""Who has a shift: a person, several, or nobody (`[]`)."""


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LayerSpec(_Spec):
    """Shifts that repeat; the members take them in turn."""

    starts: Local
    """From when on the rule is counted: its first occurrence is the first member's."""
    rrule: Rrule
    """When a shift begins: a rule of RFC 5545 such as FREQ=WEEKLY, by days or longer, without UNTIL and COUNT."""
    lasts: Lasts | None = None
    """How long a shift is by the wall clock; without it, until the next one begins."""
    members: Annotated[tuple[Member, ...], Field(min_length=1, max_length=100)]
    from_: Local | None = Field(default=None, alias="from")
    """Before this the layer does not hold."""
    until: Local | None = None
    """From this on the layer does not hold."""
    except_: Annotated[tuple[Local, ...], Field(min_length=1, max_length=_EXCEPT_MAX)] | None = Field(
        default=None, alias="except", exclude_if=lambda said: said is None
    )
    """Times at which a shift would begin that the layer does not have: a layer under it holds then, and nobody's turn moves."""

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.until is not None and self.until <= max(self.starts, self.from_ or ""):
            msg = "until is not after starts and from: the layer never holds (write a later one)"
            raise ValueError(msg)
        return self

    @cached_property
    def turns(self) -> tuple[tuple[str, ...], ...]:
        """The members, each as those who have the shift."""
        return tuple((each,) if isinstance(each, str) else each for each in self.members)


class ReportTarget(_Spec):
    """Exactly one of these."""

    person: PersonId | None = None
    receiver: ReceiverId | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.person is None) == (self.receiver is None):
            msg = "name one of person, receiver"
            raise ValueError(msg)
        return self


class RotationSpec(_Spec):
    """Who is on call, by a calendar."""

    id: RotationId
    partner: Name | None = None
    """On whose side its members are; left out: the client's own."""
    timezone: Zone
    """Of the wall clock that its times are of."""
    hours: Week | None = None
    """When somebody must be on call, for the linter and the auditor; without it, always."""
    layers: Annotated[tuple[LayerSpec, ...], Field(min_length=1, max_length=50)]
    report: Annotated[tuple[ReportTarget, ...], Field(max_length=20)] | None = Field(default=None, exclude_if=lambda said: said is None)
    """Who is told at a handover of the shift before; left out: those whose shift begins; `[]`: nobody."""
