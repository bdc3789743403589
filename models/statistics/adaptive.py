"""The adaptive window: as narrow as the volume allows, so that a busy queue is judged on minutes and a quiet one on hours."""

from collections.abc import Mapping
from typing import Final

from models.windows import HOUR_MS, MINUTE_MS

__all__ = ["ADAPTIVE_WIDTHS_MS", "adaptive_width_ms"]

ADAPTIVE_WIDTHS_MS: Final = (15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS)
"""The widths to choose from, narrowest first."""

_N_MIN: Final = 20


def adaptive_width_ms(n_by_width_ms: Mapping[int, int], n_min: int = _N_MIN) -> int | None:
    """The narrowest of `ADAPTIVE_WIDTHS_MS` whose window holds at least `n_min` observations; None where even the widest does not.

    `n_by_width_ms` has the observations of each of the widths.
    """
    return next((width_ms for width_ms in ADAPTIVE_WIDTHS_MS if n_by_width_ms[width_ms] >= n_min), None)
