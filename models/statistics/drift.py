"""Slow drift: small shifts that no single point shows, on standardised points such as quarter hours against their baseline.

Each chart is a frozen configuration with a pure step: from its state and the next point's z to its new state and whether it alarms.
Both look upwards, so hand in -z where low is bad. After an alarm a chart begins anew. How often they alarm, in points, computed as
Markov chains (Brook and Evans 1972) of independent normal points:

    chart    by chance, once in   after a shift by one deviation
    Cusum    335                  8.4
    Ewma     478                  7.7
"""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

__all__ = ["Cusum", "Ewma", "Weighted"]


@dataclass(frozen=True, slots=True)
class Cusum:
    """The one-sided cumulative sum (Page 1954): what points exceed `slack` by adds up from 0, and alarms above `limit`."""

    slack: float = 0.5
    """k: half of the shift to be found, in deviations."""
    limit: float = 4.0
    """h, in deviations."""

    def step(self, value: float, z: float) -> tuple[float, bool]:
        """The sum after a point, and whether it alarms at it."""
        value = max(0.0, value + z - self.slack)
        return (0.0, True) if value > self.limit else (value, False)


class Weighted(NamedTuple):
    """The state of an `Ewma`."""

    mean: float = 0.0
    unsettled: float = 1.0
    """The share of its long-run variance that the mean does not have yet: 1 at the beginning."""


@dataclass(frozen=True, slots=True)
class Ewma:
    """The one-sided exponentially weighted mean (Roberts 1959), which alarms above `limit` of its deviation.

    The deviation is the exact one, which grows from the first point on: a chart that has just begun is as watchful as an old one.
    """

    weight: float = 0.2
    """Lambda: the share of the newest point."""
    limit: float = 2.7
    """L, in deviations of the weighted mean."""

    def step(self, state: Weighted, z: float) -> tuple[Weighted, bool]:
        """The weighted mean after a point, and whether it alarms at it."""
        mean = state.mean + self.weight * (z - state.mean)
        unsettled = state.unsettled * (1 - self.weight) ** 2
        deviation = sqrt((1 - unsettled) * self.weight / (2 - self.weight))
        return (Weighted(), True) if mean > self.limit * deviation else (Weighted(mean, unsettled), False)
