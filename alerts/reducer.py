"""The reducer: one rule judged at one grid point, pure.

    OK -> PENDING -> FIRING <-> RECOVERING -> RESOLVED -> OK

A ladder of n levels is n edges that accrue side by side: a level that is off accrues towards entering while it is breached, one that
is on accrues towards leaving while the plain value is past its exit. What is on is always the mildest level up to the present
severity, so "critical" implies "warning". With an unchanged sample nothing changes before `next_due_ms`: the engine skips the grid
points up to there, and live, catch-up and backtest give the same changes.
"""

from dataclasses import replace
from itertools import starmap
from typing import Final

from alerts import reason
from alerts.condition import RESOLVED_KEPT_MS, Change, ChangeKind, Condition, Phase
from alerts.evidence import gather
from alerts.forms import judge
from alerts.gate import Quality, Reading, Sample, Side
from alerts.hold import Hold
from models.figures import Estimate, Kind
from models.records import Attribution, Circumstances
from models.rules import Direction, OnMissing, Rule, Severity
from models.windows import GRID_MS

__all__ = ["at_rest", "attributed", "evaluate", "forget", "next_due_ms", "retire", "rises"]

# On Python 3.11 a member is looked up by a function, and most of what is judged is at rest.
_OK: Final = Phase.OK
_GOOD: Final = Quality.GOOD
_INSUFFICIENT: Final = Quality.INSUFFICIENT
_GAUGE: Final = Kind.GAUGE
_BELOW: Final = Direction.BELOW
_LEFT: Final = Side.LEFT
_BREACHED: Final = Side.BREACHED
_NOT_LEFT: Final = Side.NOT_LEFT
_NOT_BREACHED: Final = Side.NOT_BREACHED

_RISES: Final = frozenset({ChangeKind.FIRED, ChangeKind.ESCALATED})

_Holds = tuple[Hold | None, ...]


def evaluate(rule: Rule, condition: Condition, sample: Sample, at_ms: int) -> tuple[Condition, tuple[Change, ...]]:
    """Judge `sample` by `rule` at the grid point `at_ms`; the same condition comes back where nothing changed."""
    assert at_ms % GRID_MS == 0, f"{at_ms} is not a grid point"
    assert condition.rule_id == rule.id, f"a condition of {condition.rule_id} judged by {rule.id}"
    condition, adopted = _adopt(rule, condition, at_ms)
    condition, forgotten = forget(condition, at_ms)
    reading = judge(rule, sample, condition.total)
    judged: tuple[Change, ...] = ()
    if reading.sides is None:
        condition = _gap(rule, condition, reading, at_ms)
    else:
        condition, judged = _judged(rule, condition, sample, reading, at_ms)
    if condition.total != reading.total:
        condition = replace(condition, total=reading.total)
    return condition, adopted + forgotten + judged


def at_rest(rule: Rule, condition: Condition, estimate: Estimate) -> bool:
    """Whether `evaluate` would give the same condition back, told in a tenth of its time.

    Nothing is open, and either nothing is breached or there are still too few samples.
    """
    if condition.phase is not _OK or condition.revision != rule.revision or condition.holds:
        return False
    value = estimate.value
    if value is None:
        return False
    if estimate.n < rule.min_samples and estimate.kind is not _GAUGE:
        return condition.quality is _INSUFFICIENT
    level = rule.levels[0]
    if level.above is not None:
        return condition.quality is _GOOD and level.enter <= value <= level.above[0]
    breached = value < level.enter if rule.direction is _BELOW else value > level.enter
    return condition.quality is _GOOD and not breached


def next_due_ms(rule: Rule | None, condition: Condition) -> int | None:
    """The grid point from which on `evaluate` would change something with an unchanged sample: 0 at once, None never.

    Where the rule is gone, None for it, `retire` is due at once and then `forget`.
    """
    if rule is not None and condition.revision != rule.revision:
        return 0
    if condition.phase is Phase.RESOLVED:
        assert condition.ended_ms is not None, "a resolved condition has ended"
        return condition.ended_ms + RESOLVED_KEPT_MS
    if rule is None:
        return 0
    if not condition.holds:
        return None
    top = _top(rule, condition)
    due = (hold.due_ms(_span_ms(rule, top, level)) for level, hold in enumerate(condition.holds) if hold)
    return min((each for each in due if each is not None), default=None)


def attributed(
    condition: Condition, changes: tuple[Change, ...], found: Attribution | None, circumstances: Circumstances
) -> tuple[Condition, tuple[Change, ...]]:
    """The same, which fired or escalated just now (`rises`), with what that is put down to, if anything, and what it was like."""

    def told(each: Condition) -> Condition:
        return replace(each, attribution=found or each.attribution, circumstances=circumstances)

    return told(condition), tuple(replace(each, after=told(each.after)) if each.kind in _RISES else each for each in changes)


