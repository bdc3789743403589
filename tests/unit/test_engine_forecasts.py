"""Forecasts: a closed interval counts what was expected of it and what was offered in it, whatever is told when."""

from itertools import permutations
from typing import Any

import pytest

from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE, QUARTER

FIRST = START_MS - START_MS % QUARTER + QUARTER
"""When the interval begins that the tests are about; it has not when they start."""
SECOND_ENDS = FIRST + 2 * QUARTER


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.to(FIRST - MINUTE)
    return rig


def plan(offered: float, start_ms: int = FIRST, *, minutes: int = 15, at_ms: int = FIRST - MINUTE, **fields: Any) -> dict[str, Any]:
    identity = f"f{start_ms}-{minutes}-{offered}-{at_ms}-{fields}"
    return event(
        "volume.forecast", at_ms, identity, interval_start=start_ms, interval_end=start_ms + minutes * MINUTE, offered=offered, **fields
    )


def tell(rig: Rig, *events: dict[str, Any], at_ms: int | None = None) -> None:
    for each in events:
        topic = TOPICS.workforce if each["type"] == "volume.forecast" else TOPICS.interactions
        rig.send(each, at_ms=max(rig.engine.frontier_ms, at_ms or 0), topic=topic)


def answered(after_ms: int, identity: str, **fields: Any) -> dict[str, Any]:
    return event("contact.answered", FIRST + after_ms, identity, **fields)


def deviation(rig: Rig, at_ms: int, scope: str = "all", window: str = "1h") -> dict[str, Any]:
    rig.to(at_ms)
    found: dict[str, Any] = rig.figures()[f"acme/{scope}/{window}"]["kpis"].get("forecast_deviation", {})
    return found


def test_a_closed_interval_counts_what_was_expected_and_what_was_offered(rig: Rig) -> None:
    tell(rig, plan(40), *(answered(n * 5 * SECOND, f"a{n}") for n in range(30)))
    tell(rig, event("contact.abandoned", FIRST + MINUTE, "b"), event("contact.completed", FIRST + MINUTE, "c"))
    assert deviation(rig, FIRST + QUARTER - SECOND) == {}, "it has not closed"
    found = deviation(rig, FIRST + QUARTER + 6 * SECOND)
    assert (found["value"], found["numerator"], found["denominator"], found["n"]) == (-0.225, -9, 40, 40)
    assert found["ci_low"] < -0.225 < found["ci_high"]
    assert (found["unit"], found["status"]) == ("change", "no_target")


def test_a_contact_that_comes_late_counts_in_the_interval_that_it_lies_in_and_in_none_before(rig: Rig) -> None:
    tell(rig, plan(10))
    assert deviation(rig, FIRST + 2 * QUARTER + MINUTE)["numerator"] == -10
    tell(rig, answered(QUARTER, "behind"))
    assert deviation(rig, FIRST + 2 * QUARTER + 2 * MINUTE)["numerator"] == -10
    tell(rig, answered(QUARTER - SECOND, "within"))
    assert deviation(rig, FIRST + 2 * QUARTER + 3 * MINUTE)["numerator"] == -9


def test_contacts_without_a_forecast_are_no_deviation(rig: Rig) -> None:
    tell(rig, plan(10, queue="billing"), answered(0, "a", queue="billing"), answered(0, "b", queue="sales"))
    tell(rig, answered(QUARTER, "c", queue="billing"))
    assert deviation(rig, SECOND_ENDS)["numerator"] == -9
    assert deviation(rig, SECOND_ENDS, "queue=billing")["numerator"] == -9
    assert deviation(rig, SECOND_ENDS, "queue=sales") == {}


def test_a_forecast_covers_what_it_names_and_everything_else_of_it(rig: Rig) -> None:
    tell(rig, plan(10, queue="billing"), plan(20, channel="chat"), plan(100))
    contacts = [("a", {"queue": "billing", "channel": "voice"}), ("b", {"queue": "billing", "channel": "chat"}), ("c", {})]
    tell(rig, *(answered(0, name, **fields) for name, fields in contacts))
    numbers = {scope: deviation(rig, SECOND_ENDS, scope)["numerator"] for scope in ("queue=billing", "channel=chat", "all")}
    assert numbers == {"queue=billing": 2 - 10, "channel=chat": 1 - 20, "all": 2 + 1 + 3 - 130}


