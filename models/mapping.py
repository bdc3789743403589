"""A mapping: which columns of a log make which fields of an event. A YAML file, read by `models.mapping_file`.

`models/example_mapping.yaml` is the commented example: a log of calls with one row a call. A `call` block says where its times and
its outcome stand; `fields` says the rest, and all of it for events that are not whole calls. A `ticket` block makes up to three events
of a row: see `models/example_tickets.yaml`.
"""

from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from models.events import EVENT_TYPES, EventBase

__all__ = [
    "EVENT_NAMES",
    "Call",
    "DateSource",
    "DropRule",
    "FieldSource",
    "Interval",
    "Mapping",
    "Outcomes",
    "Ticket",
    "event_model",
    "field_names",
]

Column = Annotated[str, Field(min_length=1, max_length=256)]

CALL_FIELDS: Final = ("occurred_at", "queued_at", "queue_exited_at", "wait_seconds", "talk_seconds", "outcome")
"""What a `call` block fills."""

_MODELS: Final[dict[str, type[EventBase]]] = {
    get_args(each.model_fields["type"].annotation)[0]: each for each in EVENT_TYPES if issubclass(each, EventBase)
}


EVENT_NAMES: Final = tuple(_MODELS)
"""The events that a log, or a test of rules, can make."""


def event_model(event_type: str) -> type[EventBase] | None:
    """The model of the events called `event_type`; None where there is none that a log can make."""
    return _MODELS.get(event_type)


def field_names(model: type[EventBase]) -> dict[str, str]:
    """The fields of an event as JSON writes them -> as the model calls them."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DateSource(_Part):
    """Where the date of a row comes from; exactly one of the three."""

    column: Column | None = None
    format: str = "%Y-%m-%d"
    """How the column writes it, as `datetime.strptime` reads it."""
    file_name: str | None = None
    """The name of the file, as `datetime.strptime` reads it, such as `calls_%Y%m%d.csv`."""
    day: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.column, self.file_name, self.day)) != 1:
            msg = "exactly one of column, file_name and day"
            raise ValueError(msg)
        return self


class DropRule(_Part):
    """Rows to be left out, counted under `reason`: those where any of the columns `equals` a text or is a number `below`."""

    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    equals: tuple[str, ...] = ()
    below: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.equals and self.below is None:
            msg = "says of no row that it is dropped: give equals or below"
            raise ValueError(msg)
        return self


class Interval(_Part):
    """A stretch of a call. It did not happen where both times are blank or `absent` and the duration is zero."""

    start: Column
    end: Column
    seconds: Column | None = None
    """Where left out, the duration is end minus start."""
    absent: str | None = None
    """What stands for no time, such as `0:00:00`."""


class Outcomes(_Part):
    """What the column says when a call was answered, abandoned, or left otherwise; any other text drops the row."""

    column: Column
    answered: tuple[str, ...]
    abandoned: tuple[str, ...]
    """Those that never queued are no abandons: they count as `not_queued`."""
    left: tuple[str, ...] = ()


class Call(_Part):
    """Where a log of whole calls keeps their times; a time past 24:00, or wrapped to before `entered`, is of the next day."""

    entered: Column
    exited: Column
    """When a call that neither queued nor was served ended."""
    queue: Interval
    service: Interval
    """Talk time."""
    outcome: Outcomes


class Ticket(_Part):
    """Where a log of tickets, one row a ticket, keeps when it was opened, first replied to, and solved: blank where it was not."""

    opened: Column
    replied: Column | None = None
    solved: Column | None = None


class FieldSource(_Part):
    """The text of a column (left out where it is blank or one of `absent`, translated by `values`), or a constant."""

    column: Column | None = None
    absent: tuple[str, ...] = ()
    values: dict[str, Any] = Field(default_factory=dict)
    constant: Any = None
    hmac: bool = False
    """Whether the column names a customer, such as a telephone number, of which only the keyed hash is written."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (self.constant is None):
            msg = "either a column or a constant"
            raise ValueError(msg)
        return self


