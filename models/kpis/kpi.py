"""A KPI: what it is called, which way is better, and how it is computed from measures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from models.bins import Durations
from models.definitions import Definition
from models.figures import Estimate, Kind, Live, Status
from models.measures import Family

__all__ = [
    "ANONYMOUS_MIN",
    "Better",
    "Kpi",
    "Perspective",
    "Unit",
    "always",
    "change",
    "gauge",
    "judged",
    "mean",
    "never",
    "proportion",
    "rate",
    "ratio",
    "unknown",
    "words",
]

# An estimate is made for every figure of every record: `tuple.__new__` takes half the time of the generated constructor, and a
# constant a third of the time of an enum's attribute.
_new: Final = tuple.__new__
_PROPORTION: Final = Kind.PROPORTION
_MEAN: Final = Kind.MEAN
_GAUGE: Final = Kind.GAUGE
_RATE: Final = Kind.RATE
_RATIO: Final = Kind.RATIO
_OK: Final = Status.OK.value
_WARNING: Final = Status.WARNING.value
_CRITICAL: Final = Status.CRITICAL.value
_CHANGE: Final = Kind.CHANGE


ANONYMOUS_MIN: Final = 5
"""Fewer answers of employees are hidden."""


class Unit(StrEnum):
    """What a value counts in. Ratios are 0 to 1; net scores are points from -100 to 100."""

    RATIO = "ratio"
    MONEY = "money"
    """In the currency that the figure names in place of its unit."""
    CHANGE = "change"
    """Of what it is compared with: 0.1 is a tenth more, -0.1 a tenth less."""
    SECONDS = "s"
    COUNT = "count"
    POINTS = "points"


class Better(StrEnum):
    """Which side of its target a figure should be on."""

    HIGHER = "higher"
    LOWER = "lower"
    TWO_SIDED = "two_sided"
    """Neither extreme is good. A target is an upper bound all the same; what is too low is a rule's to say."""


class Perspective(StrEnum):
    """The corner of the balanced scorecard that a KPI belongs to."""

    FINANCIAL = "financial"
    CUSTOMER = "customer"
    INTERNAL_PROCESS = "internal_process"
    LEARNING_AND_GROWTH = "learning_and_growth"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One entry of the catalogue; `estimate` is a pure function of measures."""

    id: str
    title: str
    unit: Unit
    better: Better
    perspective: Perspective
    attributed_to: str
    """The event whose time decides the window that a contact counts in."""
    formula: str
    family: slice
    """Of a flat vector: the measures of which one must be non-zero for the KPI to apply to a scope and window."""
    estimate: Callable[[Sequence[int], Live | None, Definition], Estimate]
    """From a flat vector (shape: SIZE), the waiting contacts and the definition; without `Live` a live KPI has no value."""
    describe: Callable[[Definition], str]
    """The variant in words, as figures carry it in `definition`."""
    needs_basis: Callable[[Definition], bool]
    """Whether it depends on measures that were counted under the definition's `basis`, and cannot be had under another."""
    counted_under: Family = Family.INTERACTIONS
    """Whose basis that is."""
    matures: bool = False
    """It is known some time after what it is of: without a value it is `insufficient`, since one will come."""
    traps: str = ""
    leading: bool = False
    """It moves before what the customer feels or the contract counts."""
    live: bool = False
    """It is made of the contacts that wait now: only in windows up to 1 h."""
    narrowest_ms: int = 0
    """Only in windows of this width and more."""
    anonymous: bool = False
    """Who answered must not be found out: the estimate has no value below `ANONYMOUS_MIN` answers, and a record then says nothing else."""
    quantile: tuple[Durations, int] | None = None
    """Of which durations it is a quantile, and which percentile: `models.kpis.quantiles.percentile` estimates it, from bins."""
    published: bool = True
    """It stands in every record; the others are for rules, explanations and replays."""
    scale: Literal["", "csat", "ces"] = ""
    """On which of the definition's scales its ratings are read, when they are counted."""
    adds_up: bool = False
    """Its values of several stretches add up to that of all of them: a count of what happened."""
    of_period: bool = False
    """It stands in the records of reported periods, and nowhere else: no window of it is rolled, and no rule judges it."""


def unknown(kind: Kind) -> Estimate:
    """An estimate without a value: nothing was observed, or nobody looked."""
    return Estimate(kind, None, 0, 0, 0)


_NO_PROPORTION: Final = unknown(_PROPORTION)
_NO_MEAN: Final = unknown(_MEAN)


def proportion(numerator: int, denominator: int) -> Estimate:
    """A share of observations: n is the denominator; no value where it is 0."""
    if denominator == 0:
        return _NO_PROPORTION
    return _new(Estimate, (_PROPORTION, numerator / denominator, numerator, denominator, denominator, None))


def mean(sum_ms: int, squares_s2: int, n: int) -> Estimate:
    """A mean duration in seconds of `n` observations, with their sample variance; no value where n is 0.

    The squares were rounded down for each observation, so that the variance is at most n/(n-1) s² too small, and never negative.
    """
    if n == 0:
        return _NO_MEAN
    seconds = sum_ms / 1000
    average = seconds / n
    variance = max(0.0, (squares_s2 - seconds * average) / (n - 1)) if n > 1 else None
    return _new(Estimate, (_MEAN, average, seconds, n, n, variance))


def ratio(counted: Sequence[int], unit: int) -> Estimate:
    """A sum over a sum of which it is a part, with the spread of the observations around it; no value where the latter is 0.

    Args:
        counted: n, the sums of the parts and of the wholes, of squared parts, of their products, and of squared wholes. Integers, so
            that the squared residuals are exact, and so never negative.
        unit: how many of the integers are one of what the figure shows: 1,000 of thousandths.
    """
    n, part, whole, part2, product, whole2 = counted
    if whole == 0:
        return unknown(_RATIO)
    residuals = part2 * whole * whole - 2 * part * whole * product + part * part * whole2
    variance = n * n * residuals / ((n - 1) * whole**4) if n > 1 else None
    return Estimate(_RATIO, part / whole, part / unit, whole / unit, n, variance)


def rate(count: int, exposure: int) -> Estimate:
    """How many of one kind come to one of another; n is the latter, and there is no value, but still a count, where it is 0."""
    return Estimate(_RATE, count / exposure if exposure else None, count, exposure, exposure)


def change(count: int, expected_milli: int) -> Estimate:
    """How much more or less came than was expected (in thousandths); n is what was expected, and there is no value where it is 0."""
    expected = expected_milli / 1000
    value = (1000 * count - expected_milli) / expected_milli if expected_milli else None
    return Estimate(_CHANGE, value, count - expected, expected, expected_milli // 1000)


def gauge(value: float, n: int) -> Estimate:
    """What is so now, exactly; `n` contacts are behind it."""
    return _new(Estimate, (_GAUGE, value, value, 1, n, None))


def words(text: str) -> Callable[[Definition], str]:
    """A description that is the same under every definition."""
    return lambda _: text


def always(_: Definition) -> bool:
    """For `needs_basis`: under every definition."""
    return True


def never(_: Definition) -> bool:
    """For `needs_basis`: under no definition."""
    return False


def judged(value: float, target: float, critical: float | None, *, higher: bool) -> str:
    """The plain value against its target, whatever its interval and whatever the rules; meeting a bound is enough."""
    if higher:
        if critical is not None and value < critical:
            return _CRITICAL
        return _WARNING if value < target else _OK
    if critical is not None and value > critical:
        return _CRITICAL
    return _WARNING if value > target else _OK
