"""An iCalendar file (RFC 5545) read as shifts: what repeats as layers of a rotation, what does not as overrides of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import icalendar
from pydantic import ValidationError

from models.errors import FileError, Problem
from models.people import PersonSpec
from models.recurrence import Recurrence, check_rrule
from models.rotations import RotationSpec
from models.wall import moment_ms
from streams.oncall.written import PEOPLE

__all__ = ["Imported", "Single", "from_ics"]

_EVENTS_MAX: Final = 1000
_COUNT_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Single:
    """A shift that does not repeat."""

    people: tuple[str, ...]
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file says of one rotation."""

    rotation: RotationSpec | None
    """None where nothing repeats."""
    singles: tuple[Single, ...]


class _WrongError(Exception):
    """Raised when an event cannot be a shift; says what is wrong with which property, and what to do."""

    def __init__(self, name: str, message: str, remedy: str) -> None:
        self.name, self.message, self.remedy = name, message, remedy
        super().__init__(message)


def _refuse(name: str, message: str, remedy: str) -> NoReturn:
    raise _WrongError(name, message, remedy)


def from_ics(data: bytes, file: str, rotation_id: str, people: Mapping[str, PersonSpec], zone: str | None = None) -> Imported:
    """The shifts in a calendar file; times without a zone are those of `zone`, else of the file's X-WR-TIMEZONE.

    Raises:
        FileError: with everything that is wrong.
    """
    try:
        calendar = icalendar.Calendar.from_ical(data)
    except ValueError as error:
        problem = Problem(file, 1, "(file)", f"is no iCalendar file: {str(error).partition(chr(10))[0][:200]}", "export it as .ics")
        raise FileError([problem]) from None
    events = [each for each in calendar.walk("VEVENT") if isinstance(each, icalendar.Event)]
    if len(events) > _EVENTS_MAX:
        raise FileError([Problem(file, 1, "(file)", f"has {len(events)} events", f"export fewer than {_EVENTS_MAX}")])
    reader = _Reader(people, zone or (str(calendar["X-WR-TIMEZONE"]) if "X-WR-TIMEZONE" in calendar else None))
    lines = data.decode(errors="replace").splitlines()
    problems: list[Problem] = []
    # A shift that was moved stands anywhere in the file, and needs its series.
    for number, event in sorted(enumerate(events), key=lambda each: "RECURRENCE-ID" in each[1]):
        try:
            reader.take(event)
        except _WrongError as wrong:
            problems.append(Problem(file, _line(lines, number), wrong.name, wrong.message, wrong.remedy))
    if problems:
        raise FileError(problems)
    return Imported(_rotation(reader, rotation_id, people, file), tuple(reader.singles))


def _line(lines: list[str], number: int) -> int:
    begins = [at for at, line in enumerate(lines, 1) if line.strip().upper() == "BEGIN:VEVENT"]
    return begins[number] if number < len(begins) else 1


def _rotation(reader: "_Reader", rotation_id: str, people: Mapping[str, PersonSpec], file: str) -> RotationSpec | None:
    if not reader.layers:
        return None
    wrong = [
        Problem(file, 1, name, f"its shifts are of several {what}: {', '.join(sorted(map(str, found)))}", "make a file of each")
        for name, what, found in (
            ("DTSTART", "zones", reader.zones),
            ("SUMMARY", "sides", {people[each].partner or "the client" for each in reader.named}),
        )
        if len(found) > 1
    ]
    if wrong:
        raise FileError(wrong)
    side = people[next(iter(reader.named))].partner
    said = {"id": rotation_id, "timezone": next(iter(reader.zones)), "layers": reader.layers} | ({"partner": side} if side else {})
    try:
        return RotationSpec.model_validate(said)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        where = ".".join(map(str, found["loc"]))
        raise FileError([Problem(file, 1, where, found["msg"], "write the rotation by hand")]) from None


