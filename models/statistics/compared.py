"""A figure against what is usual in these hours of the week: by how much it differs, and how sure that is.

Its noise has two parts, of which the squares add up: that of the figure itself, by its own interval, and that of what is usual, whose
median is made of few weeks (the standard error of a median is 1.2533 deviations / sqrt(weeks)). A count is a draw of what varies from
week to week, at least by chance: its own interval is that of a Poisson count, and what the weeks vary beyond that is added.
"""

from enum import StrEnum
from math import inf, sqrt
from typing import Final, Self

from models.figures import Estimate, Kind
from models.statistics.baseline import Baseline

__all__ = ["WEEKS_MIN", "Compare", "Compared"]

WEEKS_MIN: Final = 3
"""Of fewer weeks nothing is said of what is usual."""
_OF_A_MEDIAN: Final = 1.2533


class Compare(StrEnum):
    """What a difference from what is usual is told in."""

    CHANGE = "change"
    """Of the usual: -0.2 is a fifth less."""
    MADS = "mads"
    """In median absolute deviations of the weeks, scaled to compare with standard deviations."""


class Compared(Estimate):
    """The difference; numerator and denominator are the figure and what is usual. No value where that gives no scale, or is not known."""

    figure: Estimate
    usual: Baseline | None
    scale: float
    """By what the difference is divided, in the figure's unit."""
    spread: float
    """The noise beside the figure's own, in its unit."""

    @classmethod
    def of(cls, figure: Estimate, usual: Baseline | None, compare: Compare, *, counts: bool) -> Self:
        """Compare a figure, which has a value; `counts` says that it is a count.

        n is that of the figure; of a count it is what is usual, since that decides how much a difference says.
        """
        value, n = figure.value, figure.n
        assert value is not None, "nothing is compared with nothing"
        if usual is None or usual.n < WEEKS_MIN:
            return cls._made(figure, None, usual, inf, 0.0, n)
        deviation, own = usual.deviation, 0.0
        if counts:
            chance = max(usual.median, 0.0)
            figure, n = Estimate(Kind.RATE, value, value, 1, 1), int(usual.median)
            own = max(0.0, deviation**2 - chance)
            deviation = sqrt(max(deviation**2, chance))
        spread = sqrt(own + (_OF_A_MEDIAN * deviation) ** 2 / usual.n)
        scale = abs(usual.median) if compare is Compare.CHANGE else deviation
        difference = (value - usual.median) / scale if scale else None
        return cls._made(figure, difference, usual, scale or inf, spread, n)

    @classmethod
    def _made(cls, figure: Estimate, value: float | None, usual: Baseline | None, scale: float, spread: float, n: int) -> Self:
        made = tuple.__new__(cls, (Kind.COMPARED, value, figure.value, usual.median if usual else 0, n, None))
        made.figure, made.usual, made.scale, made.spread = figure, usual, scale, spread
        return made
