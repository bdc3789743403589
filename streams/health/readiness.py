"""Whether a worker serves what it was given, and why not. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Obstacle", "Unready", "obstacles"]


class Unready(StrEnum):
    """Why a process is not ready."""

    JOINING = "joining"
    """It is not in the group yet, or is leaving it."""
    REBALANCING = "rebalancing"
    """Partitions are being shared out, or what was assigned is being recovered."""
    REFUSED = "refused"
    """A partition is not processed: its state or its sources cannot be gone on with."""
    NO_VIEW = "no_view"
    """The projector has not found, or has lost, its place in the view: Redis or Kafka does not answer, or it was flushed."""


class Obstacle(NamedTuple):
    """One reason, and what a person wants to know of it."""

    reason: Unready
    detail: str


def obstacles(*, rebalancing: bool, accepting: bool, refused: Mapping[int, str]) -> list[Obstacle]:
    """What keeps a worker from being ready; nothing where it has no partitions, since it is there to take some over."""
    found = [Obstacle(Unready.REFUSED, f"partition {number}: {why}") for number, why in sorted(refused.items())]
    if rebalancing:
        found.append(Obstacle(Unready.REBALANCING, "partitions are shared out or recovered"))
    elif not accepting:
        found.append(Obstacle(Unready.JOINING, "no partitions were assigned yet, or they were given back"))
    return found