@dataclass(slots=True)
class _Reader:
    """Takes the events of a file, one after the other."""

    people: Mapping[str, PersonSpec]
    zone: str | None
    layers: list[dict[str, Any]] = field(default_factory=list)
    zones: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    """Who has shifts that repeat."""
    singles: list[Single] = field(default_factory=list)
    series: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    """By UID, the layer of an event that repeats, and its zone."""

    def take(self, event: icalendar.Event) -> None:
        """Read one event."""
        people = self._who(event)
        begin, zone = self._local(event, "start", "DTSTART")
        end, _ = self._local(event, "end", "DTEND")
        if end <= begin:
            _refuse("DTEND", "is not after DTSTART", "give the shift a length")
        if "RECURRENCE-ID" in event:
            self._leave_out(event)
        if "RRULE" not in event:
            self.singles.append(Single(people, moment_ms(begin, ZoneInfo(zone)), moment_ms(end, ZoneInfo(zone))))
            return
        layer = _layer(event, people, begin, end - begin, zone)
        self.layers.append(layer)
        self.series[str(event.get("UID", ""))] = layer, zone
        for at in _dates(event, "RDATE", begin, zone):
            self.singles.append(Single(people, moment_ms(at, ZoneInfo(zone)), moment_ms(at + (end - begin), ZoneInfo(zone))))
        self.zones.add(zone)
        self.named.update(people)

    def _leave_out(self, event: icalendar.Event) -> None:
        """Have the series of a shift that was moved leave it out where it was."""
        layer, zone = self.series.get(str(event.get("UID", "")), (None, ""))
        if layer is None or "RRULE" in event:
            _refuse("RECURRENCE-ID", "moves a shift of a series that the file does not have", "export the whole calendar, or remove it")
        begin = datetime.fromisoformat(layer["starts"])
        rule = Recurrence(layer["rrule"], begin)
        moved = {f"{at:%Y-%m-%dT%H:%M}" for at in _dates(event, "RECURRENCE-ID", begin, zone) if rule.has(at)}
        if moved:
            layer["except"] = sorted(moved.union(layer.get("except", ())))

    def _who(self, event: icalendar.Event) -> tuple[str, ...]:
        if PEOPLE in event:
            said = str(event[PEOPLE]).split(",")
            named = tuple(each for each in said if each in self.people)
            if len(named) == len(said):
                return named
        addresses = {address.casefold(): each.id for each in self.people.values() for address in each.reach.mail}
        attendees = event.get("ATTENDEE", [])
        attendees = attendees if isinstance(attendees, list) else [attendees]
        called = [str(each).casefold().removeprefix("mailto:") for each in attendees]
        if called and all(each in addresses for each in called):
            return tuple(dict.fromkeys(addresses[each] for each in called))
        summary = str(event.get("SUMMARY", "")).strip()
        known = {name.casefold(): each.id for each in self.people.values() for name in (each.name, each.id)}
        if summary.casefold() in known:
            return (known[summary.casefold()],)
        unknown = next((each for each in called if each not in addresses), None)
        name, what = ("SUMMARY", summary) if unknown is None else ("ATTENDEE", unknown)
        _refuse(name, f"{what!r} is nobody of the policy", "write an id or a name of its people, or invite an address of theirs")

    def _local(self, event: icalendar.Event, of: str, name: str) -> tuple[datetime, str]:
        """A time as the wall clock of a zone shows it."""
        try:
            at: date | datetime = getattr(event, of)
        except (ValueError, TypeError, AttributeError) as error:
            _refuse(name, f"does not read: {error}", "give the shift a beginning and an end, or a DURATION")
        found = self._zone_of(event, name, at)
        if not isinstance(at, datetime):
            return datetime.combine(at, time()), found
        if at.second:
            _refuse(name, f"{at:%H:%M:%S} is no whole minute", "move it to one")
        return at.replace(tzinfo=None), found

    def _zone_of(self, event: icalendar.Event, name: str, at: date | datetime) -> str:
        tz = at.tzinfo if isinstance(at, datetime) else None
        if tz is not None:
            found = str(getattr(tz, "key", None) or tz)
        else:
            written = event[name].params.get("TZID") if name in event else None
            found = str(written or self.zone or "")
        try:
            return ZoneInfo(found).key
        except (KeyError, ValueError, OSError):
            what = f"{found!r} is no IANA time zone" if found else "has no time zone"
            _refuse(name, what, "say which: --zone Europe/Lisbon")


