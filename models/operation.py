"""Records of how the house runs: heartbeats, policies, commands and what came of them."""

from typing import Any, Literal

from pydantic import Field

from models.base import Record
from models.records import EpochMs

__all__ = ["Command", "CommandOutcome", "Heartbeat", "PolicyRecord"]


class Heartbeat(Record):
    """`outwatch.heartbeats`, key partition: lets a reader tell unchanged from stopped."""

    partition: int
    frontier: EpochMs
    as_of: EpochMs
    revision: int
    evaluated_to: EpochMs
    """The last grid point at which rules were judged."""
    worker: str
    offsets: dict[str, int]
    """Source topic -> next offset to be read: what stood applied at this revision."""
    counters: dict[str, int]
    """Totals of the partition since its state began: events, duplicates, late and dead letters by reason, what bounds dropped."""
    cadence_seconds: float
    """What the slowest scope achieves when the limit of records or bytes a second binds."""
    sources: dict[str, bool] = {}  # noqa: RUF012 - pydantic gives each its own
    """By name ("" of one without), of those on the topic of contacts that ever said that they live, whether they do; absent without any."""


class PolicyRecord(Record):
    """`outwatch.policies`, keys partner/revision and partner/current: one partner's part, or the shared part (partner `*`)."""

    format: Literal[1] = 1
    partner: str
    revision: str
    applied_at: EpochMs
    part: dict[str, Any]


class Command(Record):
    """`outwatch.commands`: what an operator asks for."""

    id: str
    type: str
    actor: str
    at: EpochMs
    partner: str
    payload: dict[str, Any] = Field(default_factory=dict)


class CommandOutcome(Record):
    """`outwatch.alerts`, key partner, `ce_type` outwatch.command.outcome: what came of a command."""

    id: str
    """Of the command; where it could not be read, its partition and offset."""
    command: str
    """Its type, or `unreadable`."""
    partner: str
    outcome: Literal["applied", "refused"]
    reason: str
    processed_at: EpochMs
    """Wall time."""
