"""One row of a log into one event, or the reason why not. Pure: the same row gives the same event, with the same id."""

from collections.abc import Callable
from collections.abc import Mapping as Row
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from models.customers import customer_key
from models.errors import FileError, OutwatchError, Problem
from models.events import QualityItem, Seconds, Timestamp, event_adapter
from models.mapping import Call, FieldSource, Interval, Mapping, event_model, field_names
from models.mapping_times import clock_seconds, seconds, wall_ms, whole_ms

__all__ = ["DropReason", "Dropped", "EventDict", "Place", "map_events", "map_row", "row_date"]

EventDict = dict[str, Any]
"""A canonical event, its times in epoch milliseconds."""


class DropReason(StrEnum):
    """Why a row makes no event, apart from the reasons that the mapping itself names."""

    MALFORMED = "malformed"
    """Not as many values as the header has, or not a JSON object."""
    UNREADABLE = "unreadable"
    """A time or a number cannot be read."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """The outcome is none that the mapping names."""
    INVALID = "invalid"
    """The event would be refused: a name is missing, or a number out of range."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that makes no event."""

    reason: str
    """A `DropReason`, or the `reason` of one of the mapping's drop rules."""
    detail: str


class Place(NamedTuple):
    """Where a row stands."""

    file: str
    line: int


class _UnreadableError(ValueError):
    """Raised when a column does not hold what it should."""


class _Span(NamedTuple):
    """An interval that did happen."""

    start_ms: int
    end_ms: int
    seconds: float


_FLAGS: Final = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


class _Reader:
    """One row with what is needed to read its columns."""

    def __init__(self, mapping: Mapping, row: Row[str, Any], place: Place, day: date | None, secret: str | None) -> None:
        self.mapping, self.row, self.place, self.day, self.secret = mapping, row, place, day, secret
        self.entered: float | None = None

    def text(self, column: str) -> str:
        """The column's text, stripped; empty where it is null or missing."""
        value = self.row.get(column)
        return "" if value is None else str(value).strip()

    def number(self, column: str) -> float:
        text = self.text(column)
        try:
            return seconds(text)
        except ValueError:
            msg = f"{column}: no number of seconds: {text!r}"
            raise _UnreadableError(msg) from None

    def whole(self, column: str) -> int:
        number = self.number(column)
        if not number.is_integer():
            msg = f"{column}: no whole number: {number}"
            raise _UnreadableError(msg)
        return int(number)

    def flag(self, column: str) -> bool:
        text = self.text(column)
        try:
            return _FLAGS[text.lower()]
        except KeyError:
            msg = f"{column}: neither true nor false: {text!r}"
            raise _UnreadableError(msg) from None

    def parts(self, column: str) -> list[Any]:
        value = self.row.get(column)
        if not isinstance(value, list):
            msg = f"{column}: no list, which only JSON Lines can hold: {value!r}"
            raise _UnreadableError(msg)
        return value

    def time_ms(self, column: str) -> int:
        text = self.text(column)
        since_midnight = clock_seconds(text, self.entered)
        if since_midnight is None:
            try:
                return whole_ms(text, self.mapping.zone)
            except OutwatchError as error:
                msg = f"{column}: {error}"
                raise _UnreadableError(msg) from None
        if self.day is None:
            raise FileError(
                [Problem(*self.place, column, f"a clock time without a date: {text}", "give --date, or date.column in the mapping")]
            )
        return wall_ms(self.day, since_midnight, self.mapping.zone)

    def span(self, interval: Interval) -> _Span | None:
        """The interval, its times as read; None where it did not happen.

        What stands for no time may be a time as well (midnight), so it is taken for none only when nothing speaks against it.
        """
        blank = ("", interval.absent)
        start, end = self.text(interval.start), self.text(interval.end)
        lasted = None if interval.seconds is None or not self.text(interval.seconds) else self.number(interval.seconds)
        if start in blank and end in blank and not lasted:
            return None
        start_ms, end_ms = self.time_ms(interval.start), self.time_ms(interval.end)
        return _Span(start_ms, end_ms, (end_ms - start_ms) / 1000 if lasted is None else lasted)


def _dropped(read: _Reader) -> Dropped | None:
    for rule in read.mapping.drop:
        for column in rule.columns:
            text = read.text(column)
            if text in rule.equals or (rule.below is not None and text and read.number(column) < rule.below):
                return Dropped(rule.reason, f"{column}: {text}")
    return None