def rises(changes: tuple[Change, ...]) -> bool:
    """Whether one of these made the condition fire, or worse."""
    return any(each.kind in _RISES for each in changes)


def retire(condition: Condition, at_ms: int, why: str = "its rule or partner is gone") -> tuple[Condition, tuple[Change, ...]]:
    """End it because what it was about is gone; from then on only `forget` is due."""
    return _end(condition, at_ms, f"retired, {why}")


def forget(condition: Condition, at_ms: int) -> tuple[Condition, tuple[Change, ...]]:
    """Clear it once it has been resolved for `RESOLVED_KEPT_MS`; `evaluate` does so by itself, a retired one needs this."""
    if condition.phase is not Phase.RESOLVED:
        return condition, ()
    assert condition.ended_ms is not None, "a resolved condition has ended"
    if at_ms < condition.ended_ms + RESOLVED_KEPT_MS:
        return condition, ()
    change = _change(ChangeKind.CLEARED, condition, replace(condition, phase=Phase.OK), f"kept {reason.span(RESOLVED_KEPT_MS)}", at_ms)
    return _blank(condition), (change,)


def _adopt(rule: Rule, condition: Condition, at_ms: int) -> tuple[Condition, tuple[Change, ...]]:
    """Go on under a rule of another meaning: what fires keeps firing; what accrued was held against something else and starts anew."""
    if condition.revision == rule.revision:
        return condition, ()
    condition = replace(condition, revision=rule.revision, holds=(), total=0.0)
    if not condition.open or any(level.severity is condition.severity for level in rule.levels):
        return condition, ()
    assert condition.severity is not None, "what is open has a severity"
    order = list(Severity)
    milder = [level.severity for level in rule.levels if order.index(level.severity) < order.index(condition.severity)]
    if not milder:
        return _end(condition, at_ms, f"retired, the rule has no level {condition.severity} any more")
    after = replace(condition, severity=milder[-1], seq=condition.seq + 1)
    why = reason.line(condition.phase, after.phase, f"eased, the rule has no level {condition.severity} any more")
    return after, (Change(ChangeKind.EASED, condition.phase, after, why, at_ms),)


def _end(condition: Condition, at_ms: int, why: str) -> tuple[Condition, tuple[Change, ...]]:
    if condition.total:
        condition = replace(condition, total=0.0)
    if condition.phase in (Phase.OK, Phase.RESOLVED):
        return condition, ()
    # What never fired has nothing to resolve.
    phase = Phase.RESOLVED if condition.open else Phase.OK
    after = replace(condition, phase=phase, since_ms=at_ms, ended_ms=at_ms, seq=condition.seq + 1, holds=())
    change = Change(ChangeKind.RETIRED, condition.phase, after, reason.line(condition.phase, phase, why), at_ms)
    return (after if condition.open else _blank(condition)), (change,)


def _gap(rule: Rule, condition: Condition, reading: Reading, at_ms: int) -> Condition:
    """Nothing can be said: time stops, or under `no_data` starts anew after the gap; the phase stays."""
    forgets = reading.estimate is None and rule.on_missing is OnMissing.NO_DATA
    holds: _Holds = () if forgets else tuple(hold and hold.paused(at_ms) for hold in condition.holds)
    if holds == condition.holds and reading.quality is condition.quality:
        return condition
    return replace(condition, holds=holds, quality=reading.quality)


def _judged(rule: Rule, condition: Condition, sample: Sample, reading: Reading, at_ms: int) -> tuple[Condition, tuple[Change, ...]]:
    assert reading.sides is not None, "a gap is not judged"
    idle = condition.phase in (Phase.OK, Phase.RESOLVED)
    if idle and Side.BREACHED not in reading.sides:
        return (condition if condition.quality is reading.quality else replace(condition, quality=reading.quality)), ()
    top = _top(rule, condition)
    running = _run(condition.holds, reading.sides, top, at_ms)
    new_top = _climb(rule, running, top, at_ms)
    # A level that changed sides accrues towards its other edge from the next grid point on.
    low, high = sorted((top, new_top))
    holds = tuple(None if low < level <= high else hold for level, hold in enumerate(running))
    phase = _phase(condition, holds, new_top)
    stays = phase is condition.phase and new_top == top
    if stays and holds == condition.holds and reading.quality is condition.quality:
        return condition, ()
    on = _severest(holds) if phase is Phase.PENDING else new_top
    severity = rule.levels[on].severity if on >= 0 else condition.severity
    after = replace(condition, phase=phase, severity=severity, quality=reading.quality, holds=holds)
    return (after, ()) if stays else _changed(rule, condition, after, (top, new_top), (sample, reading), at_ms)


