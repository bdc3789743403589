"""Slow drift: quarter hours that show nothing by themselves add up, and begin anew after an alarm."""

import orjson
import pytest

from alerts import Change, Condition, Context, alert_event, evaluate, retire
from models.figures import Estimate, Kind
from models.records import AlertEvent
from models.rule_forms import DriftSpec
from models.windows import HOUR_MS, QUARTER_MS
from tests.conditions import START_MS, fresh, kinds, revised, sample
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, shared_part
from tests.stories import MINUTE

SAID = {"id": "creeping", "type": "drift", "kpi": "aht", "direction": "above", "reference": 360}
RULE = DriftSpec.model_validate(SAID).compiled
CONTEXT = Context("Delta Assist", START_MS, START_MS, 1, late=False, trace={})
BEGINS_MS = START_MS - START_MS % HOUR_MS


def aht(z: float, n: int = 25) -> Estimate:
    """A quarter hour that is `z` of its deviations over the reference."""
    return Estimate(Kind.MEAN, 360 + 20 * z, (360 + 20 * z) * n, n, n, 100.0**2 * n / 25)


def driven(*quarters: Estimate | None) -> tuple[list[Condition], list[Change]]:
    condition, conditions, changes = fresh(RULE), list[Condition](), list[Change]()
    for number, estimate in enumerate(quarters):
        at_ms = BEGINS_MS + number * QUARTER_MS
        condition, new = evaluate(RULE, condition, sample(estimate, at_ms)._replace(window="15m", unit="s"), at_ms)
        condition = Condition.from_row(orjson.loads(orjson.dumps(condition.to_row())))
        conditions.append(condition)
        changes += new
    return conditions, changes


def test_small_shifts_add_up_until_they_cannot_be_chance() -> None:
    conditions, changes = driven(*[aht(1.0)] * 9)
    assert [condition.total for condition in conditions] == pytest.approx([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 0])
    assert kinds(changes) == ["fired"]
    told = AlertEvent.model_validate_json(orjson.dumps(alert_event(RULE, changes[0], CONTEXT)))
    assert told.transition.reason == "OK => FIRING: warning, aht drifts above 360 for 0s (aht 380)"
    assert told.explanation == "Delta Assist: average handle time 380 s (drifting over 360 s) in the last 15 min, since 17:00 UTC"
    (part,) = told.evidence.parts or ()
    assert (part.reference, part.side, part.state, part.value) == (360, "above", "breached", 380)


def test_what_is_usual_and_what_is_on_the_good_side_never_fire() -> None:
    assert driven(*[aht(0.4), aht(-0.4)] * 40)[1] == []
    assert driven(*[aht(-3)] * 40)[1] == []


def test_a_quarter_hour_that_says_nothing_neither_adds_nor_takes_off() -> None:
    conditions, changes = driven(aht(1.5), None, aht(9, n=5), aht(1.5))
    assert [condition.total for condition in conditions] == pytest.approx([1, 1, 1, 2])
    assert [condition.quality.value for condition in conditions] == ["good", "missing", "insufficient", "good"]
    assert changes == []


def test_it_goes_on_while_anything_adds_up_and_resolves_an_hour_after_nothing_does() -> None:
    _, changes = driven(*[aht(3)] * 2, *[aht(1)] * 5, *[aht(0)] * 10)
    assert kinds(changes) == ["fired", "recovering", "resolved", "cleared"]
    assert changes[2].at_ms - changes[1].at_ms == HOUR_MS


def test_nothing_is_left_where_the_rule_is_gone_and_nothing_is_taken_over_by_another() -> None:
    conditions, _ = driven(aht(3))
    assert not conditions[-1].blank
    assert retire(conditions[-1], BEGINS_MS + QUARTER_MS)[0].blank
    other = DriftSpec.model_validate(SAID | {"reference": 340}).compiled
    condition, _ = evaluate(other, conditions[-1], sample(aht(-3), BEGINS_MS + QUARTER_MS), BEGINS_MS + QUARTER_MS)
    assert condition.total == 0


def test_rows_of_conditions_under_which_nothing_adds_up_are_as_they_were() -> None:
    assert len(fresh(revised()).to_row()) == 16


@pytest.mark.parametrize("crash", [False, True])
def test_an_engine_adds_each_quarter_once_whatever_happens(crash: bool) -> None:
    rig = Rig()
    rig.policy(shared_part(DriftSpec.model_validate(SAID)), partner_part(), at_ms=BEGINS_MS)
    for number in range(8 * 60):
        at_ms = BEGINS_MS + number * MINUTE
        # Around 375 s, and by 100 s from one to the next: each quarter hour is half a deviation over the reference.
        for each in range(2):
            rig.send(event("contact.completed", at_ms, f"c{number}-{each}", talk_seconds=325.0 + 100 * each), at_ms=at_ms)
        rig.to(at_ms + SECOND)
        if crash and number % 5 == 0:
            rig.crash()
    (fired,) = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    assert fired["evaluated_at"] % QUARTER_MS == 0
    # 15 s are 1.6 deviations of the mean of 30 contacts that scatter by 51 s: 1.1 a quarter hour, so 4 are passed by the fourth.
    assert fired["evaluated_at"] == BEGINS_MS + 4 * QUARTER_MS
