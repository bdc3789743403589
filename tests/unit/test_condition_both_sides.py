"""Rules that look on both sides: outside of a pair of thresholds, told with the side."""

import orjson
import pytest

from alerts import Change, Condition, Context, alert_event, evaluate
from alerts.explanation import explain
from models.figures import Estimate, Kind
from models.records import AlertEvent
from models.rules import Direction, Level, Rule, Severity
from models.windows import GRID_MS, MINUTE_MS
from tests.conditions import START_MS, drive, fresh, gauge, kinds, revised, sample

LADDER = (
    Level(Severity.WARNING, 240, 260, MINUTE_MS, above=(420, 400)),
    Level(Severity.CRITICAL, 180, 200, MINUTE_MS, above=(600, 580)),
)
RULE = revised(kpi="aht", direction=Direction.OUTSIDE, levels=LADDER, recover_for_ms=MINUTE_MS)
CONTEXT = Context("Delta Assist", START_MS, START_MS, 1, late=False, trace={})


def aht(seconds: float, deviation: float = 10, n: int = 100) -> Estimate:
    return Estimate(Kind.MEAN, seconds, seconds * n, n, n, deviation**2)


def driven(*runs: tuple[float, int]) -> tuple[list[Condition], list[Change]]:
    condition, conditions, changes = fresh(RULE), list[Condition](), list[Change]()
    for at, seconds in enumerate(seconds for seconds, times in runs for _ in range(times)):
        at_ms = START_MS + at * GRID_MS
        condition, new = evaluate(RULE, condition, sample(aht(seconds), at_ms)._replace(unit="s"), at_ms)
        conditions.append(condition)
        changes += new
    return conditions, changes


@pytest.mark.parametrize(("seconds", "side"), [(220, "below"), (450, "above")])
def test_either_side_fires_and_says_which(seconds: float, side: str) -> None:
    _, changes = driven((seconds, 7))
    assert kinds(changes) == ["pending", "fired"]
    event = AlertEvent.model_validate_json(orjson.dumps(alert_event(RULE, changes[-1], CONTEXT)))
    enter, left = {"below": (240, 260), "above": (420, 400)}[side]
    assert (event.evidence.side, event.evidence.enter, event.evidence.exit) == (side, enter, left)
    assert f"{side} {enter} for 1m" in event.transition.reason
    assert f"{'under' if side == 'below' else 'over'} {enter} s since 15:10 UTC" in event.explanation


def test_a_figure_inside_is_told_on_the_side_that_it_came_back_from() -> None:
    _, changes = driven((450, 7), (410, 1), (300, 8))
    assert kinds(changes) == ["pending", "fired", "recovering", "resolved"]
    assert [change.reason for change in changes[2:]] == [
        "FIRING => RECOVERING: not above 400 (value 300, n 100)",
        "RECOVERING => RESOLVED: not above 400 for 1m (value 300, n 100)",
    ]
    said = explain(RULE, changes[-1].after, "Delta", START_MS)
    assert "average handle time 300 s in the last 15 min, was over 420 s from 15:10 to 15:12 UTC" in said


def test_swinging_from_one_side_to_the_other_is_one_alert() -> None:
    conditions, changes = driven((450, 4), (220, 10), (500, 5))
    assert kinds(changes) == ["pending", "fired"]
    assert changes[-1].after.evidence is not None
    assert (changes[0].after.evidence and changes[0].after.evidence.side, changes[-1].after.evidence.side) == ("above", "below")
    assert conditions[-1].open


def test_severer_on_either_side_escalates_and_eases_past_its_own_exit() -> None:
    _, changes = driven((450, 7), (150, 7), (190, 10), (210, 8))
    assert kinds(changes) == ["pending", "fired", "escalated", "eased"]
    assert changes[2].reason == "FIRING => FIRING: escalated to critical, below 180 for 1m (upper bound 152, n 100)"


def test_between_enter_and_exit_nothing_is_entered_and_nothing_is_left() -> None:
    assert driven((250, 20))[1] == []
    assert kinds(driven((220, 7), (250, 20))[1]) == ["pending", "fired"]


def test_chance_alone_enters_neither_side() -> None:
    _, changes = drive(RULE, [aht(430, deviation=400), aht(230, deviation=400)] * 10)
    assert changes == []


def test_a_gauge_is_exact_on_both_sides() -> None:
    rule = revised(kpi="agents_staffed", direction=Direction.OUTSIDE, levels=(Level(Severity.WARNING, 5, 6, 0, above=(20, 18)),))
    for value, out in ((4, True), (5, False), (20, False), (21, True)):
        _, changes = evaluate(rule, fresh(rule), sample(gauge(value), START_MS), START_MS)
        assert bool(changes) == out


def test_a_rule_that_begins_to_look_on_both_sides_says_below_until_it_saw_another() -> None:
    one: Rule = revised(RULE, direction=Direction.BELOW, levels=(Level(Severity.WARNING, 240, 260, 0),))
    condition, _ = evaluate(one, fresh(one), sample(aht(200), START_MS)._replace(unit="s"), START_MS)
    assert condition.evidence is not None
    assert condition.evidence.side is None
    assert "under 240 s since" in explain(RULE, condition, "Delta", START_MS)


def test_the_revision_tells_both_sides_and_is_as_it_was_for_one() -> None:
    assert (
        revised(RULE, levels=(Level(Severity.WARNING, 240, 260, 0),)).revision
        != revised(RULE, levels=(Level(Severity.WARNING, 240, 260, 0, above=(420, 400)),)).revision
    )
    assert revised().revision == "d41955d451dd"
