"""Event times as they were, moved to now, or moved and squeezed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from models.mapping_row import EventDict

__all__ = ["Shift", "Timing", "shifted"]

TIMES = ("occurred_at", "queued_at", "queue_exited_at", "updated_at", "due_at", "from", "to")
"""Every field of an event that is a time; forecasts and money stand on the calendar, and are not shifted."""


class Shift(StrEnum):
    """What becomes of event times."""

    KEEP = "keep"
    """Nothing: for a worker with `clock: log`, whose clock the replay moves."""
    NOW = "now"
    """The first event is now and the others follow as they did: for a worker with `clock: wall`."""
    SCALE = "scale"
    """As `now`, but everything follows faster by the speed. Durations within an event stay as they were."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When events are said to have occurred, and how fast they are written."""

    shift: Shift
    speed: float | None
    """Seconds of the log a second; None for as fast as possible, or for 1 where times are shifted."""
    now_ms: int
    """The wall clock."""


def shifted(events: Iterable[EventDict], timing: Timing) -> Iterator[EventDict]:
    """The events, in order, with their times shifted so that the first occurs now; `keep` leaves all as they are."""
    if timing.shift is Shift.KEEP:
        yield from events
        return
    factor = (timing.speed or 1.0) if timing.shift is Shift.SCALE else 1.0
    first_ms: int | None = None
    for event in events:
        if first_ms is None:
            first_ms = event["occurred_at"]
        yield event | {name: timing.now_ms + round((event[name] - first_ms) / factor) for name in TIMES if name in event}
