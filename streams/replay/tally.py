"""What became of the rows of a replay."""

from collections import Counter
from dataclasses import dataclass, field

from models.days import day_name
from models.mapping_row import Dropped, EventDict, Place
from streams.replay.shift import TIMES

__all__ = ["Tally"]


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
    """(partner, date) of every time of every event, in `zone`."""

    def drop(self, dropped: Dropped, place: Place) -> None:
        """Count a row that makes no event."""
        self.rows += 1
        self.dropped[dropped.reason] += 1
        self.examples.setdefault(dropped.reason, f"{place.file}:{place.line}: {dropped.detail}")

    def take(self, event: EventDict) -> None:
        """Count a row that makes `event`."""
        self.rows += 1
        self.events += 1
        for name in TIMES:
            if name in event:
                self.days.add((event["partner_id"], day_name(event[name], self.zone)))

    @property
    def partners(self) -> set[str]:
        """Everyone who has an event."""
        return {partner for partner, _ in self.days}
