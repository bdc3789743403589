"""Overdispersion: a rate's intervals scatter more than chance alone would have them, so that chance alone is too tight a scale."""

from collections.abc import Sequence
from itertools import pairwise
from math import fsum, sqrt
from typing import Final

__all__ = ["laney_sigma_z", "scaled_z"]

_D2: Final = 1.128
"""The mean distance of two normal values, 2/sqrt(pi), in standard deviations."""


def laney_sigma_z(intervals: Sequence[tuple[int, int]]) -> float | None:
    """Laney's sigma_z (p' chart, 2002) of intervals in order of time, as (successes, n): the deviation of the standardised rates.

    It is 1 where they scatter by chance. It is made of the distance between neighbours, so that a slow drift of the rate is not part
    of it. Intervals without observations are left out. None with fewer than two, or where all or none were successes.
    """
    counted = [(successes, n) for successes, n in intervals if n]
    total = sum(n for _, n in counted)
    successes = sum(each for each, _ in counted)
    if len(counted) < 2 or not 0 < successes < total:  # noqa: PLR2004 - a distance needs two
        return None
    rate = successes / total
    z = [(each / n - rate) / sqrt(rate * (1 - rate) / n) for each, n in counted]
    return fsum(abs(newer - older) for older, newer in pairwise(z)) / (len(z) - 1) / _D2


def scaled_z(z: float, sigma_z: float | None) -> float:
    """The z to gate by under a scatter of `sigma_z`; never below `z`, since a few calm intervals are no licence to page by chance."""
    return z if sigma_z is None else z * max(1.0, sigma_z)
