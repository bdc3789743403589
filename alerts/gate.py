"""The gate: on which side of each level a figure stands, and whether anything can be said at all.

A level is entered by the one-sided bound: "below" when even the upper bound is, "above" when even the lower bound is, at 95 % for a
warning and 99 % for a critical. So few contacts never page by chance. It is left by the plain value, since nobody is woken by that.
"""

from enum import Enum, StrEnum
from math import inf
from typing import Any, Final, NamedTuple

from models.figures import Estimate, Kind
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.statistics import Z_PAGE, Z_WARN, interval

__all__ = ["Gate", "Quality", "Reading", "Sample", "Side", "bounds", "figure", "judge"]

_Z: Final = {Severity.WARNING: Z_WARN, Severity.CRITICAL: Z_PAGE}

_ZERO: Final = Estimate(Kind.GAUGE, 0.0, 0, 0, 0)
"""What `on_missing: zero` reads in an empty window: exact, since nothing happened is not an estimate."""


class Gate(NamedTuple):
    """One of the gates between a figure and an alert, as a person asks for them: why it fired, or why it did not."""

    name: str
    severity: Severity | None
    """Of the level that it belongs to; None where it stands before all of them."""
    passed: bool | None
    """None where it was not asked, since one before it did not let through, or nobody knows any more."""
    said: str


class Quality(StrEnum):
    """What the last grid point was worth."""

    GOOD = "good"
    INSUFFICIENT = "insufficient"
    """Too few samples, or none of known spread: the state stays and no time accrues."""
    MISSING = "missing"
    """No figure; the rule's `on_missing` said what to make of it."""
    NO_BASELINE = "no_baseline"
    """A figure, and nothing to compare it with yet: fewer than three weeks, or weeks that give no scale. As insufficient."""


class Side(Enum):
    """Where a figure stands with respect to one level."""

    BREACHED = "breached"
    """Past `enter`, its bound too."""
    BETWEEN = "between"
    """Neither: nothing is entered and nothing is left."""
    LEFT = "left"
    """The plain value is past `exit`."""
    NOT_BREACHED = "not_breached"
    """Of several figures: surely not breached, but whether it is left cannot be told."""
    NOT_LEFT = "not_left"
    """Of several figures: surely not left, but whether it is breached cannot be told."""


class Sample(NamedTuple):
    """What a rule is judged on at one grid point."""

    estimate: Estimate | None
    """None, like a value of None, when nothing is there."""
    definition: str
    """The formula's variant in words."""
    unit: str
    from_ms: int
    """Inclusive."""
    to_ms: int
    """Exclusive."""
    window: str = ""
    """The name of the one that was chosen, where the rule leaves that open."""
    higher: bool = True
    """Whether more of it is better, where it is held against what it was."""
    parts: "tuple[Sample, ...]" = ()
    """Of a rule that looks at several figures each of them; the sample itself is then that of which alerts are told by."""


class Reading(NamedTuple):
    """What the gate makes of a sample."""

    quality: Quality
    estimate: Estimate | None
    """As judged: 0 under `on_missing: zero`."""
    sides: tuple[Side, ...] | None
    """A level each, mildest first; None in a gap, where nothing can be said."""
    total: float = 0.0
    """What has added up, of a rule that adds up."""


def bounds(estimate: Estimate, severity: Severity) -> tuple[float, float] | None:
    """The one-sided bounds that a level of this severity is gated by, as (low, high); None where they are unknown."""
    return interval(estimate, _Z[severity])


def figure(kpi: str, sample: Sample, severity: Severity) -> dict[str, Any]:
    """The evidence of one of several figures."""
    estimate = sample.estimate
    low, high = (estimate and bounds(estimate, severity)) or (None, None)
    return {
        "kpi": kpi,
        "definition": sample.definition,
        "window": sample.window,
        "value": estimate and estimate.value,
        "unit": sample.unit,
        "numerator": estimate.numerator if estimate else 0,
        "denominator": estimate.denominator if estimate else 0,
        "n": estimate.n if estimate else 0,
        "ci_low": low,
        "ci_high": None if high == inf else high,
        "from": sample.from_ms,
        "to": sample.to_ms,
    }


def judge(rule: Rule, sample: Sample) -> Reading:
    """Say where the sample stands with respect to each level of the rule."""
    estimate = sample.estimate
    if estimate is None or estimate.value is None:
        if estimate is not None and estimate.kind is Kind.COMPARED:
            return Reading(Quality.NO_BASELINE, estimate, None)
        if rule.on_missing is not OnMissing.ZERO:
            return _missing(rule)
        estimate = _ZERO
    # A gauge is a count of what is there now, not a sample of anything.
    if estimate.kind is not Kind.GAUGE and estimate.n < rule.min_samples:
        return Reading(Quality.INSUFFICIENT, estimate, None)
    sides = []
    for level in rule.levels:
        side = _side(rule.direction, level, estimate)
        if side is None:
            return Reading(Quality.INSUFFICIENT, estimate, None)
        sides.append(side)
    return Reading(Quality.GOOD, estimate, tuple(sides))


def _missing(rule: Rule) -> Reading:
    if rule.on_missing is OnMissing.BREACHING:
        return Reading(Quality.MISSING, None, (Side.BREACHED,) * len(rule.levels))
    if rule.on_missing is OnMissing.OK:
        return Reading(Quality.MISSING, None, (Side.LEFT,) * len(rule.levels))
    return Reading(Quality.MISSING, None, None)


def _side(direction: Direction, level: Level, estimate: Estimate) -> Side | None:
    value = estimate.value
    assert value is not None, "a missing value is not judged"
    enter, left = level.enter, level.exit
    if level.above is not None:
        # It is well inside of the side that it is farther from.
        direction = level.nearer(value)
        enter, left = level.edge(direction)
    below = direction is Direction.BELOW
    # The bounds enclose the value, so they are needed only once the value itself is past the threshold.
    if value < enter if below else value > enter:
        limits = bounds(estimate, level.severity)
        if limits is None:
            return None
        if limits[1] < enter if below else limits[0] > enter:
            return Side.BREACHED
        return Side.BETWEEN
    return Side.LEFT if (value >= left if below else value <= left) else Side.BETWEEN
