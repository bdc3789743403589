"""A condition's edges that the tables do not show: reloads, retirement, due times, rows."""

from dataclasses import replace

import pytest

from alerts import Condition, Phase, RowFormatError, evaluate, forget, next_due_ms, retire
from alerts.condition import RESOLVED_KEPT_MS, ChangeKind
from alerts.gate import Quality, Side, judge
from alerts.hold import Hold
from models.figures import Estimate, Kind
from models.records import AlertState, Evidence, Transition
from models.rules import Direction, Level, OnMissing, Severity
from models.windows import GRID_MS, MINUTE_MS
from tests.conditions import LADDER, RULE, START_MS, drive, fresh, gauge, kinds, ratio, revised, sample

BAD, WARN, GOOD = ratio(0.5), ratio(0.7), ratio(0.9)


def firing(value: Estimate = BAD) -> Condition:
    conditions, _ = drive(RULE, [value] * 7)
    assert conditions[-1].phase is Phase.FIRING
    return conditions[-1]


def at(point: int) -> int:
    return START_MS + point * GRID_MS


def test_a_changed_threshold_keeps_firing_and_starts_what_accrues_anew() -> None:
    conditions, _ = drive(RULE, [WARN] * 7 + [BAD] * 4)
    assert conditions[-1].holds == (None, Hold(0, at(7)))
    stricter = revised(levels=(LADDER[0], replace(LADDER[1], enter=0.66)))
    assert next_due_ms(stricter, conditions[-1]) == 0

    condition, changes = evaluate(stricter, conditions[-1], sample(BAD, at(11)), at(11))

    assert changes == ()
    assert (condition.phase, condition.severity, condition.episode) == (Phase.FIRING, "warning", conditions[-1].episode)
    assert condition.holds == (None, Hold(0, at(11)))


def test_a_changed_annotation_changes_nothing() -> None:
    told = revised(owner="night shift", runbook=None)
    condition = firing()
    assert evaluate(told, condition, sample(BAD, at(7)), at(7)) == (condition, ())


def test_a_level_that_a_reload_takes_away_eases_to_the_milder_one() -> None:
    condition, changes = evaluate(revised(levels=LADDER[:1]), firing(), sample(BAD, at(7)), at(7))
    assert kinds(changes) == ["eased"]
    assert changes[0].reason == "FIRING => FIRING: eased, the rule has no level critical any more"
    assert (condition.phase, condition.severity, condition.seq) == (Phase.FIRING, "warning", changes[0].after.seq)


def test_a_reload_that_leaves_only_severer_levels_ends_the_alert_rather_than_paging() -> None:
    condition, changes = evaluate(revised(levels=LADDER[1:]), firing(WARN), sample(WARN, at(7)), at(7))
    assert kinds(changes) == ["retired"]
    assert (condition.phase, condition.ended_ms) == (Phase.RESOLVED, at(7))


def test_a_retired_alert_is_resolved_kept_and_then_forgotten() -> None:
    assert next_due_ms(None, firing()) == 0
    retired, changes = retire(firing(), at(7))
    assert [(change.kind, change.before, change.after.phase) for change in changes] == [("retired", "firing", "resolved")]
    assert changes[0].reason == "FIRING => RESOLVED: retired, its rule or partner is gone"
    due_ms = next_due_ms(None, retired)
    assert due_ms == at(7) + RESOLVED_KEPT_MS
    assert forget(retired, due_ms - GRID_MS) == (retired, ())
    blank, changes = forget(retired, due_ms)
    assert kinds(changes) == ["cleared"]
    assert changes[0].after.episode == retired.episode
    assert blank == Condition(RULE.id, "delta", "all", RULE.revision, quality=Quality.GOOD)


def test_retiring_what_is_pending_leaves_nothing_to_resolve() -> None:
    conditions, _ = drive(RULE, [BAD])
    retired, changes = retire(conditions[-1], at(1))
    assert [(change.kind, change.after.phase) for change in changes] == [("retired", "ok")]
    assert retired == Condition(RULE.id, "delta", "all", RULE.revision, quality=Quality.GOOD)


