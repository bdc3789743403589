import pytest

from models.durations import to_seconds


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