def _rule_text(rule: Any) -> str:  # noqa: ANN401 - icalendar says the types of most of what it has, and not of this
    try:
        return str(rule.to_ical(), "ascii")
    except (TypeError, ValueError) as error:
        # What icalendar took and cannot write.
        _refuse("RRULE", f"does not read: {error}", "write one such as FREQ=WEEKLY")


def _layer(event: icalendar.Event, people: tuple[str, ...], begin: datetime, lasts: timedelta, zone: str) -> dict[str, Any]:
    written = event["RRULE"]
    if isinstance(written, list):
        _refuse("RRULE", "stands more than once", "make an event of each")
    if not isinstance(written, icalendar.vRecur):
        _refuse("RRULE", "does not read", "write one such as FREQ=WEEKLY")
    text = ";".join(each for each in _rule_text(written).split(";") if not each.startswith(("UNTIL=", "COUNT=")))
    try:
        check_rrule(text)
    except ValueError as error:
        message, _, remedy = str(error).partition(" (")
        _refuse("RRULE", message, remedy.removesuffix(")"))
    rule = Recurrence(text, begin)
    first = next((at for _, at in rule.between(begin, begin + timedelta(days=1))), None)
    if first != begin:
        _refuse("DTSTART", f"is no time at which {text} occurs", "move the first event to one")
    layer = {
        "starts": f"{begin:%Y-%m-%dT%H:%M}",
        "rrule": text,
        "lasts": lasts.total_seconds(),
        "members": [people[0] if len(people) == 1 else people],
    }
    last = _last(written, rule, zone)
    # As RFC 5545 has it, COUNT counts what is left out, and a time at which no shift begins leaves out nothing.
    left_out = {at for at in _dates(event, "EXDATE", begin, zone) if rule.has(at) and (last is None or at <= last)}
    if left_out:
        layer["except"] = [f"{at:%Y-%m-%dT%H:%M}" for at in sorted(left_out)]
    return layer if last is None else layer | {"until": f"{last + lasts:%Y-%m-%dT%H:%M}"}


def _dates(event: icalendar.Event, name: str, begin: datetime, zone: str) -> list[datetime]:
    """The times of a list of dates, as the clocks of the shift's zone show them; of a whole day, that at which its shift begins."""
    said = event.get(name, [])
    found = []
    # A list of dates has several, and a date is one by itself.
    for each in (one for dates in (said if isinstance(said, list) else [said]) for one in getattr(dates, "dts", [dates])):
        at = getattr(each, "dt", None)
        if isinstance(at, datetime):
            found.append(at if at.tzinfo is None else at.astimezone(ZoneInfo(zone)).replace(tzinfo=None))
        elif isinstance(at, date):
            found.append(datetime.combine(at, begin.time()))
        else:
            _refuse(name, "is no list of times", "write such as EXDATE;TZID=Europe/Lisbon:20261224T090000")
    return found


def _last(written: Mapping[str, Any], rule: Recurrence, zone: str) -> datetime | None:
    """When the last shift of a rule that ends begins."""
    for name, find in _ENDS.items():
        if name in written:
            last = find(written[name][0], rule, zone)
            if last is None:
                _refuse("RRULE", f"{name} leaves no shift, or too many", f"write a later {name}, or none")
            return last
    return None


def _counted(count: int, rule: Recurrence, _: str) -> datetime | None:
    return rule.nth(count - 1) if 0 < count <= _COUNT_MAX else None


def _until(until: date | datetime, rule: Recurrence, zone: str) -> datetime | None:
    if not isinstance(until, datetime):
        local = datetime.combine(until, time.max)
    else:
        local = until if until.tzinfo is None else until.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    found = [at for _, at in rule.between(local, local + timedelta(seconds=1)) if at <= local]
    return found[-1] if found else None


_ENDS: Final[dict[str, Callable[[Any, Recurrence, str], datetime | None]]] = {"COUNT": _counted, "UNTIL": _until}