def test_an_interval_of_which_nothing_is_expected_has_no_deviation(rig: Rig) -> None:
    tell(rig, plan(0), answered(0, "a"))
    found = deviation(rig, SECOND_ENDS)
    assert (found["value"], found["n"], found["status"]) == (None, 0, "not_applicable")


def test_nothing_offered_is_all_of_it_missing(rig: Rig) -> None:
    tell(rig, plan(50))
    found = deviation(rig, SECOND_ENDS)
    assert (found["value"], found["n"]) == (-1.0, 50)


def test_a_window_holds_an_interval_as_a_whole_or_not_at_all(rig: Rig) -> None:
    tell(rig, plan(10), answered(QUARTER - SECOND, "late in it"))
    assert deviation(rig, FIRST + QUARTER + 6 * SECOND, window="15m")["denominator"] == 10
    assert deviation(rig, FIRST + QUARTER + 26 * SECOND, window="15m") == {}
    assert deviation(rig, FIRST + QUARTER + 26 * SECOND, window="1h")["denominator"] == 10


ORDERED = (plan(10), plan(30, updated_at=FIRST), plan(20, updated_at=FIRST - 1), answered(MINUTE, "a"), answered(2 * MINUTE, "b"))


@pytest.mark.parametrize("order", list(permutations(range(len(ORDERED))))[::7])
def test_the_newest_forecast_counts_whatever_comes_in_which_order(order: tuple[int, ...]) -> None:
    rig = Rig()
    rig.to(FIRST - MINUTE)
    for number, at in enumerate(order):
        tell(rig, ORDERED[at])
        rig.to(FIRST + (number + 1) * 6 * MINUTE)  # some of it before the interval closed, some after
        rig.crash()
    found = deviation(rig, FIRST + 40 * MINUTE)
    assert (found["numerator"], found["denominator"]) == (2 - 30, 30)
    assert rig.engine.counters["forecasts_outdated"] == sum(order.index(1) < order.index(old) for old in (0, 2)) + (
        order.index(2) < order.index(0) < order.index(1)
    )


def test_a_forecast_of_a_day_that_is_kept_as_a_whole_is_late_and_changes_nothing(rig: Rig) -> None:
    tell(rig, plan(10), answered(0, "a"))
    rig.to(FIRST + 4 * DAY)
    tell(rig, plan(99, at_ms=FIRST + 4 * DAY), answered(MINUTE, "b"))
    rig.to(FIRST + 4 * DAY + MINUTE)
    assert rig.letters(TOPICS.late) == [("past_forecast", 1)]
    days = {body["date"]: body["kpis"].get("forecast_deviation") for body in rig.compacted(TOPICS.rollups_1d).values()}
    (found,) = [each for each in days.values() if each]
    assert (found["numerator"], found["denominator"]) == (1 - 10, 10), "nor does what comes late of its day"
    assert rig.snapshot()["forecasts"] == {}
    assert not [key for key in rig.changelog if key.startswith(b'["forecast"')]


def test_half_hours_and_hours_close_at_their_own_end(rig: Rig) -> None:
    tell(rig, plan(10, minutes=30, queue="billing"), plan(10, minutes=60, queue="sales"))
    tell(rig, *(answered(QUARTER + MINUTE, each, queue=each) for each in ("billing", "sales")))
    assert deviation(rig, FIRST + 31 * MINUTE)["denominator"] == 10
    assert deviation(rig, FIRST + 61 * MINUTE, window="24h")["denominator"] == 20


