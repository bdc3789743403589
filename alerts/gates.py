"""The gates between a figure and an alert, each passed or not, as a person asks for them: why it fired, or why it did not."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final

from alerts import forms
from alerts.condition import Condition, Phase
from alerts.gate import Gate, Reading, Sample, Side, bounds, judge
from alerts.gates_parts import gates_of_parts, whole
from alerts.reason import span
from alerts.wording import number
from models.criticality import said_by_rule
from models.figures import Estimate, Kind
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.statistics import WEEKS_MIN, Compared

__all__ = ["Held", "gates", "gates_of_form", "held_by", "held_since", "kept_gates"]

Held = Callable[[int, Side | None], Gate]
"""By the index of a level and the side on which the figure stands, whether that was held for its time."""

_THROUGH: Final = frozenset({"fired", "escalated", "eased", "resolved"})
"""Changes that come of an edge that was held for its time."""
_ORDER: Final = list(Severity)


def gates(rule: Rule, sample: Sample, held: Held) -> list[Gate]:
    """Every gate of a `rule` of one figure.

    Args:
        rule: as it held then.
        sample: what it saw; where it compares with what is usual, the difference.
        held: for how long, see `held_by` and `held_since`.
    """
    assert rule.form is None, "several figures have gates of their own"
    estimate = sample.estimate
    there = estimate is not None and estimate.value is not None
    enough = there and estimate is not None and (estimate.kind is Kind.GAUGE or estimate.n >= rule.min_samples)
    found = [Gate("figure", None, _there(estimate), _figure(rule, sample))]
    found += [_usual(sample)] if isinstance(estimate, Compared) else []
    found.append(Gate("samples", None, enough if there else None, _samples(rule, estimate)))
    reading = judge(rule, sample)
    unit = sample.unit if rule.compare is None else rule.compare.value
    for at, level in enumerate(rule.levels):
        side = None if reading.sides is None else reading.sides[at]
        found += _of_level(rule, level, reading.estimate if enough or not there else None, side, unit=unit)
        found.append(held(at, side))
    return found


def gates_of_form(rule: Rule, sample: Sample, reading: Reading, held: Held, unkept: Collection[str] = ()) -> list[Gate]:
    """Every gate of a `rule` that looks at several figures, or adds one up; of the KPIs `unkept` nobody knows what they were."""
    parts = forms.parts(rule, sample, reading)
    assert parts is not None, "a rule of one figure has no parts"
    assert rule.form is not None, "a rule of one figure has no form"
    side = reading.sides[0] if reading.sides else None
    return [*gates_of_parts(parts, rule.min_samples, unkept), whole(rule.form, parts), held(0, side)]


def held_by(rule: Rule, condition: Condition, at_ms: int) -> Held:
    """As the condition itself says, right after the grid point `at_ms`."""
    return partial(_held, rule, condition, at_ms)


def held_since(rule: Rule, last: Mapping[str, Any] | None, at_ms: int) -> Held:
    """As the last change of its phase says, a `models.records.AlertEvent`; None where it never changed."""
    return partial(_held_since, rule, last, at_ms)


def _there(estimate: Estimate | None) -> bool:
    of = estimate.figure if isinstance(estimate, Compared) else estimate
    return of is not None and of.value is not None


def _figure(rule: Rule, sample: Sample) -> str:
    estimate, name = sample.estimate, sample.window or rule.window
    if isinstance(estimate, Compared):
        estimate = estimate.figure
    if estimate is None or estimate.value is None:
        return f"the window {name} holds none: on_missing is {rule.on_missing}"
    if estimate.kind is Kind.GAUGE:
        return f"{number(estimate.value, sample.unit)} in the window {name}"
    return f"{number(estimate.value, sample.unit)} in the window {name} ({estimate.numerator:g} of {estimate.denominator:g})"


def _usual(sample: Sample) -> Gate:
    estimate = sample.estimate
    assert isinstance(estimate, Compared), "nothing was compared"
    usual = estimate.usual
    if usual is None or usual.n < WEEKS_MIN:
        known = 0 if usual is None else usual.n
        return Gate("usual", None, passed=False, said=f"{known} weeks are known, {WEEKS_MIN} are needed")
    return Gate("usual", None, estimate.value is not None, _known(*usual, sample.unit))


def _known(median: float, deviation: float, weeks: int, unit: str) -> str:
    return f"{number(median, unit)}, give or take {number(deviation, unit)}, of {weeks} weeks"


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


def _held(rule: Rule, condition: Condition, at_ms: int, at: int, side: Side | None) -> Gate:
    level = rule.levels[at]
    on = condition.open and condition.severity is not None and _ORDER.index(condition.severity) >= _ORDER.index(level.severity)
    hold = condition.holds[at] if at < len(condition.holds) else None
    if on:
        left = "" if hold is None else f", past its exit for {span(hold.age_ms(at_ms))} of {span(rule.recover_for_ms)}"
        return Gate("held", level.severity, passed=True, said=f"it is on{left}")
    if hold is None or side is not Side.BREACHED:
        return Gate("held", level.severity, passed=False, said=f"not now, asks for {span(level.for_ms)}")
    return Gate("held", level.severity, hold.age_ms(at_ms) >= level.for_ms, f"for {span(hold.age_ms(at_ms))} of {span(level.for_ms)}")


def _held_since(rule: Rule, last: Mapping[str, Any] | None, at_ms: int, at: int, _: Side | None) -> Gate:
    level, phase = rule.levels[at], Phase.OK if last is None else Phase(last["transition"]["to"])
    if last is None or phase in (Phase.OK, Phase.RESOLVED):
        return Gate("held", level.severity, passed=False, said=f"no time accrued, it was {phase}: asks for {span(level.for_ms)}")
    severity, age_ms = Severity(said_by_rule(last) or ""), at_ms - last["evaluated_at"]
    reached = _ORDER.index(severity) >= _ORDER.index(level.severity)
    if reached and phase is not Phase.PENDING:
        left = f", past its exit for at most {span(age_ms)} of {span(rule.recover_for_ms)}" if phase is Phase.RECOVERING else ""
        return Gate("held", level.severity, passed=True, said=f"it was on{left}")
    if reached and last["rule"]["revision"] == rule.revision:
        return Gate("held", level.severity, passed=False, said=f"for at most {span(age_ms)} of {span(level.for_ms)}")
    return Gate("held", level.severity, None, f"for {span(level.for_ms)}: how long it was is not kept while it is {severity} {phase}")


def kept_gates(rule: Rule | None, event: Mapping[str, Any]) -> list[Gate]:
    """Every gate as the evidence of an `models.records.AlertEvent` tells of it; the levels are those of `rule`, if it still is there.

    The interval is known of the level that decided alone.
    """
    seen, why = event["evidence"], event["transition"]
    own = said_by_rule(event)
    value, severity = seen["value"], Severity(own) if own else None
    waits = event.get("suppressed_by", ())
    page = Gate("suppression", None, not waits, f"its page waits: {', '.join(waits)}" if waits else "nothing held its page back")
    held = Gate("held", severity, why["kind"] in _THROUGH, why["reason"])
    if seen.get("parts"):
        form = None if rule is None or rule.revision != event["rule"]["revision"] else rule.form
        return [*gates_of_parts(seen["parts"], seen["min_samples"]), *([whole(form, seen["parts"])] if form else []), held, page]
    usual = seen.get("baseline")
    counted = "" if value is None or usual else f" ({seen['numerator']:g} of {seen['denominator']:g})"
    figure = "none" if value is None else number(value, seen["unit"]) if usual is None else number(usual["figure"], usual["unit"])
    found = [Gate("figure", None, value is not None, f"{figure} in the window {seen['window']}{counted}")]
    if usual is not None:
        found.append(Gate("usual", None, value is not None, _known(usual["median"], usual["deviation"], usual["weeks"], usual["unit"])))
    enough = seen["quality"] != "insufficient" if value is not None else None
    found.append(Gate("samples", None, enough, f"n {seen['n']}, {seen['min_samples']} are needed"))
    if value is None or seen["enter"] is None or rule is None:
        return [*found, Gate("held", severity, None, why["reason"]), page]
    side = Direction(seen.get("side") or rule.direction)
    enter, leave, below = seen["enter"], seen["exit"], side is Direction.BELOW
    past = f"{number(value, seen['unit'], avoid=enter)}, asks for {side} {number(enter, seen['unit'])}"
    found.append(Gate("enter", severity, value < enter if below else value > enter, past))
    limit = seen["ci_high"] if below else seen["ci_low"]
    which = "upper" if below else "lower"
    sure = None if limit is None else (limit < enter if below else limit > enter)
    found.append(Gate("bound", severity, sure, "it is not known" if limit is None else f"the {which} bound was {limit:.3g}"))
    found.append(Gate("exit", severity, value >= leave if below else value <= leave, f"asks for not {side} {number(leave, seen['unit'])}"))
    return [*found, held, page]
