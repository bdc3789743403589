"""Rows of a log into events: which times, which outcome, which reason to be left out."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customers import customer_key
from models.errors import FileError
from models.mapping_file import example_mapping, load_mapping
from models.mapping_row import Dropped, DropReason, EventDict, Place, map_row, row_date
from models.mapping_times import clock_seconds, seconds, wall_ms

CALLS = load_mapping(example_mapping(), "example.yaml")
DAY = date(2031, 1, 4)
SERVED = {
    "vru+line": "AA0104",
    "call_id": "31129",
    "type": "PS",
    "vru_entry": "10:00:21",
    "vru_exit": "10:00:31",
    "vru_time": "10",
    "q_start": "10:00:31",
    "q_exit": "10:01:01",
    "q_time": "30",
    "outcome": "AGENT",
    "ser_start": "10:01:00",
    "ser_exit": "10:02:09",
    "ser_time": "69",
}
NO_QUEUE = {"q_start": "0:00:00", "q_exit": "0:00:00", "q_time": "0"}
NO_SERVICE = {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0"}


def mapped(**changes: str) -> EventDict | Dropped:
    return map_row(CALLS, SERVED | changes, Place("calls.csv", 7), DAY)


def event(**changes: str) -> EventDict:
    made = mapped(**changes)
    assert not isinstance(made, Dropped), made
    return made


def at(clock: str, day: date = DAY) -> int:
    return round(datetime.fromisoformat(f"{day.isoformat()}T{clock}+00:00").timestamp() * 1000)


def test_an_answered_call_has_a_time_for_each_of_its_measures() -> None:
    assert event() == {
        "event_id": "AA0104/31129/2031-01-04",
        "contact_id": "AA0104/31129/2031-01-04",
        "type": "contact.record",
        "partner_id": "PS",
        "channel": "voice",
        "outcome": "answered",
        "queued_at": at("10:00:31"),
        "queue_exited_at": at("10:01:01"),
        "occurred_at": at("10:02:09"),
        "wait_seconds": 30.0,
        "talk_seconds": 69.0,
    }


def test_who_never_queued_and_was_answered_waited_0_until_then() -> None:
    made = event(**NO_QUEUE)
    assert (made["outcome"], made["wait_seconds"], made["queue_exited_at"]) == ("answered", 0.0, at("10:01:00"))
    assert "queued_at" not in made


def test_an_answered_call_without_a_service_ends_with_its_wait() -> None:
    made = event(**NO_SERVICE)
    assert (made["occurred_at"], made["talk_seconds"]) == (at("10:01:01"), 0.0)


def test_who_hangs_up_in_the_queue_abandons() -> None:
    made = event(outcome="HANG", **NO_SERVICE)
    assert (made["outcome"], made["wait_seconds"], made["occurred_at"]) == ("abandoned", 30.0, at("10:01:01"))


def test_who_hangs_up_without_having_queued_is_no_abandon() -> None:
    made = event(outcome="HANG", **NO_QUEUE, **NO_SERVICE)
    assert (made["outcome"], made["occurred_at"]) == ("not_queued", at("10:00:31"))
    assert "wait_seconds" not in made


def test_a_wait_of_0_seconds_is_a_wait() -> None:
    made = event(outcome="HANG", q_exit="10:00:31", q_time="0", **NO_SERVICE)
    assert (made["outcome"], made["wait_seconds"]) == ("abandoned", 0.0)


def test_midnight_is_a_time_where_a_wait_says_so() -> None:
    late = {"vru_entry": "23:59:30", "outcome": "HANG", **NO_SERVICE}
    begins = event(**late, vru_exit="0:00:00", vru_time="30", q_start="0:00:00", q_exit="0:00:30")
    assert (begins["outcome"], begins["queued_at"]) == ("abandoned", at("00:00:00", DAY + timedelta(days=1)))
    ends = event(**late, vru_exit="23:59:40", q_start="23:59:40", q_exit="0:00:00", q_time="20")
    assert ends["queue_exited_at"] == at("00:00:00", DAY + timedelta(days=1))


@given(entered=st.integers(0, 86_399), after=st.integers(0, 43_000))
def test_times_past_24_00_and_wrapped_ones_are_the_same_moment(entered: int, after: int) -> None:
    def clock(seconds_of_day: int) -> str:
        return f"{seconds_of_day // 3600}:{seconds_of_day // 60 % 60:02d}:{seconds_of_day % 60:02d}"

    then = entered + after
    assert clock_seconds(clock(then), entered) == then
    assert clock_seconds(clock(then % 86_400), entered) == then


def test_a_clock_that_runs_a_second_behind_is_not_of_the_next_day() -> None:
    assert clock_seconds("10:00:20", 36_021.0) == 36_020


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": "PHANTOM"}, "phantom"),
        ({"vru_time": "-87"}, "negative_duration"),
        ({"q_time": "-1"}, "negative_duration"),
        ({"ser_time": "-1"}, "negative_duration"),
        ({"outcome": "PHANTOM", "vru_time": "-87"}, "phantom"),
        ({"outcome": "ELSEWHERE"}, DropReason.UNKNOWN_OUTCOME),
        ({"q_time": "soon"}, DropReason.UNREADABLE),
        ({"q_start": "10:61:00"}, DropReason.UNREADABLE),
        ({"ser_exit": ""}, DropReason.UNREADABLE),
        ({"type": ""}, DropReason.INVALID),
        ({"q_time": "99999999"}, DropReason.INVALID),
        ({"call_id": "1" * 200}, DropReason.INVALID),
    ],
)
def test_a_row_is_left_out_for_a_reason(changes: dict[str, str], reason: str) -> None:
    made = mapped(**changes)
    assert isinstance(made, Dropped)
    assert made.reason == reason
    assert made.detail


def test_a_clock_time_without_a_date_is_an_error_of_the_mapping_not_of_the_row() -> None:
    with pytest.raises(FileError, match=r"calls\.csv:7: .*vru_exit|calls\.csv:7: .*q_start: a clock time without a date.*--date"):
        map_row(CALLS, SERVED, Place("calls.csv", 7), None)


def test_clock_times_are_of_the_mappings_zone_also_when_the_clocks_change() -> None:
    assert wall_ms(date(2031, 3, 30), 0, "Europe/Lisbon") == at("00:00:00", date(2031, 3, 30))
    assert wall_ms(date(2031, 3, 30), 12 * 3600, "Europe/Lisbon") == at("11:00:00", date(2031, 3, 30))
    assert wall_ms(date(2031, 3, 30), 24 * 3600, "Europe/Lisbon") == at("23:00:00", date(2031, 3, 30))


SURVEYS = load_mapping(
    """