def _changed(
    rule: Rule, before: Condition, after: Condition, tops: tuple[int, int], saw: tuple[Sample, Reading], at_ms: int
) -> tuple[Condition, tuple[Change, ...]]:
    top, new_top = tops
    kind = _kind(after.phase, top, new_top)
    level = rule.levels[_deciding(rule, before, after, kind, tops)]
    seen = gather(rule, level, *saw, before.evidence)
    begins = before.phase in (Phase.OK, Phase.RESOLVED)
    after = replace(
        after,
        since_ms=before.since_ms if after.phase is before.phase else at_ms,
        started_ms=at_ms if begins else before.started_ms,
        fired_ms=at_ms if kind is ChangeKind.FIRED else None if begins else before.fired_ms,
        ended_ms=at_ms if after.phase in (Phase.RESOLVED, Phase.OK) else None,
        evidence=seen,
        attribution=None if begins else before.attribution,
        circumstances=None if begins else before.circumstances,
    )
    change = _change(kind, before, after, reason.of_change(kind, rule, level, seen), at_ms)
    return (_blank(change.after) if after.phase is Phase.OK else change.after), (change,)


def _change(kind: ChangeKind, before: Condition, after: Condition, why: str, at_ms: int) -> Change:
    return Change(kind, before.phase, replace(after, seq=before.seq + 1), reason.line(before.phase, after.phase, why), at_ms)


def _blank(condition: Condition) -> Condition:
    return Condition(condition.rule_id, condition.partner, condition.scope, condition.revision, quality=condition.quality)


def _top(rule: Rule, condition: Condition) -> int:
    """The index of the severest level that is on; -1 for none."""
    if not condition.open:
        return -1
    return next(index for index, level in enumerate(rule.levels) if level.severity is condition.severity)


def _span_ms(rule: Rule, top: int, level: int) -> int:
    return rule.recover_for_ms if level <= top else rule.levels[level].for_ms


def _run(holds: _Holds, sides: tuple[Side, ...], top: int, at_ms: int) -> list[Hold | None]:
    """Each level's hold after this grid point: towards leaving up to `top`, towards entering above it."""

    def held(level: int, side: Side) -> Hold | None:
        before = holds[level] if holds else None
        if side is (_LEFT if level <= top else _BREACHED):
            return (before or Hold()).running(at_ms)
        # It may be seen or not: what was held so far is neither lost nor becomes more.
        return before and before.paused(at_ms) if side is (_NOT_BREACHED if level <= top else _NOT_LEFT) else None

    return list(starmap(held, enumerate(sides)))


def _climb(rule: Rule, holds: list[Hold | None], top: int, at_ms: int) -> int:
    """The severest level that is on now: up at once to whatever has been held for its time, else down past what has been left."""
    through = [hold is not None and hold.age_ms(at_ms) >= _span_ms(rule, top, level) for level, hold in enumerate(holds)]
    entered = [level for level in range(top + 1, len(holds)) if through[level]]
    standing = [level for level in range(top + 1) if not through[level]]
    return max(entered or standing, default=-1)


def _phase(condition: Condition, holds: _Holds, top: int) -> Phase:
    if top >= 0:
        return Phase.FIRING if holds[0] is None else Phase.RECOVERING
    if condition.open:
        return Phase.RESOLVED
    return Phase.PENDING if any(holds) else Phase.OK


def _severest(holds: _Holds) -> int:
    return max(level for level, hold in enumerate(holds) if hold)


def _kind(phase: Phase, top: int, new_top: int) -> ChangeKind:
    if new_top > top:
        return ChangeKind.FIRED if top < 0 else ChangeKind.ESCALATED
    if new_top >= 0 and new_top < top:
        return ChangeKind.EASED
    return {
        Phase.OK: ChangeKind.CLEARED,
        Phase.PENDING: ChangeKind.PENDING,
        Phase.FIRING: ChangeKind.REFIRED,
        Phase.RECOVERING: ChangeKind.RECOVERING,
        Phase.RESOLVED: ChangeKind.RESOLVED,
    }[phase]


def _deciding(rule: Rule, before: Condition, after: Condition, kind: ChangeKind, tops: tuple[int, int]) -> int:
    """The level whose threshold the change is about."""
    top, new_top = tops
    match kind:
        case ChangeKind.FIRED | ChangeKind.ESCALATED:
            return new_top
        case ChangeKind.EASED:
            return top
        case ChangeKind.PENDING:
            return _severest(after.holds)
        case ChangeKind.CLEARED:
            return next((index for index, level in enumerate(rule.levels) if level.severity is before.severity), 0)
        case _:
            return 0
