"""From a value and how many observations are behind it to the estimate that rules are judged on."""

from math import inf

from models.custom import Customs
from models.definitions import DEFAULT
from models.figures import Estimate, Kind
from models.kpis import Kpi
from models.measures import SIZE
from models.policy_values import RANGES

__all__ = ["SPREAD", "estimate_of", "kind_of", "out_of_range"]

SPREAD = frozenset({Kind.MEAN, Kind.POINTS, Kind.RATIO})
"""Kinds whose interval follows from how far single observations spread."""


def kind_of(kpi: Kpi, customs: Customs) -> Kind:
    """What a KPI's values are, statistically."""
    if kpi.quantile is not None:
        return Kind.QUANTILE
    return kpi.estimate([0] * (SIZE + customs.width), None, DEFAULT).kind


def estimate_of(kind: Kind, value: float | None, n: int, sd: float | None) -> Estimate:
    """The estimate of `value` from `n` observations of the standard deviation `sd`, which `SPREAD` kinds need."""
    if value is None or (n == 0 and kind is not Kind.GAUGE):
        return Estimate(kind, None, 0, 0, 0)
    if kind is Kind.GAUGE:
        return Estimate(kind, value, value, 1, n)
    return Estimate(kind, value, value * n, n, n, sd * sd if kind in SPREAD and sd is not None else None)


def out_of_range(kpi: Kpi, value: float) -> str | None:
    """What values a KPI has, where `value` is none of them."""
    low, high = RANGES[kpi.unit]
    if low <= value <= high:
        return None
    return f"{value:g} is no value of {kpi.id}, which is {f'{low:g} or more' if high == inf else f'from {low:g} to {high:g}'} ({kpi.unit})"
