"""Whom the alerts of one partner may page, ready for the engine: escalations, and who is meant by their targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from models.escalation import EscalationSpec
from models.oncall import Rotation
from models.people import ContactSpec, PersonSpec
from models.receivers import Receiver

if TYPE_CHECKING:
    from models.policy_spec import PartnerPart, SharedPart

__all__ = ["NOBODY", "Paging", "compile_paging"]


@dataclass(frozen=True, slots=True)
class Paging:
    """Of one partner: nobody and nothing of another partner's side stands in it."""

    escalations: Mapping[str, EscalationSpec] = field(default_factory=dict)
    """By id, as are the others."""
    escalation: str | None = None
    """Of rules that name none."""
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    people: Mapping[str, PersonSpec] = field(default_factory=dict)
    rotations: Mapping[str, Rotation] = field(default_factory=dict)
    contacts: Mapping[str, tuple[ContactSpec, ...]] = field(default_factory=dict)
    """By role."""
    calendar: str = ""
    """The revision of the rotations."""

    def escalation_of(self, named: str | None) -> EscalationSpec | None:
        """The one that the alerts of a rule go by which names this one; None: they page nobody."""
        return self.escalations.get(named or self.escalation or "")


NOBODY: Final = Paging()
"""Of a policy without escalations."""


def compile_paging(shared: "SharedPart", own: "PartnerPart") -> Paging | None:
    """What holds for a partner; None where a policy has no escalations."""
    if not shared.escalations:
        return None
    return Paging(
        escalations={each.id: each for each in shared.escalations},
        escalation=own.escalation or shared.escalation,
        receivers={each.id: each for each in shared.receivers if each.partner in (None, own.id)},
        people={each.id: each for each in shared.people if each.partner in (None, own.id)},
        rotations=shared.calendar,
        contacts=own.contacts,
        calendar=shared.calendar_revision,
    )
