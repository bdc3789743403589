"""How far two figures are apart, and how sure that is.

The interval of the difference is made of the intervals of both (MOVER; Zou and Donner 2008): on either side the distances of the two
figures to their bounds, of which the squares add up. Of two proportions with Wilson's intervals that is Newcombe's hybrid score interval
(1998, method 10), which stays inside -1 to 1 and is honest at the ends. The two must be independent, as two spans of time are.
"""

from math import hypot
from typing import NamedTuple

from models.figures import Estimate
from models.statistics.intervals import interval

__all__ = ["Apart", "apart"]


class Apart(NamedTuple):
    """The second less the first, in the unit of both."""

    difference: float
    low: float
    """Of its interval; infinite where one of the figures has no bound on that side."""
    high: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def apart(first: Estimate, second: Estimate, z: float) -> Apart | None:
    """Compare two figures of one KPI; None where one of them has no value, or no interval."""
    bounds = interval(first, z), interval(second, z)
    if first.value is None or second.value is None or bounds[0] is None or bounds[1] is None:
        return None
    (low, high), (low_then, high_then) = bounds[1], bounds[0]
    difference = second.value - first.value
    below, above = hypot(second.value - low, high_then - first.value), hypot(high - second.value, first.value - low_then)
    return Apart(difference, difference - below, difference + above)
