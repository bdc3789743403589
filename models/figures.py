"""What a KPI is computed to, and what a figure says of it."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Estimate", "Kind", "Live", "Status"]


class Status(StrEnum):
    """Where a figure stands against its target now; apart from any alert's state."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_TARGET = "no_target"
    INSUFFICIENT = "insufficient"
    STALE = "stale"
    NOT_APPLICABLE = "not_applicable"


class Kind(StrEnum):
    """What a value is, statistically: it decides the interval."""

    PROPORTION = "proportion"
    MEAN = "mean"
    RATIO = "ratio"
    """A sum over a sum, within 0 to 1, of observations that are each a part of it: points of points possible."""
    RATE = "rate"
    """Events of one kind to those of another that need not be of the same window: it may pass 1."""
    CHANGE = "change"
    """How much more or less than expected came of a Poisson count: a rate less 1, from -1 on."""
    POINTS = "points"
    QUANTILE = "quantile"
    """The value below which a share of the observations lies: `models.statistics.QuantileEstimate`."""
    GAUGE = "gauge"
    COMPARED = "compared"
    """How far a figure is from what is usual: `models.statistics.Compared`."""


class Estimate(NamedTuple):
    """What a KPI is computed to, before targets: the value and what its interval is made of."""

    kind: Kind
    value: float | None
    """None where the denominator is zero; never 0 in its place."""
    numerator: float
    denominator: float
    n: int
    variance: float | None = None
    """Of a single observation, in the KPI's unit squared; None where unknown."""


class Live(NamedTuple):
    """The contacts that wait, the tickets that are open and the agents who are there, in a scope at one moment."""

    waiting: int | None
    """None where it is not known of those who wait whether they belong there."""
    longest_wait_ms: int | None
    """None where nobody waits."""
    past_threshold: int
    """Waiting longer than their definition's service level threshold."""
    backlog: int | None = None
    """Open tickets; None where nobody ever opened one."""
    backlog_overdue: int = 0
    """Those of them that are past their due date."""
    agents_staffed: int | None = None
    """Agents who are there; None where it is known of nobody what they do."""
    agents_available: int = 0
    """Those of them who could take a contact."""
