"""What became of the rows of a replay."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from models.days import day_name
from models.mapping_row import Dropped, EventDict, Place

__all__ = ["Tally"]

_TIMES: Final = ("occurred_at", "queued_at", "queue_exited_at")
"""The times at which an event counts."""
_CERTAIN: Final = ("contact.", "survey.", "quality.")
"""Kinds of which each counts on its day, whatever else is known. A state of an agent, say, may count nothing."""


@dataclass(slots=True)
class Tally:
    """Counts of rows, and the days that the events of each partner fall on."""

    zone: str
    """Of the mapping."""
    rows: int = 0
    events: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    examples: dict[str, str] = field(default_factory=dict)
    """By reason: the first row that was dropped for it, and why."""
    days: set[tuple[str, str]] = field(default_factory=set)
    """(partner, date) of every time at which an event may count, in `zone`."""
    certain: set[tuple[str, str]] = field(default_factory=set)
    """Those of them of which there is a closed day, or something went wrong."""

    def drop(self, dropped: Dropped, place: Place) -> None:
        """Count a row that makes no event."""
        self.rows += 1
        # As plain text: JSON knows no other names, not even a kind of text.
        reason = str(dropped.reason)
        self.dropped[reason] += 1
        self.examples.setdefault(reason, f"{place.file}:{place.line}: {dropped.detail}")

    def take(self, events: Sequence[EventDict]) -> None:
        """Count a row that makes these events."""
        self.rows += 1
        self.events += len(events)
        for event in events:
            days = {(event["partner_id"], day_name(event[name], self.zone)) for name in _TIMES if name in event}
            self.days |= days
            if event["type"].startswith(_CERTAIN):
                self.certain |= days

    @property
    def partners(self) -> set[str]:
        """Everyone who has an event."""
        return {partner for partner, _ in self.days}
