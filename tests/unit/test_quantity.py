"""Values as a person reads them."""

import pytest

from models.quantity import quantity


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ratio", "–"),
        (0.0, "ratio", "0 %"),
        (0.8123, "ratio", "81 %"),
        (0.0412, "ratio", "4.1 %"),
        (1.0, "ratio", "100 %"),
        (12.4, "s", "12 s"),
        (7.25, "s", "7.2 s"),
        (9.96, "s", "10 s"),
        (999.0, "s", "999 s"),
        (14_400.0, "s", "240 min"),
        (0, "count", "0"),
        (3, "count", "3"),
        (-41.6, "points", "-42 points"),
        (0.125, "change", "+12 %"),
        (-0.04, "change", "-4 %"),
        (0.0, "change", "0 %"),
    ],
)
def test_null_is_a_dash_and_small_values_keep_a_decimal(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text
