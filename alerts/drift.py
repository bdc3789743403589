"""Slow drift: what quarter hours are past a reference adds up, in deviations of each, until it cannot be chance (`Cusum`).

By chance alone that happens once in some 335 quarter hours, and 8 quarter hours after a shift by one deviation. After an alarm the sum
begins anew: the condition goes on while anything adds up, and has left once nothing does.
"""

from typing import Any, Final

from alerts.gate import Quality, Reading, Sample, Side, figure
from models.forms import Drift
from models.rules import Rule
from models.statistics import Cusum, interval

__all__ = ["gathered", "judge_drift"]

_CHART: Final = Cusum()
_ONE_DEVIATION: Final = 1.0


def judge_drift(rule: Rule, form: Drift, sample: Sample, total: float) -> Reading:
    """Add a quarter of an hour to what has added up so far."""
    estimate = sample.estimate
    if estimate is None or estimate.value is None:
        return Reading(Quality.MISSING, estimate, None, total)
    limits = interval(estimate, _ONE_DEVIATION)
    if estimate.n < rule.min_samples or limits is None or limits[0] == limits[1]:
        return Reading(Quality.INSUFFICIENT, estimate, None, total)
    past = form.reference - estimate.value if form.below else estimate.value - form.reference
    total, alarm = _CHART.step(total, past / ((limits[1] - limits[0]) / 2))
    side = Side.BREACHED if alarm else Side.BETWEEN if total else Side.LEFT
    return Reading(Quality.GOOD, estimate, (side,), total)


def gathered(rule: Rule, form: Drift, sample: Sample, reading: Reading) -> list[dict[str, Any]]:
    """The `models.records.EvidencePart` of the figure."""
    side = reading.sides[0].value if reading.sides else "unknown"
    told = {"side": "below" if form.below else "above", "state": side, "reference": form.reference, "total": reading.total}
    return [figure(form.kpi, sample, rule.levels[0].severity) | told]
