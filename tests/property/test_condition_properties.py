"""What holds for conditions under any sequence of figures, gaps and reloads."""

from collections.abc import Sequence
from itertools import pairwise

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import Change, Condition, Context, Phase, alert_event, alert_state, evaluate, retire
from alerts.condition import RESOLVED_KEPT_MS
from alerts.reducer import at_rest
from models.figures import Estimate, Kind
from models.records import AlertEvent, AlertState
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.statistics import Z_PAGE, Z_WARN, wilson
from models.windows import GRID_MS
from tests.conditions import RULE, START_MS, drive, drive_when_due, fresh, gauge, kinds, ratio, revised, sample

ENDS = {"resolved", "retired"}
CONTEXT = Context("Delta Assist", START_MS, START_MS + 7, 3, late=False, trace={"cx.interactions": 42})

spans_ms = st.sampled_from([0, 5_000, 10_000, 15_000, 30_000, 60_000])


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Sound ladders, as the linter lets through, in either direction."""
    below = draw(st.booleans())
    thresholds = sorted(draw(st.lists(st.sampled_from([0.2, 0.3, 0.5, 0.65, 0.7, 0.8]), min_size=2, max_size=2)), reverse=below)
    slack = 0.05 if below else -0.05
    levels = [
        Level(severity, enter, enter + draw(st.sampled_from([0, slack])), draw(spans_ms))
        for severity, enter in zip(Severity, thresholds, strict=True)
    ]
    if (levels[0].exit < levels[1].exit) if below else (levels[0].exit > levels[1].exit):
        levels = levels[:1]
    return revised(
        direction=Direction.BELOW if below else Direction.ABOVE,
        levels=tuple(draw(st.sampled_from([levels, levels[:1], levels[-1:]]))),
        recover_for_ms=draw(spans_ms),
        on_missing=draw(st.sampled_from(OnMissing)),
    )


estimates = st.one_of(
    st.builds(
        ratio, st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.65, 0.7, 0.72, 0.8, 0.83, 0.9, 1.0]), st.sampled_from([0, 5, 19, 20, 60, 400])
    ),
    st.builds(gauge, st.sampled_from([0.0, 0.3, 0.75, 1.0])),
    st.none(),
)


@given(rules(), st.lists(estimates, min_size=1, max_size=12))
def test_what_is_said_to_be_at_rest_stays_as_it_is(rule: Rule, history: list[Estimate | None]) -> None:
    condition = fresh(rule)
    for at, estimate in enumerate(history):
        at_ms = START_MS + at * GRID_MS
        after, changes = evaluate(rule, condition, sample(estimate, at_ms), at_ms)
        if estimate is not None and at_rest(rule, condition, estimate):
            assert after is condition
            assert not changes
        condition = after


@st.composite
def histories(draw: st.DrawFn, least: int = 1) -> list[Estimate | None]:
    """Figures that stay for a while, one a grid point."""
    runs = draw(st.lists(st.tuples(estimates, st.integers(1, 9)), min_size=least, max_size=12))
    return [estimate for estimate, times in runs for _ in range(times)]


def breached(rule: Rule, level: Level, estimate: Estimate | None) -> bool | None:
    """An oracle of the gate: None in a gap."""
    if estimate is None or estimate.value is None:
        at_zero = level.enter > 0 if rule.direction is Direction.BELOW else level.enter < 0
        return {OnMissing.ZERO: at_zero, OnMissing.BREACHING: True, OnMissing.OK: False}.get(rule.on_missing)
    if estimate.kind is Kind.PROPORTION and estimate.n < rule.min_samples:
        return None
    low = high = estimate.value
    if estimate.kind is Kind.PROPORTION:
        low, high = wilson(estimate.numerator, estimate.n, Z_WARN if level.severity is Severity.WARNING else Z_PAGE)
    return high < level.enter if rule.direction is Direction.BELOW else low > level.enter


def held_ms(rule: Rule, level: Level, history: Sequence[Estimate | None]) -> int:
    """For how long the last point's breach has been seen: steps that both ends showed, since the last point that denied it."""
    readings = [breached(rule, level, estimate) for estimate in history]
    steps = 0
    for newer, older in pairwise(reversed(readings)):
        if older is False:
            break
        steps += bool(newer) and bool(older)
    return steps * GRID_MS if readings[-1] else -1


@given(rules(), histories())
def test_skipping_to_the_next_due_time_equals_judging_every_grid_point(rule: Rule, history: list[Estimate | None]) -> None:
    assert drive(rule, history) == drive_when_due(rule, history)


@given(st.lists(st.tuples(rules(), histories()), min_size=1, max_size=3))
def test_skipping_holds_over_reloads_too(parts: list[tuple[Rule, list[Estimate | None]]]) -> None:
    by_point = [rule for rule, history in parts for _ in history]
    figures = [estimate for _, history in parts for estimate in history]
    assert drive(by_point, figures) == drive_when_due(by_point, figures)


