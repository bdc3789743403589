"""Rotations as iCalendar files, and such files as rotations and overrides."""

from typing import Any

import icalendar
import pytest

from models.errors import FileError
from models.oncall import compile_rotation
from models.people import PersonSpec
from models.policy_file import load
from models.windows import DAY_MS, HOUR_MS
from streams.oncall.calendar import calendar_of
from streams.oncall.imported import Imported, Single, from_ics
from streams.oncall.written import to_ics
from tests.rotations import ms, override

POLICY = """\
version: 1
people:
  - {id: ana, name: Ana Silva, reach: {mail: [ana@example.com]}}
  - {id: bo, name: Bo, reach: {mail: [bo@example.com]}}
rotations:
  - id: ops
    timezone: Europe/Lisbon
    layers:
      - {starts: 2026-01-05T09:00, rrule: FREQ=WEEKLY, members: [ana, bo, [ana, bo], []]}
"""
CALENDAR = calendar_of(load(POLICY, "p.yaml"), (), (override("bo", "2026-03-24T00:00", "2026-03-25T00:00"),))


def event(*lines: str, begin: str = "DTSTART;TZID=Europe/Lisbon:20260105T090000", end: str = "DURATION:P7D", who: str = "bo") -> str:
    return "\n".join(["BEGIN:VEVENT", begin, end, f"SUMMARY:{who}", *lines, "END:VEVENT"])


def read(*events: str, people: dict[str, PersonSpec] | None = None, zone: str | None = None, head: str = "") -> Imported:
    text = "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *([head] if head else []), *events, "END:VCALENDAR"])
    return from_ics(text.encode(), "c.ics", "ops", CALENDAR.people if people is None else people, zone)


def refused(*events: str, **fields: Any) -> list[str]:
    with pytest.raises(FileError) as error:
        read(*events, **fields)
    return [str(each) for each in error.value.problems]


def test_a_schedule_that_is_written_and_read_again_has_the_same_shifts_of_the_same_people() -> None:
    ops = CALENDAR.rotations["ops"]
    segments = list(ops.schedule(ms("2026-01-05T09:00"), ms("2026-05-04T08:00"), CALENDAR.overrides))
    data = to_ics(CALENDAR, "ops", segments, ms("2026-01-01T00:00"))
    found = from_ics(data, "c.ics", "ops", CALENDAR.people)
    assert found.rotation is None
    assert found.singles == tuple(Single(each.on_call.people, *each[:2]) for each in segments if each.on_call.people)


def test_what_is_written_is_utc_with_names_that_stay() -> None:
    segments = list(CALENDAR.rotations["ops"].schedule(ms("2026-03-23T09:00"), ms("2026-04-06T08:00")))
    files = [icalendar.Calendar.from_ical(to_ics(CALENDAR, "ops", segments, at)) for at in (0, DAY_MS)]
    first, again = ([event for event in file.walk("VEVENT") if isinstance(event, icalendar.Event)] for file in files)
    assert [str(each["UID"]) for each in first] == [str(each["UID"]) for each in again]
    assert [(str(each["SUMMARY"]), each["DTSTART"].to_ical(), each["DTEND"].to_ical()) for each in first] == [
        ("Ana Silva (ops)", b"20260330T080000Z", b"20260406T080000Z")
    ]


def test_events_that_repeat_are_layers_with_the_wall_clock_of_their_zone() -> None:
    found = read(
        event("RRULE:FREQ=WEEKLY;INTERVAL=2"),
        event("RRULE:FREQ=WEEKLY;INTERVAL=2", begin="DTSTART;TZID=Europe/Lisbon:20260112T090000", who="Ana Silva"),
    )
    assert found.rotation is not None
    ops = compile_rotation(found.rotation)
    assert [(each.on_call.people, each.end_ms) for each in ops.schedule(ms("2026-03-23T12:00"), ms("2026-04-13T08:00"))] == [
        (("ana",), ms("2026-03-30T08:00")),
        (("bo",), ms("2026-04-06T08:00")),
        (("ana",), ms("2026-04-13T08:00")),
    ]


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("COUNT=3", "2026-01-26T09:00"),
        ("UNTIL=20260119T090000Z", "2026-01-26T09:00"),
        ("UNTIL=20260119T085959Z", "2026-01-19T09:00"),
        ("UNTIL=20260120", "2026-01-26T09:00"),
    ],
)
def test_a_rule_that_ends_is_a_layer_until_its_last_shift_is_over(end: str, last: str) -> None:
    found = read(event(f"RRULE:FREQ=WEEKLY;{end}"))
    assert found.rotation is not None
    assert found.rotation.layers[0].until == last


def test_what_an_event_leaves_out_the_layer_does_too_and_what_it_adds_is_a_shift_by_itself() -> None:
    found = read(
        event(
            "RRULE:FREQ=WEEKLY;COUNT=8",
            "EXDATE;TZID=Europe/Lisbon:20260112T090000,20260119T100000",
            "EXDATE:20260209T090000Z,20260406T080000Z",
            "EXDATE;VALUE=DATE:20260202",
            "EXDATE;TZID=Asia/Manila:20260216T170000",
            "RDATE;TZID=Europe/Lisbon:20260501T120000",
            end="DURATION:PT8H",
        )
    )
    assert found.rotation is not None
    (made,) = found.rotation.layers
    assert made.except_ == tuple(f"2026-{day}T09:00" for day in ("01-12", "02-02", "02-09", "02-16"))
    assert made.until == "2026-02-23T17:00", "what is left out is counted all the same"
    ops = compile_rotation(found.rotation)
    begins = [each.begin_ms for each in ops.schedule(ms("2026-01-05T00:00"), ms("2026-04-01T00:00")) if each.on_call.people]
    assert begins == [ms(f"2026-{day}T09:00") for day in ("01-05", "01-19", "01-26", "02-23")]
    assert found.singles == (Single(("bo",), ms("2026-05-01T11:00"), ms("2026-05-01T19:00")),)


