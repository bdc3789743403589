"""A value with its unit, as a person reads it."""

from typing import Final

__all__ = ["DASH", "quantity"]

DASH: Final = "–"
"""What is shown where there is no value: null is not zero."""

_DECIMAL_BELOW: Final = 10
_MINUTES_FROM_SECONDS: Final = 1000
_SUFFIXES: Final = {"ratio": " %", "change": " %", "s": " s", "points": " points", "count": ""}


def quantity(value: float | None, unit: str) -> str:
    """`0.812, ratio` is `81 %`, `0.125, change` is `+12 %`, `7.25, s` is `7.2 s`, None is a dash.

    A small value keeps one decimal, a count none.
    """
    if value is None:
        return DASH
    if unit == "s" and value >= _MINUTES_FROM_SECONDS:
        return f"{value / 60:.0f} min"
    shown = 100 * value if unit in {"ratio", "change"} else value
    decimals = 1 if unit != "count" and abs(round(shown, 1)) < _DECIMAL_BELOW and shown != round(shown) else 0
    sign = "+" if unit == "change" and shown > 0 else ""
    return f"{sign}{shown:.{decimals}f}{_SUFFIXES.get(unit, f' {unit}')}"
