"""From an event to what it tells of an agent."""

from typing import Any, Final

from models.errors import FieldError
from models.times import to_ms
from models.windows import DAY_MS
from streams.engine.agent import Course, Doing, News, Said, Service, Shift, Stint

__all__ = ["news_of"]

_SHIFT_MAX_MS: Final = DAY_MS
_DUE_MAX_MS: Final = 2 * 365 * DAY_MS
_DOING: Final = {doing.name.lower(): doing for doing in Doing} | {"contacts": Doing.AVAILABLE}
"""By the state of an event, or its activity."""


def news_of(event: Any, at_ms: int, place: tuple[str | None, str | None, str], lasts_ms: int) -> News:
    """What an event of `at_ms` tells of a queue, a channel and sides; a state holds for `lasts_ms` at most.

    Raises:
        TimeError: if one of its times cannot be read.
        FieldError: if its times contradict each other.
    """
    queue, channel, sides = place
    match event.type:
        case "agent.state":
            return Stint(at_ms, Said(_DOING[event.state], queue, channel, lasts_ms, sides))
        case "agent.scheduled":
            start_ms, end_ms = to_ms(event.from_), to_ms(event.to)
            if not start_ms < end_ms <= start_ms + _SHIFT_MAX_MS:
                msg = "to: must lie after `from`, by 24 hours at most; send a longer schedule in parts"
                raise FieldError(msg)
            stamp_ms = at_ms if event.updated_at is None else to_ms(event.updated_at)
            return Shift(start_ms, end_ms, _DOING[event.activity], stamp_ms, *place)
        case "training.due":
            due_ms = to_ms(event.due_at)
            if due_ms > at_ms + _DUE_MAX_MS:
                msg = "due_at: more than two years after `occurred_at`; send the date as RFC 3339 or in milliseconds"
                raise FieldError(msg)
            return Course(at_ms, due_ms, event.course, *place)
        case "training.done":
            return Course(at_ms, None, event.course, *place)
    return Service(at_ms, event.type == "agent.joined", *place)
