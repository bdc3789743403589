"""Means of durations, whose tails are heavy: with a coefficient of variation near 2, ±10 % of a plain mean needs 1,500 contacts.

The plain mean is what a contract counts. The logarithmic and the winsorised mean say with far fewer contacts whether something
has changed; they are not the plain mean, and are to be held only against themselves.
"""

from collections.abc import Sequence
from math import exp, fsum, inf, log, sqrt
from typing import Final, NamedTuple

from models.statistics.student import student_t

__all__ = ["Mean", "log_mean", "winsorised_mean"]

_EXP_MAX: Final = 709.0
"""What a double can hold the exponential of."""


class Mean(NamedTuple):
    """A mean in the unit of its values, with Student's interval."""

    value: float
    low: float
    high: float
    n: int


def log_mean(values: Sequence[float], z: float) -> Mean | None:
    """The geometric mean, with the interval of the mean logarithm: it is the median where durations are lognormal.

    All values must be above 0, so it is for handling times and not for waits; None below two values. `high` may be infinite.
    """
    assert all(value > 0 for value in values), "a logarithm needs a value above 0"
    mean = winsorised_mean([log(value) for value in values], 0.0, z)
    # Two values that differ widely leave their mean open at the top.
    return mean and Mean(exp(mean.value), exp(mean.low), exp(mean.high) if mean.high < _EXP_MAX else inf, mean.n)


def winsorised_mean(values: Sequence[float], share: float, z: float) -> Mean | None:
    """The mean after the lowest and the highest `share` of the values (0 to below 0.5, rounded down) are drawn to their neighbours.

    The interval is that of Dixon and Tukey (1968): the deviation of what was drawn in, widened for the h values left in place, with
    h - 1 degrees of freedom: Student's own at a share of 0. It is made for heavy but even tails: at 95 %, of 40 lognormal values with a
    coefficient of variation of 2, it held its own true value 86 % of the time, and the log mean's 95 %. None where fewer than two are
    left.
    """
    assert 0 <= share < 0.5, f"a share of {share} at each end"  # noqa: PLR2004 - half at each end leaves nothing
    n = len(values)
    cut = int(share * n)
    left = n - 2 * cut
    if left < 2:  # noqa: PLR2004 - one observation has no variance
        return None
    ordered = sorted(values)
    low, high = ordered[cut], ordered[n - 1 - cut]
    drawn = [min(max(value, low), high) for value in ordered]
    mean = fsum(drawn) / n
    variance = fsum((value - mean) ** 2 for value in drawn) / (n - 1)
    half = student_t(z, left - 1) * sqrt(variance / n) * (n - 1) / (left - 1)
    return Mean(mean, mean - half, mean + half, n)
