"""What an incident is decided amid: the time, and who can be reached then. Lookups are arguments, so that the reducer stays pure."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from models.escalation import TargetSpec
from models.notifications import Side
from models.receivers import Receiver

__all__ = ["Around", "Contact", "Directory"]


class Contact(NamedTuple):
    """Where somebody is told."""

    receiver: Receiver
    person: str | None
    """Who that is, if it is one."""
    side: Side


class Directory(Protocol):
    """Who can be told of a partner's incidents."""

    @property
    def calendar(self) -> str:
        """The revision of the rotations."""

    def reach(self, target: TargetSpec, at_ms: int) -> tuple[Contact, ...]:
        """Where a target is told at a time; nothing where it means nobody then."""

    def at_work(self, person: str, at_ms: int) -> bool:
        """Whether a time lies in a person's hours."""

    def is_open(self, at_ms: int) -> bool:
        """Whether a time lies in the partner's hours."""


@dataclass(frozen=True, slots=True)
class Around:
    """At one grid point, or at a command's time."""

    at_ms: int
    directory: Directory
    head_ms: int = 0
    """Before this the past is only caught up on."""
