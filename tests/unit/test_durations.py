import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.durations import to_seconds, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10.0),
        ("3m", 180.0),
        ("4h", 14_400.0),
        ("2d", 172_800.0),
        ("250ms", 0.25),
        ("1.5 h", 5400.0),
        ("7", 7.0),
        (7, 7.0),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_a_number_and_a_unit_or_seconds(text: str | float, seconds: float) -> None:
    assert to_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "3 weeks", "-3m", "1h30m", "3M", "٣m", True, None])
def test_anything_else_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration: .* \(write 10s"):
        to_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(28_800.0, "8h"), (5400.0, "90m"), (90.0, "90s"), (0.25, "250ms"), (0.0, "0h"), (604_800.0, "168h")]
)
def test_seconds_are_written_in_the_widest_unit_that_needs_no_fraction(seconds: float, text: str) -> None:
    assert written(seconds) == text


@given(st.integers(0, 10**10))
def test_what_is_written_is_read_as_it_was(ms: int) -> None:
    assert round(to_seconds(written(ms / 1000)) * 1000) == ms
