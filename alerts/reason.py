"""The reason of a change, in one line: `PENDING => FIRING: critical, below 0.65 for 1m (upper bound 0.52, n 63)`."""

from alerts import several
from alerts.condition import ChangeKind, Phase
from alerts.evidence import side as sided
from models.records import Evidence
from models.rules import Direction, Level, Rule

__all__ = ["line", "of_change", "span"]


def line(before: Phase, after: Phase, why: str) -> str:
    """The phases and why."""
    return f"{before.upper()} => {after.upper()}: {why}"


def of_change(kind: ChangeKind, rule: Rule, level: Level, seen: Evidence) -> str:
    """Why a judged sample changed the condition; `level` is the one that decided."""
    if rule.form is not None:
        return several.reason(kind, rule, level, seen, (span(level.for_ms), span(rule.recover_for_ms)))
    return _of_ladder(kind, rule, level, seen)


def _of_ladder(kind: ChangeKind, rule: Rule, level: Level, seen: Evidence) -> str:
    side, severity = sided(rule, seen), level.severity
    upper = side is Direction.BELOW
    value = _saw("value", seen.value, seen)
    bound = _saw("upper bound" if upper else "lower bound", seen.ci_high if upper else seen.ci_low, seen)
    entered, exited = level.edge(side)
    enter, left = f"{side} {entered:g}", f"not {side} {exited:g}"
    match kind:
        case ChangeKind.PENDING:
            return f"{severity}, {enter} {bound}"
        case ChangeKind.FIRED:
            return f"{severity}, {enter} for {span(level.for_ms)} {bound}"
        case ChangeKind.ESCALATED:
            return f"escalated to {severity}, {enter} for {span(level.for_ms)} {bound}"
        case ChangeKind.EASED:
            return f"eased from {severity}, {left} for {span(rule.recover_for_ms)} {value}"
        case ChangeKind.RECOVERING:
            return f"{left} {value}"
        case ChangeKind.REFIRED:
            return f"{side} {exited:g} again {value}"
        case ChangeKind.RESOLVED:
            return f"{left} for {span(rule.recover_for_ms)} {value}"
        case ChangeKind.CLEARED:
            return f"no longer surely {enter} {bound}"
        case ChangeKind.RETIRED | ChangeKind.SUPPRESSION_ENDED:
            msg = "no sample decides that"
            raise AssertionError(msg)


def span(ms: int) -> str:
    """A duration as policies write it: `90s`, `3m`, `1h`."""
    seconds = ms // 1000
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _saw(what: str, number: float | None, seen: Evidence) -> str:
    if number is None:
        return "(no data)" if seen.value is None else f"(no {what}, n {seen.n})"
    return f"({what} {number:.3g}, n {seen.n})"
