"""The watchdog: whether a worker that lives also gets on. Pure; `streams.health.signs` looks once a second and ends the process.

It counts looks, not time: a process that was frozen, or a machine that slept, looked at nothing meanwhile and is judged afresh.

A partition gets on if its commits end well, be it only with the heartbeat every 5 s. A source gets on if something of it was applied,
or the broker answered that nothing more is there: so a fetcher that died, and a run that was lost on its way, are seen alike, with
no need to know how much input waits. Neither is asked while a rebalance or a recovery is under way, which have a bound of their own.
"""

from collections.abc import Hashable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["LOOK_SECONDS", "SETTLE_LOOKS", "Stall", "StallReason", "Unchanged", "Vitals", "Watchdog"]

LOOK_SECONDS: Final = 1.0
SETTLE_LOOKS: Final = 240
"""Longer than Faust's rebalance (60 s) and our recovery (120 s, which ends the process by itself) together."""


class StallReason(StrEnum):
    """What stands still."""

    COMMITS = "commits"
    """A partition number has something to commit, and no transaction of it came through."""
    INPUT = "input"
    """Nothing of a source was applied, nor did the broker answer that nothing more is there."""
    REBALANCE = "rebalance"
    """A rebalance or a recovery does not end."""
    LOOP = "loop"
    """The event loop does not turn."""


class Vitals(NamedTuple):
    """What one look sees."""

    settling: bool
    """Whether a rebalance or a recovery is under way, or the first assignment has not come."""
    commits: Mapping[int, int]
    """By partition number that is not refused: rounds of committing that ended well, those with nothing to say included."""
    inputs: Mapping[tuple[str, int], Hashable]
    """By source (topic, partition): what changes with each applied run, and with each answer that all of it is applied."""


class Stall(NamedTuple):
    """What has stood still for too long."""

    reason: StallReason
    what: str
    looks: int


Subject = tuple[StallReason, str]
"""What may stand still, and its name for a person."""


class Unchanged:
    """For how many looks in a row each of several things has been the same."""

    def __init__(self) -> None:
        self._last: dict[Subject, tuple[Hashable, int]] = {}

    def look(self, seen: Mapping[Subject, Hashable]) -> dict[Subject, int]:
        """Looks since each of `seen` changed; 0 for what is new. What is not in `seen` is forgotten."""
        self._last = {
            subject: (value, self._last[subject][1] + 1 if subject in self._last and self._last[subject][0] == value else 0)
            for subject, value in seen.items()
        }
        return {subject: looks for subject, (_, looks) in self._last.items()}


class Watchdog:
    """Of one worker.

    Args:
        stall_looks: after so many looks that saw no change, something is stalled.
        settle_looks: the same for a rebalance with its recovery.
    """

    def __init__(self, stall_looks: int, settle_looks: int = SETTLE_LOOKS) -> None:
        self._bounds = dict.fromkeys(StallReason, stall_looks) | {StallReason.REBALANCE: settle_looks}
        self._unchanged = Unchanged()

    def look(self, vitals: Vitals) -> Stall | None:
        """Look once; what is stalled, if anything is."""
        seen: dict[Subject, Hashable] = {}
        if vitals.settling:
            seen[StallReason.REBALANCE, "the group"] = True
        else:
            seen |= {(StallReason.COMMITS, f"partition {number}"): rounds for number, rounds in vitals.commits.items()}
            seen |= {(StallReason.INPUT, f"{topic}[{number}]"): at for (topic, number), at in vitals.inputs.items()}
        stalls = [Stall(*subject, looks) for subject, looks in self._unchanged.look(seen).items() if looks >= self._bounds[subject[0]]]
        return stalls[0] if stalls else None
