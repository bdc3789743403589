"""The balance guard: an efficiency got better while a quality got worse, against the equal window before.

Each of the two must have moved beyond chance: its intervals then and now, one-sided at the level of the severity, do not overlap.
That is stricter than a test of the difference, and needs no more than what figures have.
"""

from typing import Any, NamedTuple

from alerts.gate import Quality, Reading, Sample, Side, bounds, figure
from models.figures import Kind
from models.forms import Balance
from models.rules import Rule, Severity

__all__ = ["Pair", "gathered", "judge_balance"]


class Pair(NamedTuple):
    """A figure in the window before and in the one now."""

    before: Sample
    now: Sample


def judge_balance(rule: Rule, sample: Sample) -> Reading:
    """Say whether one was won with the other; the sample's parts are the efficiency and the quality, each then and now."""
    severity, moves = rule.levels[0].severity, []
    for number, pair in enumerate(_pairs(sample)):
        quality = _worth(rule, pair)
        # The efficiency must have become better, and the quality worse.
        moved = None if quality is not Quality.GOOD else _moved(pair, severity, up=pair.now.higher is (number == 0))
        if moved is None:
            return Reading(Quality.MISSING if quality is Quality.MISSING else Quality.INSUFFICIENT, sample.estimate, None)
        moves.append(moved)
    if Side.LEFT in moves:
        return Reading(Quality.GOOD, sample.estimate, (Side.LEFT,))
    return Reading(Quality.GOOD, sample.estimate, (Side.BETWEEN if Side.BETWEEN in moves else Side.BREACHED,))


def gathered(rule: Rule, form: Balance, sample: Sample) -> list[dict[str, Any]]:
    """The `models.records.EvidencePart` of the efficiency and of the quality."""
    severity = rule.levels[0].severity
    found = []
    for number, (kpi, pair) in enumerate(zip((form.efficiency, form.quality), _pairs(sample), strict=True)):
        judged = _worth(rule, pair) is Quality.GOOD
        moved = _moved(pair, severity, up=pair.now.higher is (number == 0)) if judged else None
        before = figure(kpi, pair.before, severity)
        told = {name: before[name] for name in ("value", "numerator", "denominator", "n", "ci_low", "ci_high", "from", "to")}
        state = "unknown" if moved is None else moved.value
        found.append(figure(kpi, pair.now, severity) | {"state": state, "before": told})
    return found


def _pairs(sample: Sample) -> tuple[Pair, Pair]:
    efficiency_before, efficiency, quality_before, quality = sample.parts
    return Pair(efficiency_before, efficiency), Pair(quality_before, quality)


def _worth(rule: Rule, pair: Pair) -> Quality:
    estimates = [each.estimate for each in pair]
    if any(each is None or each.value is None for each in estimates):
        return Quality.MISSING
    few = any(each is not None and each.kind is not Kind.GAUGE and each.n < rule.min_samples for each in estimates)
    return Quality.INSUFFICIENT if few else Quality.GOOD


def _moved(pair: Pair, severity: Severity, *, up: bool) -> Side | None:
    """Whether the figure went up (or down): surely, not at all, or neither; None where its spread is not known."""
    before, now = pair.before.estimate, pair.now.estimate
    assert before is not None, "a missing figure is not judged"
    assert now is not None, "a missing figure is not judged"
    assert before.value is not None, "a missing value is not judged"
    assert now.value is not None, "a missing value is not judged"
    limits = bounds(before, severity), bounds(now, severity)
    if limits[0] is None or limits[1] is None:
        return None
    if not (now.value > before.value if up else now.value < before.value):
        return Side.LEFT
    surely = limits[1][0] > limits[0][1] if up else limits[1][1] < limits[0][0]
    return Side.BREACHED if surely else Side.BETWEEN