@given(st.lists(st.tuples(rules(), histories()), min_size=1, max_size=3))
def test_at_most_one_episode_is_open_and_every_one_has_ids_of_its_own(parts: list[tuple[Rule, list[Estimate | None]]]) -> None:
    by_point = [rule for rule, history in parts for _ in history]
    _, changes = drive(by_point, [estimate for _, history in parts for estimate in history])
    is_open = False
    for change in changes:
        assert change.before is not change.after.phase or change.kind in {"escalated", "eased"}
        if change.kind == "fired":
            assert not is_open
            is_open = True
        elif change.kind in ENDS and change.before is not Phase.PENDING:
            assert is_open
            is_open = False
        else:
            assert is_open == (change.after.open or change.kind in ENDS), change
    fired = [change.after.episode for change in changes if change.kind == "fired"]
    assert len(set(fired)) == len(fired)
    events = [alert_event(RULE, change, CONTEXT)["id"] for change in changes]
    assert len(set(events)) == len(events)


@given(rules(), histories())
def test_nothing_fires_without_a_gated_breach_held_for_its_time(rule: Rule, history: list[Estimate | None]) -> None:
    _, changes = drive(rule, history)
    for change in changes:
        if change.kind in {"fired", "escalated"}:
            level = next(level for level in rule.levels if level.severity is change.after.severity)
            seen = history[: (change.at_ms - START_MS) // GRID_MS + 1]
            assert held_ms(rule, level, seen) >= level.for_ms, change.reason


@given(rules(), st.sampled_from([OnMissing.HOLD, OnMissing.ZERO, OnMissing.BREACHING, OnMissing.OK]), histories())
def test_a_gated_breach_held_for_its_time_always_fires(rule: Rule, on_missing: OnMissing, history: list[Estimate | None]) -> None:
    rule = revised(rule, on_missing=on_missing)
    conditions, _ = drive(rule, history)
    for point, condition in enumerate(conditions):
        for index, level in enumerate(rule.levels):
            if held_ms(rule, level, history[: point + 1]) >= level.for_ms:
                assert condition.open
                assert condition.severity in [each.severity for each in rule.levels[index:]]


@given(rules(), histories())
def test_what_fired_is_resolved_once_when_figures_stay_well_inside(rule: Rule, history: list[Estimate | None]) -> None:
    good = ratio(1.0 if rule.direction is Direction.BELOW else 0.0, 400)
    calm: list[Estimate | None] = [good] * ((rule.recover_for_ms + RESOLVED_KEPT_MS) // GRID_MS + 4)
    conditions, changes = drive(rule, history + calm)
    assert kinds(changes).count("fired") == kinds(changes).count("resolved")
    assert conditions[-1] == Condition(rule.id, "delta", "all", rule.revision, quality=conditions[-1].quality)


@given(rules(), histories(), st.integers(1, 60))
def test_missing_data_never_fires_and_only_ok_resolves(rule: Rule, history: list[Estimate | None], points: int) -> None:
    rule = revised(rule, on_missing=rule.on_missing if rule.on_missing not in {OnMissing.ZERO, OnMissing.BREACHING} else OnMissing.HOLD)
    before, _ = drive(rule, history)
    after, changes = drive(rule, history + [None] * points)
    late = [change for change in changes if change.at_ms >= START_MS + len(history) * GRID_MS]
    assert not {"fired", "escalated", "pending", "refired"} & set(kinds(late))
    if rule.on_missing is not OnMissing.OK:
        assert set(kinds(late)) <= {"cleared"}
        assert after[-1].open == before[-1].open


@given(rules(), histories())
def test_a_condition_goes_on_from_its_row_at_any_point(rule: Rule, history: list[Estimate | None]) -> None:
    conditions, expected = drive(rule, history)
    condition, changes = fresh(rule), list[Change]()
    for index, estimate in enumerate(history):
        condition = Condition.from_row(orjson.loads(orjson.dumps(condition.to_row())))
        at_ms = START_MS + index * GRID_MS
        condition, new = evaluate(rule, condition, sample(estimate, at_ms), at_ms)
        changes += new
        assert conditions[index] == condition
    assert expected == changes


@given(rules(), histories())
def test_retiring_ends_at_any_point_what_is_open(rule: Rule, history: list[Estimate | None]) -> None:
    conditions, _ = drive(rule, history)
    at_ms = START_MS + len(history) * GRID_MS
    for condition in conditions:
        retired, changes = retire(condition, at_ms)
        assert not retired.open
        assert kinds(changes) == (["retired"] if condition.open or condition.phase is Phase.PENDING else [])
        assert retire(retired, at_ms) == (retired, ())


@settings(max_examples=50)
@given(rules(), histories(least=4))
def test_every_change_makes_the_records_that_the_models_describe(rule: Rule, history: list[Estimate | None]) -> None:
    conditions, changes = drive(rule, history)
    for change in changes:
        for known in (rule, None) if change.after.ended_ms else (rule,):
            event = AlertEvent.model_validate_json(orjson.dumps(alert_event(known, change, CONTEXT)))
            assert 20 < len(event.explanation) <= 200
    for condition in conditions:
        if condition.phase is not Phase.OK:
            AlertState.model_validate_json(orjson.dumps(alert_state(rule, condition, CONTEXT, START_MS)))
