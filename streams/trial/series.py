"""Series in compact notation: `0.9x6 0.7x10 _x3 0.9` is 0.9 six times, 0.7 ten times, nothing three times, then 0.9 to the end."""

import re
from typing import Final

__all__ = ["STEPS_MAX", "at_step", "series"]

STEPS_MAX: Final = 100_000
_TOKEN: Final = re.compile(r"(_|-?[0-9]+(?:\.[0-9]+)?)(?:x([1-9][0-9]*))?", re.ASCII)


def series(text: str) -> tuple[float | None, ...]:
    """The values of each step; None where there is none.

    Raises:
        ValueError: if it does not read, or has more than `STEPS_MAX` steps.
    """
    steps: list[float | None] = []
    for token in text.split():
        found = _TOKEN.fullmatch(token)
        if found is None:
            msg = f"{token!r} is no value (write 0.9, 0.9x6 for six times, or _x3 for three times nothing)"
            raise ValueError(msg)
        times = int(found[2] or 1)
        if len(steps) + times > STEPS_MAX:
            msg = f"has more than {STEPS_MAX} steps (write a longer step)"
            raise ValueError(msg)
        steps += [None if found[1] == "_" else float(found[1])] * times
    if not steps:
        msg = "holds no value (write 0.9x6, say)"
        raise ValueError(msg)
    return tuple(steps)


def at_step(steps: tuple[float | None, ...], step: int) -> float | None:
    """The value of a step; the last one holds to the end."""
    return steps[min(step, len(steps) - 1)]
