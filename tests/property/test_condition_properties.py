"""What holds for conditions under any sequence of figures, gaps and reloads."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import Change, Condition, Context, Phase, alert_event, alert_state, evaluate, retire
from alerts.condition import RESOLVED_KEPT_MS
from alerts.reducer import at_rest
from models.figures import Estimate
from models.records import AlertEvent, AlertState
from models.rules import Direction, OnMissing, Rule
from models.windows import GRID_MS
from tests.condition_rules import breached, estimates, held_ms, rules
from tests.conditions import RULE, START_MS, drive, drive_when_due, fresh, kinds, ratio, revised, sample

ENDS = {"resolved", "retired"}
CONTEXT = Context("Delta Assist", START_MS, START_MS + 7, 3, late=False, trace={"cx.interactions": 42})


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
            assert held_ms([breached(rule, level, each) for each in seen]) >= level.for_ms, change.reason


@given(rules(), st.sampled_from([OnMissing.HOLD, OnMissing.ZERO, OnMissing.BREACHING, OnMissing.OK]), histories())
def test_a_gated_breach_held_for_its_time_always_fires(rule: Rule, on_missing: OnMissing, history: list[Estimate | None]) -> None:
    rule = revised(rule, on_missing=on_missing)
    conditions, _ = drive(rule, history)
    for point, condition in enumerate(conditions):
        for index, level in enumerate(rule.levels):
            if held_ms([breached(rule, level, each) for each in history[: point + 1]]) >= level.for_ms:
                assert condition.open
                assert condition.severity in [each.severity for each in rule.levels[index:]]


@given(rules(), histories())
def test_what_fired_is_resolved_once_when_figures_stay_well_inside(rule: Rule, history: list[Estimate | None]) -> None:
    good = ratio({Direction.BELOW: 1.0, Direction.ABOVE: 0.0, Direction.OUTSIDE: 0.5}[rule.direction], 400)
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