def test_a_rule_sees_the_interval_at_the_grid_point_at_which_it_closes() -> None:
    rig = Rig()
    levels = [{"severity": "warning", "enter": 0.2, "exit": 0.1, "for": 0}]
    rig.policy(shared_part(rule(kpi="forecast_deviation", window="1h", direction="above", levels=levels)), at_ms=FIRST - HOUR)
    rig.policy(partner_part(), at_ms=FIRST - HOUR)
    rig.to(FIRST - MINUTE)
    tell(rig, plan(50), *(answered(n * SECOND, f"a{n}") for n in range(90)))
    rig.to(FIRST + 20 * MINUTE)
    ((scope, kind, at_ms, _),) = [each for each in rig.alerts() if each[1] == "fired"]
    assert (scope, kind, at_ms) == ("all", "fired", FIRST + QUARTER)
    explained = rig.bodies(TOPICS.alerts)[-1]["explanation"]
    assert "deviation from the forecast 80 % in the last 1 h, over 20 %" in explained
    assert "(90 against 50)" in explained


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"interval_start": FIRST + MINUTE, "interval_end": FIRST + MINUTE + QUARTER}, "interval_start"),
        ({"interval_end": FIRST + 20 * MINUTE}, "interval_end"),
        ({"interval_end": FIRST}, "interval_end"),
        ({"interval_end": FIRST - QUARTER}, "interval_end"),
        ({"offered": -1}, "offered"),
    ],
)
def test_an_interval_that_is_none_is_a_letter_that_names_the_field(rig: Rig, fields: dict[str, Any], field: str) -> None:
    tell(rig, plan(10) | fields)
    rig.to(FIRST)
    assert rig.letters() == [("invalid", 0)]
    (letter,) = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    assert dict(letter.headers)["dlq.error"].startswith(field.encode())
    assert rig.snapshot()["forecasts"] == {}


def test_a_forecast_of_far_ahead_is_a_wrong_clock(rig: Rig) -> None:
    tell(rig, plan(10, FIRST + 300 * DAY), plan(10, FIRST + 500 * DAY))
    rig.to(FIRST)
    assert rig.letters() == [("future", 1)]


def test_what_exceeds_the_limit_is_counted_and_a_restatement_is_not_more() -> None:
    rig = Rig(limited(forecasts=2))
    rig.to(FIRST - MINUTE)
    tell(rig, plan(10), plan(10, FIRST + QUARTER), plan(10, FIRST + 2 * QUARTER), plan(12, at_ms=FIRST - MINUTE + 1))
    rig.to(FIRST)
    assert rig.engine.counters["forecasts_dropped"] == 1
    assert deviation(rig, FIRST + 50 * MINUTE)["denominator"] == 22


def test_a_partner_of_forecasts_alone_is_held_until_they_are_of_the_past(rig: Rig) -> None:
    tell(rig, plan(10, FIRST + 2 * DAY))
    rig.to(FIRST + MINUTE)
    rig.crash()
    rig.to(FIRST + DAY)
    assert deviation(rig, FIRST + 2 * DAY + 20 * MINUTE)["numerator"] == -10


def test_a_record_that_is_sent_again_corrects_the_interval_that_it_left_and_the_one_that_it_came_to(rig: Rig) -> None:
    tell(rig, plan(10, queue="billing"), plan(20, FIRST + QUARTER, queue="billing"))
    fields = {"contact_id": "c", "queue": "billing", "outcome": "abandoned"}
    tell(rig, event("contact.record", FIRST, "first", updated_at=FIRST, **fields))
    assert deviation(rig, FIRST + 40 * MINUTE)["numerator"] == 1 - 30
    assert rig.bodies(TOPICS.kpis)[-1]["measures"]["forecast_milli"] == 30_000
    moved = FIRST + QUARTER
    tell(rig, event("contact.record", moved, "second", updated_at=moved, **fields), at_ms=FIRST + 40 * MINUTE)
    found = deviation(rig, FIRST + QUARTER + HOUR + MINUTE)
    assert (found["numerator"], found["denominator"]) == (1 - 20, 20), "only the second interval is in the window"


def test_however_often_a_forecast_is_restated_its_end_is_awaited_once(rig: Rig) -> None:
    for minute in range(60):
        tell(rig, plan(10 + minute, minutes=15 if minute % 2 else 30, at_ms=FIRST - 2 * HOUR + minute * MINUTE))
    rig.to(FIRST - MINUTE)
    assert rig.engine._state.plans.of("acme")._ends == [FIRST + QUARTER, FIRST + 2 * QUARTER]
    tell(rig, answered(0, "a"))
    assert deviation(rig, SECOND_ENDS + MINUTE)["denominator"] == 69
