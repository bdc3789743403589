"""A schedule as iCalendar (RFC 5545): an event a segment, in UTC, which every calendar reads and no change of a zone's rules moves."""

from collections.abc import Iterable
from datetime import UTC, datetime

import icalendar

from models.oncall import Segment
from streams.oncall.calendar import Calendar

__all__ = ["PEOPLE", "to_ics"]

PEOPLE = "X-OUTWATCH-PEOPLE"
"""Their ids, so that what was written can be read again."""


def to_ics(calendar: Calendar, rotation_id: str, segments: Iterable[Segment], made_ms: int) -> bytes:
    """The calendar file of a rotation's segments; those in which nobody is on call have no event."""
    file = icalendar.Calendar()
    file.add("prodid", "-//outwatch//rotations//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add("x-wr-calname", rotation_id)
    for segment in segments:
        people = segment.on_call.people
        if not people:
            continue
        event = icalendar.Event()
        # The same segment has the same name each time, so that a calendar that reads it again moves nothing.
        event.add("uid", f"{rotation_id}-{segment.begin_ms}@outwatch")
        event.add("dtstamp", _utc(made_ms))
        event.add("dtstart", _utc(segment.begin_ms))
        event.add("dtend", _utc(segment.end_ms))
        event.add("summary", f"{calendar.names(people)} ({rotation_id})")
        event.add(PEOPLE, ",".join(people))
        file.add_component(event)
    written: bytes = file.to_ical()
    return written


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
