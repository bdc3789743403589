"""Student's t: the interval of a mean whose variance was estimated from few observations.

Confidence is said as everywhere here by the z of a normal variable: `student_t(1.645, 9)` is the t with as much probability above
it. Up to 200 degrees of freedom the distribution function is a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4), solved by
Newton's method to within 1e-9 of the t; above, the expansion in 1/degrees (26.7.5, four terms) is off by less than 1e-9 for z up
to 4.
"""

from functools import lru_cache
from math import atan, cos, erf, exp, lgamma, log1p, pi, sin, sqrt
from typing import Final

__all__ = ["student_t", "t_interval"]

_SUMMED_MAX: Final = 200
_STEPS_MAX: Final = 100
_PRECISION: Final = 1e-12
_Z_MAX: Final = 4.0
"""3 in 100,000 above: beyond it what 1 - probability loses in a double begins to show."""


def t_interval(mean: float, variance: float, n: int, z: float) -> tuple[float, float] | None:
    """Student's interval m ± t s/sqrt(n), in the unit of the mean; `variance` is that of one observation. None below n = 2."""
    if n < 2:  # noqa: PLR2004 - one observation has no variance
        return None
    half = student_t(z, n - 1) * sqrt(variance / n)
    return mean - half, mean + half


@lru_cache(maxsize=1024)
def student_t(z: float, degrees: int) -> float:
    """The quantile of Student's t with `degrees` of freedom (1 or more) at the probability that the normal has at z, 0 to 4."""
    assert degrees >= 1, f"{degrees} degrees of freedom"
    assert 0 <= z <= _Z_MAX, f"z of {z} is not within 0..{_Z_MAX}"
    if degrees > _SUMMED_MAX:
        return _expanded(z, degrees)
    inside = erf(z / sqrt(2))
    density = 2 * exp(lgamma((degrees + 1) / 2) - lgamma(degrees / 2)) / sqrt(degrees * pi)
    t = z
    # The distribution is concave above 0 and the t lies above the z, so every step stays below the root and comes nearer.
    for _ in range(_STEPS_MAX):
        step = (inside - _inside(t, degrees)) / (density * exp(-(degrees + 1) / 2 * log1p(t * t / degrees)))
        t += step
        if step <= _PRECISION * t:
            return t
    msg = f"no t for z {z} and {degrees} degrees of freedom"
    raise AssertionError(msg)


def _inside(t: float, degrees: int) -> float:
    """The probability between -t and t."""
    angle = atan(t / sqrt(degrees))
    square = cos(angle) ** 2
    odd = degrees % 2
    term = cos(angle) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(2 + odd, degrees, 2):
        term *= square * (step - 1) / step
        total += term
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total


def _expanded(z: float, degrees: int) -> float:
    z2 = z * z
    first = (z2 + 1) / 4
    second = ((5 * z2 + 16) * z2 + 3) / 96
    third = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384
    fourth = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160
    return z * (1 + (first + (second + (third + fourth / degrees) / degrees) / degrees) / degrees)