def test_due_times_are_the_next_edges() -> None:
    assert next_due_ms(RULE, fresh()) == 0
    steps = [(GOOD, None), (BAD, at(1) + MINUTE_MS)]
    condition = fresh()
    for point, (estimate, due_ms) in enumerate(steps):
        condition, _ = evaluate(RULE, condition, sample(estimate, at(point)), at(point))
        assert next_due_ms(RULE, condition) == due_ms
    assert next_due_ms(RULE, firing()) is None
    paused, _ = evaluate(RULE, condition, sample(None, at(2)), at(2))
    assert next_due_ms(RULE, paused) is None


def test_a_time_between_grid_points_is_due_at_the_next_one() -> None:
    assert Hold(0, 20_000).due_ms(15_000) == 40_000
    assert Hold(10_000, 20_000).due_ms(15_000) == 30_000
    assert Hold(10_000).due_ms(15_000) is None


def test_judging_the_same_grid_point_twice_changes_nothing() -> None:
    for condition in drive(RULE, [BAD] * 7 + [GOOD] * 4)[0]:
        once, _ = evaluate(RULE, condition, sample(BAD, at(12)), at(12))
        assert evaluate(RULE, once, sample(BAD, at(12)), at(12)) == (once, ())


def test_an_unchanged_condition_is_the_same_object() -> None:
    condition = firing()
    assert evaluate(RULE, condition, sample(BAD, at(7)), at(7))[0] is condition


def test_a_time_off_the_grid_is_refused() -> None:
    with pytest.raises(AssertionError, match="not a grid point"):
        evaluate(RULE, fresh(), sample(BAD, START_MS + 1), START_MS + 1)


def test_a_row_of_another_format_is_refused() -> None:
    row = firing().to_row()
    with pytest.raises(RowFormatError, match=r"format 2, this release reads 1"):
        Condition.from_row([2, *row[1:]])


def test_a_mean_is_entered_by_its_bound_and_left_by_its_value() -> None:
    rule = revised(kpi="asa", direction=Direction.ABOVE, levels=(Level(Severity.WARNING, 60, 45, 0),))

    def side(value: float, n: int = 100) -> tuple[Side, ...] | None:
        return judge(rule, sample(Estimate(Kind.MEAN, value, value * n, n, n, variance=900.0), 0)).sides

    # The half-width is 1.645 x 30 / 10 = 4.9 s.
    assert [side(value) for value in (64.9, 65.0, 45.1, 45.0)] == [(Side.BETWEEN,), (Side.BREACHED,), (Side.BETWEEN,), (Side.LEFT,)]
    assert side(500.0, n=19) is None


def test_a_mean_of_unknown_spread_is_insufficient_where_it_would_breach() -> None:
    rule = revised(kpi="asa", direction=Direction.ABOVE, levels=(Level(Severity.WARNING, 60, 45, 0),), min_samples=1)
    reading = judge(rule, sample(Estimate(Kind.MEAN, 90.0, 90.0, 1, 1), 0))
    assert (reading.quality, reading.sides) == (Quality.INSUFFICIENT, None)


def test_a_gauge_is_exact_and_needs_no_samples() -> None:
    rule = revised(kpi="in_queue", direction=Direction.ABOVE, levels=(Level(Severity.CRITICAL, 10, 8, 0),))
    assert [judge(rule, sample(gauge(value), 0)).sides for value in (11, 10, 8)] == [(Side.BREACHED,), (Side.BETWEEN,), (Side.LEFT,)]


def test_a_value_at_a_threshold_has_not_entered_and_has_left() -> None:
    rule = revised(levels=(Level(Severity.WARNING, 0.8, 0.8, 0),), on_missing=OnMissing.OK)
    assert judge(rule, sample(gauge(0.8), 0)).sides == (Side.LEFT,)
    assert judge(rule, sample(gauge(0.79), 0)).sides == (Side.BREACHED,)


def test_the_words_are_those_of_the_records() -> None:
    assert [kind.value for kind in ChangeKind] == list(Transition.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]
    assert [phase.value for phase in Phase] == list(AlertState.model_fields["state"].annotation.__args__)  # type: ignore[union-attr]
    assert [each.value for each in Quality] == list(Evidence.model_fields["quality"].annotation.__args__)  # type: ignore[union-attr]
