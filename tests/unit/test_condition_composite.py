"""Rules over several figures: what unknown parts decide, what is told of them."""

import orjson
import pytest

from alerts import Change, Condition, Context, Phase, Sample, alert_event, evaluate
from alerts.composite import words
from alerts.explanation import explain
from models.figures import Estimate, Kind
from models.forms import Comparison, Group
from models.records import AlertEvent
from models.rule_forms import BalanceSpec, CompositeSpec
from models.rules import Rule
from models.windows import GRID_MS, HOUR_MS, MINUTE_MS
from tests.conditions import START_MS, fresh, gauge, kinds, ratio, revised, sample

CONTEXT = Context("Delta Assist", START_MS, START_MS, 1, late=False, trace={})
GOOD, FEW, BAD = ratio(0.9, 400), ratio(0.5, 5), ratio(0.5, 400)


def rule(operator: str, **fields: object) -> Rule:
    parts = [{"kpi": "csat", "below": 0.7, "exit": 0.75}, {"kpi": "in_queue", "above": 10, "exit": 8}]
    said = {"id": "trouble", "when": {operator: parts}, "window": "15m", "severity": "warning", "for": "30s", "recover_for": "30s"}
    return CompositeSpec.model_validate(said | fields).compiled


def seen(csat: Estimate | None, waiting: float, at_ms: int) -> Sample:
    parts = (sample(csat, at_ms)._replace(window="15m"), sample(gauge(waiting), at_ms)._replace(window="15m", unit="count"))
    return parts[0]._replace(parts=parts)


def driven(of: Rule, *runs: tuple[Estimate | None, float, int]) -> tuple[Condition, list[Change]]:
    condition, changes = fresh(of), list[Change]()
    for at, (csat, waiting) in enumerate((csat, waiting) for csat, waiting, times in runs for _ in range(times)):
        at_ms = START_MS + at * GRID_MS
        condition, new = evaluate(of, condition, seen(csat, waiting, at_ms), at_ms)
        changes += new
    return condition, changes


def test_all_needs_every_part_and_any_needs_one() -> None:
    assert driven(rule("all"), (BAD, 5, 9))[1] == []
    assert kinds(driven(rule("all"), (BAD, 20, 9))[1]) == ["pending", "fired"]
    assert kinds(driven(rule("any"), (BAD, 5, 9))[1]) == ["pending", "fired"]


def test_a_part_that_cannot_be_told_decides_only_where_the_others_do_not() -> None:
    condition, changes = driven(rule("all"), (FEW, 20, 9))
    assert (changes, condition.quality) == ([], "insufficient")
    condition, changes = driven(rule("all"), (FEW, 5, 9))
    assert (changes, condition.quality) == ([], "good")
    assert kinds(driven(rule("any"), (None, 20, 9))[1]) == ["pending", "fired"]