def _call(read: _Reader, call: Call) -> EventDict | Dropped:
    """The fields that a `call` block fills; each measure's own time, since one time cannot say where all of them belong."""
    said = read.text(call.outcome.column)
    read.entered = clock_seconds(read.text(call.entered))
    queue, service = read.span(call.queue), read.span(call.service)
    waited = {} if queue is None else {"queued_at": queue.start_ms, "queue_exited_at": queue.end_ms, "wait_seconds": queue.seconds}
    ended = read.time_ms(call.exited) if queue is None else queue.end_ms
    if said in call.outcome.answered:
        # Nobody waits who never queued: such a call stands, with its wait of 0, on the moment it was answered.
        answered = waited or {"queue_exited_at": ended if service is None else service.start_ms, "wait_seconds": 0.0}
        talk = {"occurred_at": ended, "talk_seconds": 0.0}
        if service is not None:
            talk = {"occurred_at": service.end_ms, "talk_seconds": service.seconds}
        return {"outcome": "answered", **answered, **talk}
    if said in call.outcome.abandoned:
        return {"outcome": "not_queued" if queue is None else "abandoned", **waited, "occurred_at": ended}
    if said in call.outcome.left:
        return {"outcome": "left", **waited, "occurred_at": ended}
    return Dropped(DropReason.UNKNOWN_OUTCOME, f"{call.outcome.column}: {said}")


@lru_cache(maxsize=16)
def _readers(event_type: str) -> dict[str, Callable[[_Reader, str], object]]:
    """How the text of a column becomes the value of each field of an event."""
    model = event_model(event_type)
    assert model is not None, "the mapping was validated"
    return {name: _reader_of(model.model_fields[own].annotation) for name, own in field_names(model).items()}


def _reader_of(annotation: object) -> Callable[[_Reader, str], object]:
    if annotation in (Timestamp, Timestamp | None):
        return _Reader.time_ms
    if annotation in (float, float | None, Seconds | None):
        return _Reader.number
    if annotation in (bool, bool | None):
        return _Reader.flag
    if annotation in (int, int | None):
        return _Reader.whole
    if annotation == list[QualityItem] | None:
        return _Reader.parts
    return _Reader.text


def _field(read: _Reader, name: str, source: FieldSource) -> object:
    """The value of a field; None where its column says none."""
    if source.column is None:
        return source.constant
    text = read.text(source.column)
    if not text or text in source.absent:
        return None
    if source.hmac:
        assert read.secret is not None, "who maps such a log was asked for the secret"
        return customer_key(text, read.secret)
    return source.values[text] if text in source.values else _readers(read.mapping.type)[name](read, source.column)


def _event_id(read: _Reader) -> str:
    names = [read.text(column) for column in read.mapping.event_id]
    date_and_step = (each for each in (read.day and read.day.isoformat(), read.mapping.step) if each)
    return "/".join([*names, *date_and_step])


def map_row(mapping: Mapping, row: Row[str, Any], place: Place, day: date | None, secret: str | None = None) -> EventDict | Dropped:
    """The event of a row, or why there is none.

    Args:
        mapping: a validated mapping.
        row: column -> text, number or null.
        place: where the row stands, for errors.
        day: the date of the row's clock times; None where the mapping reads whole timestamps only.
        secret: makes customer keys; None where the mapping needs none.

    Raises:
        FileError: if the mapping needs a date and there is none.
        CustomerError: if the secret is too short.
    """
    read = _Reader(mapping, row, place, day, secret)
    try:
        if (dropped := _dropped(read)) is not None:
            return dropped
        event: EventDict = {"event_id": _event_id(read), "type": mapping.type}
        if mapping.call is not None:
            made = _call(read, mapping.call)
            if isinstance(made, Dropped):
                return made
            event |= {"contact_id": event["event_id"], **made}
        event |= {name: value for name, source in mapping.fields.items() if (value := _field(read, name, source)) is not None}
    except _UnreadableError as error:
        return Dropped(DropReason.UNREADABLE, str(error))
    try:
        event_adapter.validate_python(event)
    except ValidationError as error:
        first = error.errors()[0]
        return Dropped(DropReason.INVALID, f"{first['loc'][-1]}: {first['msg']}")
    return event


def map_events(
    mapping: Mapping, row: Row[str, Any], place: Place, day: date | None, secret: str | None = None
) -> tuple[EventDict, ...] | Dropped:
    """The events of a row, or why there is none: as `map_row`, and one for each step of a ticket.

    A row makes all of its events or none.
    """
    found = []
    for column, step in mapping.steps or ((None, mapping),):
        if column is None or str(row.get(column) or "").strip():
            made = map_row(step, row, place, day, secret)
            if isinstance(made, Dropped):
                return made
            found.append(made)
    return tuple(found) or Dropped(DropReason.UNREADABLE, "no time of the ticket is given")


def row_date(mapping: Mapping, row: Row[str, Any], of_file: date | None) -> date | Dropped | None:
    """The date of a row: of its date column if the mapping names one and no option replaces it, else its file's."""
    source = mapping.date
    if of_file is not None or source is None or source.column is None:
        return of_file
    text = str(row.get(source.column)).strip()
    try:
        return datetime.strptime(text, source.format).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return Dropped(DropReason.UNREADABLE, f"{source.column}: no date like {source.format}: {text!r}")
