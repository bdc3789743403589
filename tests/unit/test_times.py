"""Times on the wire become epoch milliseconds, or say what is wrong."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import TimeError
from models.times import EARLIEST_MS, to_ms

HALF_PAST_NINE = 1_714_555_800_000  # 2024-05-01T09:30:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T09:30:00Z",
        "2024-05-01t09:30:00z",
        "2024-05-01 09:30:00Z",
        "2024-05-01T09:30:00.0Z",
        "2024-05-01T09:30:00+00:00",
        "2024-05-01T09:30:00-00:00",
        "2024-05-01T11:30:00+02:00",
        "2024-05-01T15:00:00+05:30",
        "2024-04-30T23:30:00-10:00",
        "2024-05-02T09:29:00+23:59",
    ],
)
def test_one_moment_is_one_number_however_it_is_written(text: str) -> None:
    assert to_ms(text) == HALF_PAST_NINE


@pytest.mark.parametrize(
    ("fraction", "ms"),
    [("5", 500), ("04", 40), ("678", 678), ("6789", 678), ("9999999", 999), ("999999999999", 999), ("000999", 0)],
)
def test_fractions_are_cut_never_rounded(fraction: str, ms: int) -> None:
    assert to_ms(f"2024-05-01T09:30:00.{fraction}Z") == HALF_PAST_NINE + ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1714555800000",
        "2024-05-01",
        "2024-05-01T09:30:00",
        "2024-05-01T09:30Z",
        "2024-05-01T09:30:00,5Z",
        "2024-05-01T09:30:00.Z",
        "2024-05-01T09:30:00+02",
        "2024-05-01T09:30:00+0200",
        "2024-05-01T09:30:00+02:00:30",
        "2024-05-01T09:30:00+01:75",
        "2024-05-01T09:30:00+24:00",
        "2024-05-01T24:00:00Z",
        "2024-05-01T09:60:00Z",
        "2024-05-01T09:30:61Z",
        "2024-05-01_09:30:00Z",
        "20240501T093000Z",
        "2024-W18-3T09:30:00Z",
        " 2024-05-01T09:30:00Z",
        "2024-05-01T09:30:00Z\n",
        "٢٠٢٤-05-01T09:30:00Z",
        "+02024-05-01T09:30:00Z",
        "01/05/2024 09:30:00",
    ],
)
def test_what_is_not_rfc_3339_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(TimeError, match="is not an RFC 3339 time with an offset"):
        to_ms(text)


@pytest.mark.parametrize("text", ["2024-02-30T09:30:00Z", "2023-02-29T09:30:00Z", "2024-13-01T09:30:00Z", "0000-01-01T00:00:00Z"])
def test_a_day_that_never_was_is_refused(text: str) -> None:
    with pytest.raises(TimeError, match="is no date"):
        to_ms(text)


def test_a_leap_second_is_refused_with_the_remedy() -> None:
    with pytest.raises(TimeError, match=r"leap second.*send second 59"):
        to_ms("2016-12-31T23:59:60Z")


def test_1980_is_the_first_year() -> None:
    assert to_ms(EARLIEST_MS) == to_ms("1980-01-01T00:00:00Z") == EARLIEST_MS
    for early in (EARLIEST_MS - 1, 0, -1, "1979-12-31T23:59:59.999Z", "1980-01-01T00:59:59+01:00", "0001-01-01T00:00:00+23:59"):
        with pytest.raises(TimeError, match=re.escape(f"{early!r} lies before 1980")):
            to_ms(early)


def test_seconds_for_milliseconds_are_refused_as_such() -> None:
    with pytest.raises(TimeError, match="it looks like seconds: send milliseconds"):
        to_ms(1_714_555_800)


def test_epoch_milliseconds_pass_unchanged() -> None:
    assert to_ms(HALF_PAST_NINE + 7) == HALF_PAST_NINE + 7


@given(
    at=st.datetimes(min_value=datetime(1980, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001 -- the zone is drawn apart
    offset_minutes=st.integers(min_value=-23 * 60 - 59, max_value=23 * 60 + 59),
)
def test_every_time_with_an_offset_is_its_whole_milliseconds_since_1970(at: datetime, offset_minutes: int) -> None:
    moment = at.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert to_ms(moment.isoformat()) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(
    text=st.text("0123456789-+:.,TtZz W٣\n", max_size=30)
    | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{8,14}[Zz+-][0-9:]{0,6}\Z")
)
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        ms = to_ms(text)
    except TimeError:
        return
    assert ms >= EARLIEST_MS
