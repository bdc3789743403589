"""The gates between a figure and an alert, each passed or not, as a person asks for them: why it fired, or why it did not."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from alerts.condition import Condition
from alerts.explanation import number
from alerts.gate import Sample, Side, bounds, judge
from alerts.reason import span
from models.figures import Estimate, Kind
from models.rules import Direction, Level, OnMissing, Rule, Severity

__all__ = ["Gate", "gates", "kept_gates"]

_THROUGH: Final = frozenset({"fired", "escalated", "eased", "resolved"})
"""Changes that come of an edge that was held for its time."""


class Gate(NamedTuple):
    """One of them."""

    name: str
    severity: Severity | None
    """Of the level that it belongs to; None where it stands before all of them."""
    passed: bool | None
    """None where it was not asked, since one before it did not let through, or nobody knows any more."""
    said: str


def gates(rule: Rule, sample: Sample, *, at_ms: int, condition: Condition | None = None) -> list[Gate]:
    """Every gate of `rule` at the grid point `at_ms`.

    Args:
        rule: as it held then.
        sample: what it saw.
        at_ms: the grid point.
        condition: right after that grid point, for how long each level was held; None where that is not known.
    """
    assert rule.form is None, "several figures are told as they were kept"
    estimate = sample.estimate
    there = estimate is not None and estimate.value is not None
    enough = there and estimate is not None and (estimate.kind is Kind.GAUGE or estimate.n >= rule.min_samples)
    found = [
        Gate("figure", None, there, _figure(rule, sample)),
        Gate("samples", None, enough if there else None, _samples(rule, estimate)),
    ]
    reading = judge(rule, sample)
    for at, level in enumerate(rule.levels):
        side = None if reading.sides is None else reading.sides[at]
        found += _of_level(rule, level, reading.estimate if enough or not there else None, side, unit=sample.unit)
        found.append(_held(rule, at, condition, side, at_ms))
    return found


def _figure(rule: Rule, sample: Sample) -> str:
    estimate, name = sample.estimate, sample.window or rule.window
    if estimate is None or estimate.value is None:
        return f"the window {name} holds none: on_missing is {rule.on_missing}"
    if estimate.kind is Kind.GAUGE:
        return f"{number(estimate.value, sample.unit)} in the window {name}"
    return f"{number(estimate.value, sample.unit)} in the window {name} ({estimate.numerator:g} of {estimate.denominator:g})"


def _samples(rule: Rule, estimate: Estimate | None) -> str:
    if estimate is not None and estimate.kind is Kind.GAUGE:
        return "a count of what is there now needs none"
    return f"n {0 if estimate is None else estimate.n}, {rule.min_samples} are needed"


def _of_level(rule: Rule, level: Level, estimate: Estimate | None, side: Side | None, *, unit: str) -> Iterator[Gate]:
    value = None if estimate is None else estimate.value
    side_of = rule.direction if level.above is None else level.nearer(value) if value is not None else Direction.BELOW
    below, (entered, exited) = side_of is Direction.BELOW, level.edge(side_of)
    enter = f"{side_of} {number(entered, unit)}"
    if estimate is None or value is None:
        missing = rule.on_missing is OnMissing.BREACHING and side is Side.BREACHED
        said = "nothing there counts as entered" if missing else f"asks for {enter}"
        yield Gate("enter", level.severity, True if missing else None, said)
        yield Gate("bound", level.severity, None, "there is no figure to be sure of")
        yield Gate("exit", level.severity, side is Side.LEFT if side else None, f"asks for not {side_of} {number(exited, unit)}")
        return
    past = value < entered if below else value > entered
    yield Gate("enter", level.severity, past, f"{number(value, unit, avoid=entered)}, asks for {enter}")
    limits = bounds(estimate, level.severity)
    which = "upper" if below else "lower"
    if limits is None:
        yield Gate("bound", level.severity, None, "its spread is not known")
    else:
        limit = limits[1] if below else limits[0]
        sure = limit < entered if below else limit > entered
        yield Gate("bound", level.severity, sure, f"even its {which} bound must be {enter}: it is {limit:.3g}")
    left = value >= exited if below else value <= exited
    yield Gate("exit", level.severity, left, f"{number(value, unit, avoid=exited)}, asks for not {side_of} {number(exited, unit)}")


def _held(rule: Rule, at: int, condition: Condition | None, side: Side | None, at_ms: int) -> Gate:
    level = rule.levels[at]
    if condition is None:
        return Gate("held", level.severity, None, f"for {span(level.for_ms)}: how long it was is not kept")
    order = list(Severity)
    on = condition.open and condition.severity is not None and order.index(condition.severity) >= order.index(level.severity)
    hold = condition.holds[at] if at < len(condition.holds) else None
    if on:
        left = "" if hold is None else f", past its exit for {span(hold.age_ms(at_ms))} of {span(rule.recover_for_ms)}"
        return Gate("held", level.severity, passed=True, said=f"it is on{left}")
    if hold is None or side is not Side.BREACHED:
        return Gate("held", level.severity, passed=False, said=f"not now, asks for {span(level.for_ms)}")
    return Gate("held", level.severity, hold.age_ms(at_ms) >= level.for_ms, f"for {span(hold.age_ms(at_ms))} of {span(level.for_ms)}")


def _part(part: Mapping[str, Any]) -> Gate:
    """One of several figures, of the evidence."""
    state, value = part["state"], part["value"]
    figure = "none" if value is None else number(value, part["unit"])
    held = {"breached": True, "unknown": None}.get(state, False)
    return Gate(part["kpi"], None, held, f"{figure} in the window {part['window']} (n {part['n']}): {state}")


def kept_gates(rule: Rule | None, event: Mapping[str, Any]) -> list[Gate]:
    """Every gate as the evidence of an `models.records.AlertEvent` tells of it; the levels are those of `rule`, if it still is there.

    The interval is known of the level that decided alone.
    """
    seen, kind = event["evidence"], event["transition"]["kind"]
    value, n = seen["value"], seen["n"]
    counted = "" if value is None else f" ({seen['numerator']:g} of {seen['denominator']:g})"
    figure = "none" if value is None else f"{number(value, seen['unit'])}{counted}"
    said = f"{figure} in the window {seen['window']}"
    if seen.get("parts"):
        severity = Severity(event["severity"]) if event["severity"] else None
        return [*map(_part, seen["parts"]), Gate("held", severity, kind in _THROUGH, event["transition"]["reason"])]
    enough = seen["quality"] != "insufficient"
    found = [
        Gate("figure", None, value is not None, said),
        Gate("samples", None, enough if value is not None else None, f"n {n}, {seen['min_samples']} are needed"),
    ]
    severity = Severity(event["severity"]) if event["severity"] else None
    waits = event.get("suppressed_by", ())
    page = Gate("suppression", None, not waits, f"its page waits: {', '.join(waits)}" if waits else "nothing held its page back")
    if value is None or seen["enter"] is None or rule is None:
        return [*found, Gate("held", severity, None, event["transition"]["reason"]), page]
    side = Direction(seen.get("side") or rule.direction)
    enter, leave, below = seen["enter"], seen["exit"], side is Direction.BELOW
    past = f"{number(value, seen['unit'], avoid=enter)}, asks for {side} {number(enter, seen['unit'])}"
    found.append(Gate("enter", severity, value < enter if below else value > enter, past))
    limit = seen["ci_high"] if below else seen["ci_low"]
    which = "upper" if below else "lower"
    sure = None if limit is None else (limit < enter if below else limit > enter)
    found.append(Gate("bound", severity, sure, "it is not known" if limit is None else f"the {which} bound was {limit:.3g}"))
    found.append(Gate("exit", severity, value >= leave if below else value <= leave, f"asks for not {side} {number(leave, seen['unit'])}"))
    return [*found, Gate("held", severity, kind in _THROUGH, event["transition"]["reason"]), page]