def test_a_shift_that_was_moved_is_left_out_where_it_was_and_a_shift_by_itself_where_it_is() -> None:
    moved = event(
        "UID:a", "RECURRENCE-ID;TZID=Europe/Lisbon:20260112T090000", begin="DTSTART:20260113T090000Z", end="DURATION:PT4H", who="Ana Silva"
    )
    over = event("UID:b", "RECURRENCE-ID;VALUE=DATE:20260119")
    nothing = event("UID:b", "RECURRENCE-ID:20260120T090000Z")
    series = [event(f"UID:{name}", "RRULE:FREQ=WEEKLY", "EXDATE:20260202T090000Z", end="DURATION:PT8H") for name in ("a", "b")]
    found = read(moved, over, nothing, *series)
    assert found.rotation is not None
    assert [each.except_ for each in found.rotation.layers] == [
        ("2026-01-12T09:00", "2026-02-02T09:00"),
        ("2026-01-19T09:00", "2026-02-02T09:00"),
    ]
    assert found.singles[0] == Single(("ana",), ms("2026-01-13T09:00"), ms("2026-01-13T13:00"))


def test_people_are_found_by_address_id_or_name() -> None:
    invited = "ATTENDEE;CN=Ana:MAILTO:Ana@Example.com"
    whole = read(event(invited, "ATTENDEE:mailto:bo@example.com", who="on call"), event(who="ANA SILVA"), event(who="ana"))
    assert [each.people for each in whole.singles] == [("ana", "bo"), ("ana",), ("ana",)]


def test_times_without_a_zone_are_those_of_the_file_or_of_who_asks() -> None:
    day = event(begin="DTSTART;VALUE=DATE:20260701", end="DTEND;VALUE=DATE:20260702")
    spans = [
        read(day, head="X-WR-TIMEZONE:Europe/Lisbon").singles[0].from_ms,
        read(day, zone="Asia/Manila", head="X-WR-TIMEZONE:Europe/Lisbon").singles[0].from_ms,
    ]
    assert spans == [ms("2026-07-01T00:00") - HOUR_MS, ms("2026-07-01T00:00") - 8 * HOUR_MS]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (event(who="Zoe"), "SUMMARY: 'Zoe' is nobody of the policy"),
        (event("ATTENDEE:mailto:zoe@example.com", who="on call"), "ATTENDEE: 'zoe@example.com' is nobody of the policy"),
        (event(begin="DTSTART:20260105T090000"), "DTSTART: has no time zone"),
        (event(begin="DTSTART;TZID=Nowhere/X:20260105T090000"), "DTSTART: 'Nowhere/X' is no IANA time zone"),
        (event(end="DTEND;TZID=Europe/Lisbon:20260105T090000"), "DTEND: is not after DTSTART"),
        (event(end="SEQUENCE:1", begin="SEQUENCE:1"), "DTSTART: does not read"),
        (event(begin="DTSTART;TZID=Europe/Lisbon:20260105T090030"), "DTSTART: 09:00:30 is no whole minute"),
        (event("RRULE:FREQ=WEEKLY", "RECURRENCE-ID;TZID=Europe/Lisbon:20260112T090000"), "RECURRENCE-ID: moves a shift of a series"),
        (event("RRULE:FREQ=WEEKLY", "RDATE;VALUE=PERIOD:20260114T090000Z/PT2H"), "RDATE: is no list of times"),
        (event("RRULE:X"), "RRULE: '' is no rule"),
        (event("RRULE:FREQ=WEEKLY;UNTIL=x"), "RRULE: does not read"),
        (event("RRULE:FREQ=HOURLY"), "RRULE: FREQ=HOURLY is no frequency of shifts"),
        (event("RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY"), "RRULE: stands more than once"),
        (event("RRULE:FREQ=WEEKLY;BYDAY=TU"), "DTSTART: is no time at which FREQ=WEEKLY;BYDAY=TU occurs"),
        (event("RRULE:FREQ=WEEKLY;UNTIL=20250101"), "RRULE: UNTIL leaves no shift"),
        (event("RRULE:FREQ=WEEKLY;COUNT=100000"), "RRULE: COUNT leaves no shift, or too many"),
    ],
)
def test_an_event_that_can_be_no_shift_is_told_with_its_line_and_property(told: str, line: str) -> None:
    (problem,) = refused(event(), told)
    assert problem.startswith(f"c.ics:8: error: {line}")


def test_one_file_is_of_one_zone_and_one_side() -> None:
    bia = PersonSpec.model_validate({"id": "bia", "name": "Bia", "partner": "acme"})
    rule = "RRULE:FREQ=WEEKLY"
    there = event(rule, begin="DTSTART;TZID=Asia/Manila:20260105T090000", who="bia")
    problems = refused(event(rule), there, people={**CALENDAR.people, "bia": bia})
    assert [each.partition(": error: ")[2] for each in problems] == [
        "DTSTART: its shifts are of several zones: Asia/Manila, Europe/Lisbon (make a file of each)",
        "SUMMARY: its shifts are of several sides: acme, the client (make a file of each)",
    ]


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xfe", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR"])
def test_what_is_no_calendar_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(FileError, match="is no iCalendar file"):
        from_ics(data, "c.ics", "ops", {})
