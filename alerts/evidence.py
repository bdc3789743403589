"""The evidence of a change: what the condition saw at the grid point that decided."""

from typing import Any

from alerts import forms
from alerts.gate import Reading, Sample, figure
from models.figures import Estimate
from models.records import Evidence
from models.rules import Direction, Level, Rule
from models.statistics import Compared

__all__ = ["gather", "side"]


def gather(rule: Rule, level: Level, sample: Sample, reading: Reading, before: Evidence | None) -> Evidence:
    """The figure as it was judged against `level`; its interval is the one that the level is gated by, not the 95 % of the KPI record.

    `before` is the evidence of the change before: a figure that came back inside is told of on the side on which it was out.
    """
    estimate = reading.estimate
    on = _side(rule, level, estimate and estimate.value, before)
    enter, left = level.edge(on)
    ladder: dict[str, Any] = {
        "enter": enter,
        "exit": left,
        "side": None if level.above is None else on.value,
    }
    parts = forms.parts(rule, sample, reading)
    if parts is not None:
        first = parts[0]
        ladder = {"enter": first.get("enter"), "exit": first.get("exit"), "parts": parts}
    return Evidence.model_validate(
        figure(rule.kpi, sample._replace(estimate=estimate, window=sample.window or rule.window), level.severity)
        | ladder
        | _compared(rule, sample, estimate)
        | {"for_seconds": level.for_ms // 1000, "min_samples": rule.min_samples, "quality": reading.quality.value}
    )


def _compared(rule: Rule, sample: Sample, estimate: Estimate | None) -> dict[str, Any]:
    """Of a difference its unit, and what the figure was compared with, in its own unit."""
    if rule.compare is None or not isinstance(estimate, Compared):
        return {}
    known = None
    if estimate.usual is not None:
        median, deviation, weeks = estimate.usual
        known = {"figure": estimate.numerator, "unit": sample.unit, "median": median, "deviation": deviation, "weeks": weeks}
    return {"unit": rule.compare.value, "baseline": known}


def side(rule: Rule, seen: Evidence) -> Direction:
    """On which side the trouble lies that was seen."""
    return Direction(seen.side or Direction.BELOW) if rule.direction is Direction.OUTSIDE else rule.direction


def _side(rule: Rule, level: Level, value: float | None, before: Evidence | None) -> Direction:
    if level.above is None:
        return rule.direction
    if value is None or level.exit <= value <= level.above[1]:
        return Direction((before and before.side) or Direction.BELOW)
    return level.nearer(value)
