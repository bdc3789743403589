"""Composite rules: several comparisons as one, where what cannot be told of a part decides only where logic says so.

A comparison is breached, left or between, or nothing can be said of it: then it may be any of these, and the whole is told from
the least to the most that it may be. So a part that is surely left ends "all" whatever the others are.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import ge, gt, le, lt
from typing import Any, Final, NamedTuple

from alerts.gate import Quality, Reading, Sample, Side, bounds, figure
from models.figures import Kind
from models.forms import Comparison, Group, comparisons
from models.rules import Rule

__all__ = ["Edges", "edges", "gathered", "judge_composite", "together", "words"]

_LEFT, _BETWEEN, _BREACHED = range(3)
_SIDES: Final = {
    (_LEFT, _LEFT): Side.LEFT,
    (_BETWEEN, _BETWEEN): Side.BETWEEN,
    (_BREACHED, _BREACHED): Side.BREACHED,
    (_LEFT, _BETWEEN): Side.NOT_BREACHED,
    (_BETWEEN, _BREACHED): Side.NOT_LEFT,
}
_STATES: Final = ("left", "between", "breached")


class _Range(NamedTuple):
    """The least and the most that something may be: equal where it is known."""

    least: int
    most: int


_ANYTHING: Final = _Range(_LEFT, _BREACHED)
_RANGES: Final = {"unknown": _ANYTHING} | {state: _Range(at, at) for at, state in enumerate(_STATES)}


class Edges(NamedTuple):
    """By what one comparison is entered and left."""

    lower: bool
    """Whether low figures enter it."""
    enter: float
    exit: float
    past: Callable[[float, float], bool]
    """Whether a figure is past one of them."""


def edges(*, below: bool, enter: float, leave: float, negated: bool) -> Edges:
    """Of a comparison as a policy says it."""
    # What is not to be below must be above what ends being below: the thresholds change places, and are met by what equals them.
    lower = below is not negated
    past = (le if negated else lt) if lower else (ge if negated else gt)
    return Edges(lower, leave, enter, past) if negated else Edges(lower, enter, leave, past)


def judge_composite(rule: Rule, form: Comparison | Group, sample: Sample) -> Reading:
    """Say where all comparisons together stand; the sample has a part for each of them, in their order."""
    parts = [_compared(rule, each, part) for each, part in zip(comparisons(form), sample.parts, strict=True)]
    whole = _combined(form, iter([each for _, each in parts]))
    side = _SIDES.get(whole)
    unknown = {quality for quality, _ in parts} - {Quality.GOOD}
    quality = Quality.GOOD
    if whole.least != whole.most:
        quality = Quality.INSUFFICIENT if Quality.INSUFFICIENT in unknown else Quality.MISSING
    return Reading(quality, sample.estimate, None if side is None else (side,))


def gathered(rule: Rule, form: Comparison | Group, sample: Sample) -> list[dict[str, Any]]:
    """The `models.records.EvidencePart` of every comparison."""
    return [_evidence(rule, each, part) for each, part in zip(comparisons(form), sample.parts, strict=True)]


def together(form: Comparison | Group, states: Iterable[str]) -> Side | None:
    """Where all stand together whose evidence says these states; None where that cannot be told."""
    return _SIDES.get(_combined(form, iter([_RANGES[each] for each in states])))


def words(form: Comparison | Group) -> str:
    """As a policy says it: `asa above 60 and not in_queue below 20`."""
    if isinstance(form, Comparison):
        return f"{'not ' * form.negated}{form.kpi} {'below' if form.below else 'above'} {form.enter:g}"
    inner = (f"({words(each)})" if isinstance(each, Group) else words(each) for each in form.parts)
    return (" and " if form.every else " or ").join(inner)


def _combined(form: Comparison | Group, parts: Iterator[_Range]) -> _Range:
    if isinstance(form, Comparison):
        return next(parts)
    least, most = zip(*(_combined(each, parts) for each in form.parts), strict=True)
    return _Range(min(least), min(most)) if form.every else _Range(max(least), max(most))


def _compared(rule: Rule, comparison: Comparison, sample: Sample) -> tuple[Quality, _Range]:
    estimate = sample.estimate
    if estimate is None or estimate.value is None:
        return Quality.MISSING, _ANYTHING
    if estimate.kind is not Kind.GAUGE and estimate.n < rule.min_samples:
        return Quality.INSUFFICIENT, _ANYTHING
    lower, enter, left, past = edges(below=comparison.below, enter=comparison.enter, leave=comparison.exit, negated=comparison.negated)
    if not past(estimate.value, left):
        return Quality.GOOD, _Range(_LEFT, _LEFT)
    if not past(estimate.value, enter):
        return Quality.GOOD, _Range(_BETWEEN, _BETWEEN)
    limits = bounds(estimate, rule.levels[0].severity)
    if limits is None:
        return Quality.INSUFFICIENT, _ANYTHING
    at = _BREACHED if past(limits[1] if lower else limits[0], enter) else _BETWEEN
    return Quality.GOOD, _Range(at, at)


def _evidence(rule: Rule, comparison: Comparison, sample: Sample) -> dict[str, Any]:
    _, found = _compared(rule, comparison, sample)
    return figure(comparison.kpi, sample, rule.levels[0].severity) | {
        "side": "below" if comparison.below else "above",
        "enter": comparison.enter,
        "exit": comparison.exit,
        "negated": comparison.negated,
        "state": _STATES[found.least] if found.least == found.most else "unknown",
    }
