"""How far a figure can be trusted: confidence intervals of proportions, means, ratios of sums, rates and net scores.

A partner's quarter of an hour holds some twenty contacts, so small samples are the normal case. A proportion has Wilson's
interval (Wilson 1927), which stays inside 0 to 1 and is honest at the ends; a mean and a net score have the normal one, which
needs two observations for its variance. A ratio of sums has that of the ratio estimator (Cochran 1977, 6.3), whose observations are
evaluations, say, and not their points, which hang together; a rate has the score interval of a Poisson count. A quantile lies
between two of the observations, by binomial ranks. The z of an alert is one-sided: too high is said when the lower bound is past
the threshold, too low when the upper bound is.
"""

from math import hypot, sqrt
from typing import Final

from models.figures import Estimate, Kind
from models.statistics.compared import Compared
from models.statistics.quantiles import QuantileEstimate

__all__ = ["Z_PAGE", "Z_REPORT", "Z_WARN", "interval", "mean_interval", "poisson", "wilson"]

Z_REPORT: Final = 1.96
"""Two-sided 95 %: the interval that records carry."""
Z_WARN: Final = 1.645
"""One-sided 95 %: the bound that a warning is gated by."""
Z_PAGE: Final = 2.326
"""One-sided 99 %: the bound that a page is gated by."""

_POINTS_MAX: Final = 100.0
_PROPORTION: Final = Kind.PROPORTION
_GAUGE: Final = Kind.GAUGE
_MEAN: Final = Kind.MEAN
_RATE: Final = Kind.RATE
_RATIO: Final = Kind.RATIO
_CHANGE: Final = Kind.CHANGE
_QUANTILE: Final = Kind.QUANTILE
_COMPARED: Final = Kind.COMPARED


def wilson(successes: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of the proportion `successes / n`, as (low, high) within 0..1; `n` must be above 0."""
    assert 0 <= successes <= n > 0, f"not a proportion: {successes} of {n}"
    z2 = z * z
    width = n + z2
    middle = (successes + z2 / 2) / width
    half = z * sqrt(successes * (n - successes) / n + z2 / 4) / width
    # The ends are exact in the formula and must not be missed by a rounding error.
    return (middle - half if successes else 0.0), (middle + half if successes < n else 1.0)


def poisson(count: float, exposure: float, z: float) -> tuple[float, float]:
    """The score interval of the rate `count / exposure` of a Poisson count, as (low, high) of 0 and more; `exposure` must be above 0."""
    assert count >= 0 < exposure, f"not a rate: {count} to {exposure}"
    middle, half = count + z * z / 2, z * sqrt(count + z * z / 4)
    return (middle - half if count else 0.0) / exposure, (middle + half) / exposure


def mean_interval(mean: float, variance: float, n: float, z: float) -> tuple[float, float] | None:
    """The normal interval m ± z s/sqrt(n), in the unit of the mean; `variance` is that of one observation. None below n = 2."""
    if n < 2:  # noqa: PLR2004 - one observation has no variance
        return None
    half = z * sqrt(variance / n)
    return mean - half, mean + half


def _change(numerator: float, denominator: float, z: float) -> tuple[float, float]:
    """The interval of a Poisson count against what was expected, less 1; `numerator` is the difference."""
    low, high = poisson(numerator + denominator, denominator, z)
    return low - 1, high - 1


def _compared(estimate: Compared, z: float) -> tuple[float, float] | None:
    """Of the figure's own noise and that of what is usual together, on either side of the figure."""
    figure, scale = estimate.figure, estimate.scale
    bounds = interval(figure, z)
    if bounds is None or estimate.value is None:
        return None
    assert figure.value is not None, "what is compared has a value"
    below, above = (
        hypot(figure.value - bounds[0], z * estimate.spread) / scale,
        hypot(bounds[1] - figure.value, z * estimate.spread) / scale,
    )
    return estimate.value - below, estimate.value + above


def interval(estimate: Estimate, z: float) -> tuple[float, float] | None:  # noqa: PLR0911 - one case a kind
    """The interval of any estimate, as (low, high) in its KPI's unit; None where there is no value or too few observations.

    A gauge is exact (low = high = value). Net scores end at -100 and 100, ratios of sums at 0 and 1. The upper bound of a quantile
    is infinite where too few observations lie above it. What is compared has the noise of both. A figure that is not to be judged
    comes with n = 0. The observations of a share of time are minutes, of which n is the whole ones.
    """
    kind, value, numerator, denominator, n, variance = estimate
    if value is None:
        return None
    if kind is _PROPORTION:
        return wilson(numerator, denominator, z) if n else None
    if kind is _GAUGE:
        return value, value
    if kind is _RATE:
        return poisson(numerator, denominator, z) if n else None
    if kind is _CHANGE and n:
        return _change(numerator, denominator, z)
    if kind is _COMPARED:
        assert isinstance(estimate, Compared), "only that knows what it was compared with"
        return _compared(estimate, z)
    if kind is _QUANTILE:
        assert isinstance(estimate, QuantileEstimate), "only that knows its bounds"
        return estimate.bounds(z) if n else None
    bounds = None if variance is None else mean_interval(value, variance, n, z)
    if bounds is None or kind is _MEAN:
        return bounds
    if kind is _RATIO:
        return max(bounds[0], 0.0), min(bounds[1], 1.0)
    return max(bounds[0], -_POINTS_MAX), min(bounds[1], _POINTS_MAX)
