"""Hours of a week hold by the local clock, over its changes too, and say when they turn."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from models.hours import Holidays, Schedule, Week, compile_hours

WEEK: TypeAdapter[dict[str, str]] = TypeAdapter(Week)
MINUTE_MS = 60_000


def schedule(week: dict[str, str], zone: str = "Europe/Lisbon", holidays: Holidays | None = None) -> Schedule:
    made = compile_hours(WEEK.validate_python(week), zone, holidays)
    assert made is not None
    return made


def ms(text: str, zone: str = "Europe/Lisbon", fold: int = 0) -> int:
    """A local time as 2026-03-29T01:30."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def test_a_span_holds_from_its_beginning_to_before_its_end_on_its_days() -> None:
    hours = schedule({"mon-fri": "08:00-20:00", "sat": "09:00-12:00, 13:00-14:00"})
    for text, held in (
        ("2026-11-23T07:59", False),
        ("2026-11-23T08:00", True),
        ("2026-11-27T19:59", True),
        ("2026-11-27T20:00", False),
        ("2026-11-28T12:30", False),
        ("2026-11-28T13:30", True),
        ("2026-11-29T10:00", False),
    ):
        assert hours.holds(ms(text)) is held, text


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    hours = schedule({"sat": "22:00-06:00", "wed": "00:00-24:00"})
    assert hours.holds(ms("2026-11-29T05:59"))
    assert not hours.holds(ms("2026-11-28T05:59"))
    assert hours.holds(ms("2026-11-25T23:59"))
    assert not hours.holds(ms("2026-11-26T00:00"))


def test_hours_follow_the_local_clock_through_summer_time() -> None:
    hours = schedule({"mon-sun": "08:00-20:00"})
    assert [datetime.fromtimestamp(hours.turns_ms(ms(f"2026-{day}T03:00")) / 1000, UTC).hour for day in ("03-28", "03-29")] == [8, 7]


def test_maintenance_in_the_hour_that_is_skipped_or_doubled_is_not_lost() -> None:
    nightly = schedule({"sun": "01:15-01:45"})
    # 29 March: 01:00 becomes 02:00. 25 October: 02:00 becomes 01:00.
    assert nightly.holds(ms("2026-03-29T02:30"))
    assert not nightly.holds(ms("2026-03-29T03:00"))
    assert nightly.holds(ms("2026-10-25T01:30", fold=0))
    assert nightly.holds(ms("2026-10-25T01:30", fold=1))
    assert not nightly.holds(ms("2026-10-25T01:45", fold=1))


def test_a_holiday_is_closed_also_one_of_a_part_of_the_country_and_one_of_the_partner_s_own() -> None:
    closed = Holidays(country="DE", subdivision="BY", dates=[datetime(2026, 11, 25, tzinfo=UTC).date()])
    hours = schedule({"mon-sun": "00:00-24:00"}, "Europe/Berlin", closed)
    for text, held in (("2026-12-25T12:00", False), ("2026-01-06T12:00", False), ("2026-11-25T12:00", False), ("2026-11-24T12:00", True)):
        assert hours.holds(ms(text, "Europe/Berlin")) is held, text
    assert schedule({"mon-sun": "00:00-24:00"}, "Europe/Berlin", Holidays(country="DE")).holds(ms("2026-01-06T12:00", "Europe/Berlin"))


@pytest.mark.parametrize(
    "week",
    [
        {},
        {"monday": "08:00-20:00"},
        {"mon": "8-20"},
        {"mon": "24:00-08:00"},
        {"mon": "08:00-20:00;"},
        {"mon-wed": "08:00-20:00", "tue": "09:00-10:00"},
    ],
)
def test_what_is_no_week_is_refused(week: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        WEEK.validate_python(week)


@pytest.mark.parametrize("said", [{"country": "XX"}, {"country": "DE", "subdivision": "ZZ"}, {"subdivision": "BY"}])
def test_a_place_that_is_not_known_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Holidays.model_validate(said)


TIMES = st.integers(0, 24 * 12 - 1).map(lambda at: f"{at // 12:02d}:{at % 12 * 5:02d}")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), st.tuples(TIMES, TIMES).map("-".join), min_size=1),
    st.sampled_from(["Europe/Lisbon", "America/Bogota", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.sampled_from(["2026-03-27", "2026-10-23", "2026-04-03", "2026-06-01"]),
)
def test_between_two_turns_nothing_changes(week: dict[str, str], zone: str, day: str) -> None:
    hours, at_ms = schedule(week, zone), ms(day, zone)
    turns = [at_ms]
    while turns[-1] < at_ms + timedelta(days=4) / timedelta(milliseconds=1):
        turns.append(hours.turns_ms(turns[-1]))
        assert turns[-1] > turns[-2]
    for begin, end in pairwise(turns):
        inside = {
            schedule(week, zone).holds(each)
            for each in (begin, (begin + end) // 2 // MINUTE_MS * MINUTE_MS, end - MINUTE_MS)
            if begin <= each < end
        }
        assert len(inside) == 1, (begin, end)