def test_time_stands_still_while_nothing_can_be_told() -> None:
    _, changes = driven(rule("all"), (BAD, 20, 2), (FEW, 20, 30), (BAD, 20, 4))
    assert [(change.kind, (change.at_ms - START_MS) // GRID_MS) for change in changes] == [("pending", 0), ("fired", 34)]


def test_what_is_surely_not_breached_begins_anew_though_the_rest_cannot_be_told() -> None:
    # 9 waiting are neither over 10 nor back under 8: all are surely not breached, whatever the survey says.
    _, changes = driven(rule("all"), (BAD, 20, 3), (FEW, 9, 1), (BAD, 20, 4))
    assert [(change.kind, (change.at_ms - START_MS) // GRID_MS) for change in changes] == [
        ("pending", 0),
        ("cleared", 3),
        ("pending", 4),
        ("fired", 7),
    ]


def test_what_is_surely_not_left_breaks_off_recovery_though_the_rest_cannot_be_told() -> None:
    condition, changes = driven(rule("any"), (BAD, 5, 4), (GOOD, 5, 2), (FEW, 9, 1))
    assert kinds(changes) == ["pending", "fired", "recovering", "refired"]
    assert condition.phase is Phase.FIRING
    condition, changes = driven(rule("all"), (BAD, 20, 4), (GOOD, 20, 2), (FEW, 9, 30))
    assert kinds(changes) == ["pending", "fired", "recovering"]
    assert condition.phase is Phase.RECOVERING


def test_time_stands_still_towards_entering_where_it_may_be_breached_and_towards_leaving_where_it_may_be_left() -> None:
    _, changes = driven(rule("any"), (BAD, 5, 2), (FEW, 9, 30), (BAD, 5, 4))
    assert [(change.kind, (change.at_ms - START_MS) // GRID_MS) for change in changes] == [("pending", 0), ("fired", 34)]
    _, changes = driven(rule("all"), (BAD, 20, 4), (GOOD, 20, 2), (FEW, 9, 30), (GOOD, 20, 4))
    assert [(change.kind, (change.at_ms - START_MS) // GRID_MS) for change in changes][2:] == [("recovering", 4), ("resolved", 38)]


def test_not_is_pushed_down_to_the_comparisons() -> None:
    of = rule(
        "all", when={"not": {"any": [{"kpi": "csat", "above": 0.7}, {"all": [{"kpi": "asa", "below": 9}, {"kpi": "aht", "above": 9}]}]}}
    )
    assert of.form is not None
    assert isinstance(of.form, Comparison | Group)
    assert words(of.form) == "not csat above 0.7 and (not asa below 9 or not aht above 9)"


def test_the_event_names_each_part_with_its_figure() -> None:
    _, changes = driven(rule("all"), (BAD, 20, 4), (BAD, 5, 4))
    told = [AlertEvent.model_validate_json(orjson.dumps(alert_event(rule("all"), change, CONTEXT))) for change in changes]
    assert [each.transition.reason for each in told] == [
        "OK => PENDING: warning, csat below 0.7 and in_queue above 10 (csat 0.5, in_queue 20)",
        "PENDING => FIRING: warning, csat below 0.7 and in_queue above 10 for 30s (csat 0.5, in_queue 20)",
        "FIRING => RECOVERING: not (csat below 0.7 and in_queue above 10) (csat 0.5, in_queue 5)",
        "RECOVERING => RESOLVED: not (csat below 0.7 and in_queue above 10) for 30s (csat 0.5, in_queue 5)",
    ]
    parts = told[1].evidence.parts or ()
    assert [(part.kpi, part.value, part.n, part.enter, part.exit, part.side, part.negated, part.state) for part in parts] == [
        ("csat", 0.5, 400, 0.7, 0.75, "below", False, "breached"),
        ("in_queue", 20, 20, 10, 8, "above", False, "breached"),
    ]
    assert told[1].evidence.kpi == "csat"
    figures = "customer satisfaction 50 % (under 70 %) in the last 15 min and waiting now 20 (over 10)"
    assert told[1].explanation == f"Delta Assist: {figures}, since 15:10 UTC"
    assert told[3].explanation == "Delta Assist: waiting now 5 (over 10), in breach from 15:10 to 15:11 UTC"


def test_a_sentence_over_many_figures_is_whole_in_200_characters() -> None:
    kpis = ["csat", "fcr_reported", "ces", "service_level", "compliance_rate", "schedule_adherence", "turnaround_attainment", "esat"]
    of = rule("any", when={"any": [{"kpi": kpi, "below": 0.7} for kpi in kpis]})
    parts = tuple(sample(BAD, START_MS)._replace(window="15m") for _ in kpis)
    condition, changes = evaluate(of, fresh(of), parts[0]._replace(parts=parts), START_MS)
    told = alert_event(of, changes[0], CONTEXT)["explanation"]
    assert len(told) <= 200
    assert "more in the last 15 min, since 15:10 UTC" in told
    assert Condition.from_row(orjson.loads(orjson.dumps(condition.to_row()))) == condition


def test_what_was_seen_under_another_form_is_told_without_thresholds_of_neither() -> None:
    ladder = revised()
    condition, _ = evaluate(ladder, fresh(ladder), sample(ratio(0.3, 400), START_MS), START_MS)
    told = explain(rule("all"), condition, "Delta", START_MS)
    assert told == "Delta: service level 30 % in the last 15 min, since 15:10 UTC (120 of 400 contacts answered in time)"
    condition, _ = driven(rule("all"), (BAD, 20, 4))
    figures = "customer satisfaction 50 % (under 70 %) in the last 15 min and waiting now 20 (over 10)"
    assert explain(ladder, condition, "Delta", START_MS) == f"Delta: {figures}, since 15:10 UTC"


BALANCE = BalanceSpec.model_validate({"id": "pace", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "24h"}).compiled


def aht(seconds: float, deviation: float = 60, n: int = 100) -> Estimate:
    return Estimate(Kind.MEAN, seconds, seconds * n, n, n, deviation**2)


def held_against(aht_before: Estimate, aht_now: Estimate, csat_before: Estimate, csat_now: Estimate, at_ms: int = START_MS) -> Sample:
    def of(estimate: Estimate, unit: str, *, higher: bool, before: bool) -> Sample:
        begin_ms = at_ms - (48 if before else 24) * HOUR_MS
        return Sample(estimate, "", unit, begin_ms, begin_ms + 24 * HOUR_MS, "24h", higher)

    times = [of(each, "s", higher=False, before=number == 0) for number, each in enumerate((aht_before, aht_now))]
    ratings = [of(each, "ratio", higher=True, before=number == 0) for number, each in enumerate((csat_before, csat_now))]
    return ratings[1]._replace(parts=(*times, *ratings))


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        ((aht(420), aht(360), ratio(0.9, 400), ratio(0.7, 400)), "firing"),
        ((aht(420), aht(360), ratio(0.9, 400), ratio(0.95, 400)), "ok"),
        ((aht(420), aht(460), ratio(0.9, 400), ratio(0.7, 400)), "ok"),
        ((aht(420), aht(415), ratio(0.9, 400), ratio(0.7, 400)), "ok"),
        ((aht(420), aht(360), ratio(0.9, 400), ratio(0.88, 400)), "ok"),
        ((aht(420), aht(360), ratio(0.9, 5), ratio(0.2, 5)), "ok"),
        ((aht(420), aht(360), ratio(None), ratio(0.7, 400)), "ok"),
    ],
)
def test_a_balance_is_lost_only_where_both_moved_beyond_chance(figures: tuple[Estimate, Estimate, Estimate, Estimate], state: str) -> None:
    condition, _ = evaluate(BALANCE, fresh(BALANCE), held_against(*figures), START_MS)
    assert condition.phase == state


def test_a_lost_balance_tells_both_figures_then_and_now_and_ends_when_one_is_back() -> None:
    lost = (aht(420), aht(360), ratio(0.9, 400), ratio(0.7, 400))
    condition, (change,) = evaluate(BALANCE, fresh(BALANCE), held_against(*lost), START_MS)
    told = AlertEvent.model_validate_json(orjson.dumps(alert_event(BALANCE, change, CONTEXT)))
    assert told.transition.reason == "OK => FIRING: warning, aht better and csat worse for 0s (aht 360, was 420, csat 0.7, was 0.9)"
    figures = "average handle time 360 s (420 s before) and customer satisfaction 70 % (90 % before) in the last 24 h"
    assert told.explanation == f"Delta Assist: {figures}, since 15:10 UTC"
    times, ratings = told.evidence.parts or ()
    assert times.before is not None
    assert ratings.before is not None
    assert (times.before.value, times.value, ratings.before.value, ratings.value) == (420, 360, 0.9, 0.7)
    assert (ratings.ci_high or 1) < (ratings.before.ci_low or 0)
    at_ms = START_MS + 15 * MINUTE_MS
    back = (aht(420), aht(360), ratio(0.9, 400), ratio(0.9, 400))
    condition, changes = evaluate(BALANCE, condition, held_against(*back, at_ms=at_ms), at_ms)
    assert kinds(changes) == ["recovering"]
    condition, changes = evaluate(BALANCE, condition, held_against(*back, at_ms=at_ms + HOUR_MS), at_ms + HOUR_MS)
    assert kinds(changes) == ["resolved"]
