"""Rules that hold a figure against the same hours of the weeks before, over weeks of an engine's life."""

from typing import Any

import pytest

from models.kpis import CATALOGUE
from models.policy_spec import RuleSpec
from streams.engine.totals import ALL
from streams.engine.usual import usual
from tests.engines import TOPICS, Rig, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE
from tests.unit.test_engine_profile import partner_of
from tests.weeks import SETTLED, after, contacts, live, office, usual_hour


def compared(**changes: Any) -> RuleSpec:
    levels = [{"severity": "warning", "enter": -0.3, "exit": -0.2, "for": 0}]
    return rule(
        **{"window": "1h", "compare": "baseline", "levels": levels, "min_samples": 20, "scopes": ["partner", "partner/queue"]} | changes
    )


def volume(direction: str, enter: float) -> RuleSpec:
    levels = [{"severity": "critical", "enter": enter, "exit": enter / 2, "for": 0}]
    return compared(id=f"volume_{direction}", kpi="offered", direction=direction, levels=levels)


def judged(rig: Rig) -> list[tuple[str, str]]:
    # Time jumps here, so that every page is late at first.
    told = [(each["rule"]["id"], each["transition"]["kind"]) for each in rig.bodies(TOPICS.alerts) if each["scope"] == "all"]
    return [each for each in told if each[1] != "suppression_ended"]


def of_hours(rig: Rig, kpi: str, start_ms: int, end_ms: int) -> tuple[float, int] | None:
    found = usual(partner_of(rig), CATALOGUE[kpi], ALL, start_ms, end_ms)
    return found and (found.median, found.n)


def test_what_is_usual_is_the_median_of_the_same_hours_and_of_two_weeks_it_is_not_known() -> None:
    rig, at_ms = after(4)
    monday_ms = at_ms + 9 * HOUR
    offered = [len(usual_hour(monday_ms - week * 7 * DAY)) for week in (4, 3, 2, 1)]
    assert of_hours(rig, "offered", monday_ms, monday_ms + HOUR) == (sum(sorted(offered)[1:3]) / 2, 4)
    service_level = of_hours(rig, "service_level", monday_ms + 10 * MINUTE, monday_ms + 25 * MINUTE)
    assert service_level is not None
    assert service_level[0] == pytest.approx(0.9, abs=0.02)
    assert service_level[1] == 4
    assert of_hours(rig, "offered", at_ms + 3 * HOUR, at_ms + 4 * HOUR) == (0, 3), "the first Monday was not watched before 08:00"
    assert of_hours(rig, "offered", at_ms + DAY + 3 * HOUR, at_ms + DAY + 4 * HOUR) == (0, 4)
    rig, at_ms = after(2)
    assert of_hours(rig, "offered", at_ms + 9 * HOUR, at_ms + 10 * HOUR) is None


def test_a_count_of_a_stretch_takes_of_each_hour_what_it_covers() -> None:
    rig, at_ms = after(4)
    whole = of_hours(rig, "offered", at_ms + DAY + 8 * HOUR, at_ms + DAY + 9 * HOUR)
    assert whole is not None
    half = of_hours(rig, "offered", at_ms + DAY + 7 * HOUR + 30 * MINUTE, at_ms + DAY + 8 * HOUR + 30 * MINUTE)
    assert half == (whole[0] / 2, 4)


def test_a_service_level_that_falls_below_what_is_usual_fires_and_tells_what_that_is() -> None:
    rig, at_ms = after(4, shared_part(compared()))
    live(rig, at_ms, 12, lambda hour_ms: contacts(hour_ms, 30, late=20 if hour_ms >= at_ms + 11 * HOUR else 3) if office(hour_ms) else [])
    fired = next(each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired")
    assert fired["evaluated_at"] > at_ms + 11 * HOUR
    seen = fired["evidence"]
    assert (seen["unit"], seen["baseline"]["unit"], seen["baseline"]["weeks"]) == ("change", "ratio", 4)
    assert seen["value"] == pytest.approx(seen["baseline"]["figure"] / seen["baseline"]["median"] - 1)
    assert seen["ci_high"] < -0.3
    assert "under the usual 91 %" in fired["explanation"]
    assert len(fired["explanation"]) <= 200


def test_without_three_weeks_a_rule_says_that_there_is_no_baseline_yet_and_never_fires() -> None:
    rig, at_ms = after(2, shared_part(compared()))
    live(rig, at_ms, 12, lambda hour_ms: contacts(hour_ms, 30, late=30) if office(hour_ms) else [])
    assert judged(rig) == []
    (condition,) = {each.quality for (_, scope), each in partner_of(rig).conditions.items() if scope == ALL}
    assert condition == "no_baseline"


def test_volume_drops_and_surges_are_found_and_the_usual_day_is_neither() -> None:
    rules = shared_part(volume("below", -0.3), volume("above", 0.3))
    rig, at_ms = after(4, rules)
    live(rig, at_ms, 30, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    assert judged(rig) == []
    rig, at_ms = after(4, rules)
    live(rig, at_ms, 12, lambda hour_ms: contacts(hour_ms, 3 if hour_ms == at_ms + 10 * HOUR else 30) if office(hour_ms) else [])
    assert judged(rig) == [("volume_below", "fired"), ("volume_below", "resolved"), ("volume_below", "cleared")]
    rig, at_ms = after(4, rules)
    live(rig, at_ms, 12, lambda hour_ms: contacts(hour_ms, 70 if hour_ms == at_ms + 10 * HOUR else 30) if office(hour_ms) else [])
    assert ("volume_above", "fired") in judged(rig)
    assert not any(name == "volume_below" for name, _ in judged(rig))


def test_a_partner_that_falls_silent_altogether_drops_too() -> None:
    rig, at_ms = after(4, shared_part(volume("below", -0.5)))
    live(rig, at_ms, 3, lambda hour_ms: [])
    rig.to(at_ms + 9 * HOUR + SETTLED)
    (fired,) = (each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired" and each["scope"] == "all")
    assert at_ms + 8 * HOUR < fired["evaluated_at"] <= at_ms + 9 * HOUR


def test_a_figure_of_another_definition_is_not_what_is_usual() -> None:
    rig, at_ms = after(4, shared_part(compared(), definition={"service_level": {"threshold_seconds": 5}}))
    assert of_hours(rig, "service_level", at_ms + 9 * HOUR, at_ms + 10 * HOUR) is None
    assert of_hours(rig, "abandon_rate", at_ms + 9 * HOUR, at_ms + 10 * HOUR) == (0, 4)