class Mapping(_Part):
    """The whole file."""

    version: Literal[1]
    type: Annotated[str, Field(description="the type of the events")]
    zone: str = "UTC"
    """The zone of times without an offset. Days are closed in the zone of the partner's policy: name the same there."""
    date: DateSource | None = None
    """Needed for clock times; `outwatch replay --date` gives or replaces it."""
    event_id: Annotated[tuple[Column, ...], Field(min_length=1)]
    """Columns that name a row of a day together; the date is appended."""
    drop: tuple[DropRule, ...] = ()
    """The first that holds counts."""
    call: Call | None = None
    ticket: Ticket | None = None
    fields: dict[str, FieldSource]
    _step: str = PrivateAttr("")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        model = event_model(self.type)
        if model is None:
            msg = f"no event is called {self.type!r}: one of {', '.join(_MODELS)}"
            raise ValueError(msg)
        if self.call is not None and self.type != "contact.record":
            msg = f"a call block makes contact.record, not {self.type}"
            raise ValueError(msg)
        if self.ticket is not None and self.type != "ticket.opened":
            msg = f"a ticket block goes with ticket.opened, not {self.type}; it makes ticket.replied and ticket.solved too"
            raise ValueError(msg)
        names = field_names(model)
        made = {"type", "event_id", *(CALL_FIELDS if self.call else ("occurred_at",) if self.ticket else ())}
        for name in self.fields:
            if name in made or name not in names:
                why = "is made of the other blocks" if name in made else f"is no field of {self.type}"
                msg = f"fields.{name} {why}"
                raise ValueError(msg)
        for name, source in self.fields.items():
            if source.hmac and (name != "customer_key" or source.column is None or source.values):
                msg = f"fields.{name}.hmac is for customer_key, from a column and without values"
                raise ValueError(msg)
        for name, own in names.items():
            if model.model_fields[own].is_required() and name not in made and name not in self.fields:
                msg = f"fields.{name} is missing: {self.type} needs it"
                raise ValueError(msg)
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            msg = f"zone {self.zone!r} is not known: an IANA name such as Europe/Lisbon"
            raise ValueError(msg) from None
        return self

    @property
    def needs_secret(self) -> bool:
        """Whether customer keys are to be made."""
        return any(source.hmac for source in self.fields.values())

    @property
    def step(self) -> str:
        """Ends the ids of events of which several are made of a row; blank where one is."""
        return self._step

    @cached_property
    def steps(self) -> "tuple[tuple[Column, Mapping], ...]":
        """For a log of tickets: the column that says when a step was taken, and how a row becomes its event."""
        if self.ticket is None:
            return ()
        found = []
        for step, column in self.ticket:
            if column is not None:
                # Whoever replies says nothing of a due date.
                fields = {name: source for name, source in self.fields.items() if step != "replied" or name != "due_at"}
                each = self.model_copy(
                    update={"type": f"ticket.{step}", "ticket": None, "fields": fields | {"occurred_at": FieldSource(column=column)}}
                )
                each._step = step  # noqa: SLF001 - a copy of our own
                found.append((column, each))
        return tuple(found)

    def columns(self) -> dict[str, str]:
        """Every column that a log must have -> the place in the mapping that names it."""
        named: dict[str, str] = dict.fromkeys(self.event_id, "event_id")
        for rule in self.drop:
            named |= dict.fromkeys(rule.columns, f"drop.{rule.reason}")
        if self.date is not None and self.date.column is not None:
            named[self.date.column] = "date.column"
        if self.call is not None:
            call = self.call
            named |= {call.entered: "call.entered", call.exited: "call.exited", call.outcome.column: "call.outcome.column"}
            for name, interval in (("queue", call.queue), ("service", call.service)):
                named |= {interval.start: f"call.{name}.start", interval.end: f"call.{name}.end"}
                if interval.seconds is not None:
                    named[interval.seconds] = f"call.{name}.seconds"
        if self.ticket is not None:
            named |= {column: f"ticket.{step}" for step, column in self.ticket if column is not None}
        return named | {source.column: f"fields.{name}" for name, source in self.fields.items() if source.column is not None}
