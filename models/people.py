"""Who can be told: people, how each of them is reached, and a partner's contacts by their role.

```yaml
people:
  - id: ana
    name: Ana Silva
    timezone: Europe/Lisbon
    hours: {mon-fri: "09:00-18:00"}
    reach: {mail: [ana@example.com], receivers: [ops_pager]}
partners:
  - id: acme
    name: Acme
    contacts: {duty_manager: [{person: bia}]}
```
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.escalation import PersonId, RotationId
from models.hours import Holidays, Schedule, Week, compile_hours
from models.policy_types import Name, Zone
from models.receivers import Address, MailReceiver, Receiver, ReceiverId

__all__ = ["ContactSpec", "Contacts", "PersonSpec", "ReachSpec", "receivers_of"]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ReachSpec(_Spec):
    """How somebody is told; all of it is used at once."""

    mail: Annotated[tuple[Address, ...], Field(max_length=10)] = ()
    receivers: Annotated[tuple[ReceiverId, ...], Field(max_length=10)] = ()
    """Of those that the policy names."""


class PersonSpec(_Spec):
    """Somebody who answers for contacts, of the client or of a partner."""

    id: PersonId
    name: Name
    partner: Name | None = None
    """On whose side; left out: the client's own."""
    timezone: Zone | None = None
    hours: Week | None = None
    """When at work; without it, always."""
    holidays: Holidays | None = None
    """Days off work all the same."""
    reach: ReachSpec = ReachSpec()

    @model_validator(mode="after")
    def _has_a_zone(self) -> Self:
        if self.timezone is None and (self.hours is not None or self.holidays is not None):
            msg = "hours and holidays are those of a zone (add timezone: and an IANA name such as Europe/Lisbon)"
            raise ValueError(msg)
        return self

    @cached_property
    def at_work(self) -> Schedule | None:
        """When at work; None: always."""
        return compile_hours(self.hours, self.timezone or "UTC", self.holidays)


class ContactSpec(_Spec):
    """Exactly one of these."""

    person: PersonId | None = None
    rotation: RotationId | None = None
    receiver: ReceiverId | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            msg = "name one of person, rotation, receiver"
            raise ValueError(msg)
        return self


Contacts = Annotated[
    dict[Name, Annotated[tuple[ContactSpec, ...], Field(min_length=1, max_length=20)]],
    Field(max_length=50),
]
"""By role, such as duty_manager."""


def receivers_of(person: PersonSpec, receivers: Mapping[str, Receiver]) -> tuple[Receiver, ...]:
    """Where a page for a person goes: the mail addresses as one receiver, then those that are named and there."""
    mail = [MailReceiver(id=person.id, type="mail", to=person.reach.mail, partner=person.partner)] if person.reach.mail else []
    return (*mail, *(receivers[each] for each in person.reach.receivers if each in receivers))
