"""What whoever comes on call must know of the shift that ends."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.base import Record
from models.records import EpochMs
from models.rules import Severity

__all__ = ["ShiftIncident", "ShiftPart", "ShiftReport", "ShiftTaken"]


class ShiftPart(StrEnum):
    """What an incident was to a shift."""

    FIRED = "fired"
    """It opened in it."""
    TAKEN = "taken"
    """Somebody acknowledged it in it."""
    OPEN = "open"
    """It is open at its end."""
    RESOLVED = "resolved"
    """It ended in it."""
    UNSEEN = "unseen"
    """It ended in it, and nobody ever acknowledged it."""


class ShiftTaken(Record):
    """Somebody looked after it."""

    by: str
    at: EpochMs


class ShiftIncident(Record):
    """An incident that the shift had to do with."""

    id: str
    partner: str
    partner_name: str
    escalation: str
    severity: Severity
    """The present one; of one that ended, its last."""
    text: Annotated[str, Field(max_length=200)]
    parts: tuple[ShiftPart, ...]
    taken: tuple[ShiftTaken, ...]
    """In this shift, the first to do so first."""
    opened_at: EpochMs
    ended_at: EpochMs | None


class ShiftReport(Record):
    """Of one shift of a rotation, from a handover to the next."""

    rotation: str
    people: tuple[str, ...]
    """Who was on call."""
    following: tuple[str, ...]
    """Who is then."""
    from_: EpochMs = Field(alias="from")
    """Inclusive."""
    to: EpochMs
    """Exclusive."""
    counts: dict[ShiftPart, int]
    """Incidents of each part."""
    incidents: tuple[ShiftIncident, ...]
    """Open ones first, then those that nobody saw; of these the worst first, then the earliest."""
    complete: bool
    """False where incidents that ended in it may be forgotten by now, 8 days after their end."""