version: 1
type: survey.response
zone: Europe/Lisbon
event_id: [id]
date: {column: day, format: "%d.%m.%Y"}
fields:
  partner_id: {constant: acme}
  occurred_at: {column: at}
  survey: {constant: csat}
  score: {column: stars, values: {five: 5}}
  scale_max: {column: of}
  contact_id: {column: call, absent: ["-"]}
""",
    "surveys.yaml",
)


def survey(**row: Any) -> EventDict | Dropped:
    return map_row(SURVEYS, {"id": 1, "at": "2031-07-01T10:00:00Z", "stars": 4, "of": "5", "call": "c1"} | row, Place("s.jsonl", 1), None)


def test_other_events_are_made_field_by_field() -> None:
    assert survey() == {
        "event_id": "1",
        "type": "survey.response",
        "partner_id": "acme",
        "occurred_at": round(datetime(2031, 7, 1, 10, tzinfo=UTC).timestamp() * 1000),
        "survey": "csat",
        "score": 4.0,
        "scale_max": 5,
        "contact_id": "c1",
    }


def test_a_whole_time_without_an_offset_is_of_the_mappings_zone() -> None:
    made = survey(at="2031-07-01 10:00:00")
    assert isinstance(made, dict)
    assert made["occurred_at"] == round(datetime(2031, 7, 1, 9, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("nothing", ["-", "", None])
def test_what_stands_for_nothing_makes_no_field(nothing: str | None) -> None:
    made = survey(call=nothing)
    assert isinstance(made, dict)
    assert "contact_id" not in made


def test_a_text_is_translated_before_it_is_read() -> None:
    made = survey(stars="five")
    assert isinstance(made, dict)
    assert made["score"] == 5


def test_half_a_scale_is_unreadable() -> None:
    assert survey(of="4.5") == Dropped(DropReason.UNREADABLE, "of: no whole number: 4.5")


def test_the_date_of_a_row_comes_from_its_column_unless_an_option_says_otherwise() -> None:
    assert row_date(SURVEYS, {"day": "04.01.2031"}, None) == DAY
    assert row_date(SURVEYS, {"day": "04.01.2031"}, date(1999, 1, 1)) == date(1999, 1, 1)
    wrong = row_date(SURVEYS, {"day": "2031-01-04"}, None)
    assert isinstance(wrong, Dropped)
    assert wrong.reason == DropReason.UNREADABLE


def test_flags_are_read_as_people_write_them() -> None:
    mapping = load_mapping(
        """
version: 1
type: contact.completed
event_id: [id]
fields:
  partner_id: {constant: acme}
  occurred_at: {column: at}
  talk_seconds: {column: talk}
  resolved: {column: solved}
""",
        "m.yaml",
    )

    def solved(text: object) -> object:
        made = map_row(mapping, {"id": 1, "at": "2031-07-01T10:00Z", "talk": "0:03:20", "solved": text}, Place("f", 1), None)
        return made.reason if isinstance(made, Dropped) else (made.get("resolved"), made["talk_seconds"])

    expected = [(True, 200.0), (True, 200.0), (False, 200.0), (None, 200.0), "unreadable"]
    assert [solved(text) for text in ("Yes", True, "0", None, "perhaps")] == expected


@pytest.mark.parametrize("text", ["", "1:05", "soon", "1:2:3:4", "--3", "0:99:00"])
def test_what_may_be_minutes_or_hours_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|convert"):
        seconds(text)


@pytest.mark.parametrize(("text", "expected"), [("12", 12.0), ("-87", -87.0), ("0:01:05", 65.0), ("-0:01:05", -65.0), ("2.5", 2.5)])
def test_durations_are_read_in_seconds_or_as_a_clock(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_a_customer_is_written_as_a_keyed_hash_and_a_blank_one_not_at_all() -> None:
    text = "version: 1\ntype: contact.abandoned\nevent_id: [id]\nfields:\n" + "".join(
        f"  {name}: {{column: {name}}}\n" for name in ("partner_id", "wait_seconds", "occurred_at")
    )
    mapping = load_mapping(text + "  customer_key: {column: phone, hmac: true}\n", "m.yaml")
    assert mapping.needs_secret
    row = {"id": 1, "partner_id": "acme", "wait_seconds": 3, "occurred_at": "2031-07-01T10:00:00Z"}
    secret = "0123456789abcdef"
    for phone, key in (("0049 30 901820", customer_key("+49 30 901820", secret)), ("", None)):
        made = map_row(mapping, row | {"phone": phone}, Place("f", 1), None, secret)
        assert not isinstance(made, Dropped), made
        assert made.get("customer_key") == key
        assert "901820" not in str(made)
