"""The evidence of a change: what the condition saw at the grid point that decided."""

from math import inf

from alerts.gate import Reading, Sample, bounds
from models.records import Evidence
from models.rules import Level, Rule

__all__ = ["gather"]


def gather(rule: Rule, level: Level, sample: Sample, reading: Reading) -> Evidence:
    """The figure as it was judged against `level`; its interval is the one that the level is gated by, not the 95 % of the KPI record."""
    estimate = reading.estimate
    limits = None if estimate is None else bounds(estimate, level.severity)
    low, high = limits or (None, None)
    return Evidence.model_validate(
        {
            "kpi": rule.kpi,
            "definition": sample.definition,
            "window": rule.window,
            "value": estimate and estimate.value,
            "unit": sample.unit,
            "numerator": estimate.numerator if estimate else 0,
            "denominator": estimate.denominator if estimate else 0,
            "n": estimate.n if estimate else 0,
            "ci_low": low,
            "ci_high": None if high == inf else high,
            "enter": level.enter,
            "exit": level.exit,
            "for_seconds": level.for_ms // 1000,
            "min_samples": rule.min_samples,
            "quality": reading.quality.value,
            "from": sample.from_ms,
            "to": sample.to_ms,
        }
    )
