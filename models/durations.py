"""Durations as people write them: `10s`, `3m`, `4h`, `2d`, or plain seconds."""

import re
from typing import Final

from pydantic import WithJsonSchema

__all__ = ["WRITTEN", "to_seconds", "written"]

_UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_TEXT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)", re.ASCII)

# The expressions of a JSON Schema are those of JavaScript.
_PATTERN: Final = r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d|)\s*$"
WRITTEN: Final = WithJsonSchema({"anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "number", "minimum": 0}]})
"""How a duration of a file stands in a JSON Schema."""


def to_seconds(value: str | float) -> float:
    """The seconds that `value` says: a number is seconds, a text is a number and a unit.

    Raises:
        ValueError: if the text is neither; a boolean is no number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _TEXT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        msg = f"not a duration: {value!r} (write 10s, 3m, 4h, 2d or a number of seconds)"
        raise ValueError(msg)
    return float(found[1]) * _UNITS[found[2]]


def written(seconds: float) -> str:
    """As people write it, in the widest unit of which it is a whole number up to hours."""
    unit = next(each for each in ("h", "m", "s", "ms") if round(seconds * 1000) % round(_UNITS[each] * 1000) == 0)
    return f"{round(seconds * 1000) // round(_UNITS[unit] * 1000)}{unit}"
