"""What each KPI is, on vectors small enough to check by hand."""

from collections.abc import Sequence

import pytest

from models.definitions import Ces, Csat, Definition, ServiceLevel, ServiceLevelVariant
from models.figures import Estimate, Kind, Live
from models.kpis import CATALOGUE, Better, Perspective
from models.kpis.table import PATH, page
from models.measures import flat_zero, from_names
from models.statistics import Z_REPORT, interval

MONTH = from_names({"answered": 1000, "abandoned": 60, "answered_within": 860, "abandoned_within": 20, "abandoned_short": 10})
PUBLISHED: dict[ServiceLevelVariant, float] = {
    "answered_only": 86.00,
    "abandons_count_against": 81.13,
    "early_abandons_ignored": 82.69,
    "early_abandons_count_for": 83.02,
    "short_abandons_excluded": 81.90,
}


def estimate(kpi: str, flat: Sequence[int], definition: Definition | None = None, live: Live | None = None) -> Estimate:
    return CATALOGUE[kpi].estimate(flat, live, definition or Definition())


@pytest.mark.parametrize(("variant", "percent"), PUBLISHED.items())
def test_service_level_gives_the_published_percentages(variant: ServiceLevelVariant, percent: float) -> None:
    by_definition = estimate("service_level", MONTH, Definition(service_level=ServiceLevel(variant=variant)))
    assert percent == round(100 * (by_definition.value or 0), 2)
    assert by_definition == estimate(f"service_level_{variant}", MONTH)


def test_who_waits_past_the_threshold_is_missed_in_every_variant_that_counts_abandons() -> None:
    live = Live(waiting=9, longest_wait_ms=60_000, past_threshold=4)
    for variant in PUBLISHED:
        definition = Definition(service_level=ServiceLevel(variant=variant))
        settled, now = estimate("service_level", MONTH, definition), estimate("service_level_now", MONTH, definition, live)
        assert now.numerator == settled.numerator
        assert now.denominator - settled.denominator == (0 if variant == "answered_only" else 4)


def test_service_level_now_is_zero_while_only_late_contacts_wait() -> None:
    assert estimate("service_level_now", flat_zero(), live=Live(3, 50_000, 2)) == (Kind.PROPORTION, 0.0, 0, 2, 2, None)


def test_zero_waits_count_in_the_speed_of_answer() -> None:
    flat = from_names({"answered": 4, "answered_wait_ms": 30_000, "answered_wait_s2": 500})
    found = estimate("asa", flat)
    assert found[:5] == (Kind.MEAN, 7.5, 30.0, 4, 4)
    assert found.variance == pytest.approx((500 - 4 * 7.5**2) / 3)


def test_time_to_abandon_is_over_the_abandoned_only() -> None:
    flat = from_names({"answered": 50, "abandoned": 2, "abandoned_wait_ms": 90_500, "abandoned_wait_s2": 4100})
    assert estimate("avg_time_to_abandon", flat).value == 45.25


def test_abandon_rate_is_net_of_short_ones_only_where_the_definition_says_so() -> None:
    assert estimate("abandon_rate", MONTH).value == 60 / 1060
    assert estimate("abandon_rate", MONTH, Definition(abandon_rate_net_of_short=True)).value == 50 / 1050


def test_the_abandon_rate_needs_the_short_limit_only_when_net_of_it() -> None:
    needs_basis = CATALOGUE["abandon_rate"].needs_basis
    assert not needs_basis(Definition())
    assert needs_basis(Definition(abandon_rate_net_of_short=True))


def test_handling_is_talk_hold_and_wrap_and_hold_has_two_bases() -> None:
    flat = from_names(
        {"handled": 4, "talk_ms": 400_000, "hold_ms": 60_000, "wrap_ms": 100_000, "held": 2, "transferred": 1, "escalated": 3}
    )
    values = {kpi: estimate(kpi, flat).value for kpi in ("aht", "avg_hold", "avg_hold_held", "transfer_rate", "escalation_rate")}
    assert values == {"aht": 140.0, "avg_hold": 15.0, "avg_hold_held": 30.0, "transfer_rate": 0.25, "escalation_rate": 0.75}


def test_reported_resolution_is_over_those_that_say() -> None:
    assert estimate("fcr_reported", from_names({"handled": 100, "resolved": 30, "resolved_answers": 40})).value == 0.75


def test_the_rounding_of_squares_never_makes_a_variance_negative() -> None:
    flat = from_names({"answered": 2, "answered_wait_ms": 1_998, "answered_wait_s2": 0})
    assert estimate("asa", flat).variance == 0.0


def test_one_observation_has_no_variance() -> None:
    assert estimate("asa", from_names({"answered": 1, "answered_wait_ms": 5_000, "answered_wait_s2": 25})).variance is None


def test_csat_counts_the_top_boxes_of_the_contracts_scale() -> None:
    flat = from_names({"csat_1": 1, "csat_3": 2, "csat_4": 3, "csat_5": 4, "csat_off_scale": 50})
    assert estimate("csat", flat)[1:5] == (0.7, 7, 10, 10)
    assert estimate("csat", flat, Definition(csat=Csat(top_boxes=1))).value == 0.4
    assert estimate("csat", flat, Definition(csat=Csat(scale_max=10))).value == 0.0


@pytest.mark.parametrize(
    ("scale", "expected", "words"),
    [
        (Csat(), 3, "lowest 2 of 5"),
        (Csat(scale_max=5, top_boxes=2, bottom_boxes=1), 1, "lowest 1 of 5"),
        (Csat(scale_max=3, top_boxes=2), 1, "lowest 1 of 3"),
        (Csat(scale_max=7, top_boxes=3), 5, "lowest 3 of 7"),
        (Csat(scale_max=10, top_boxes=2, bottom_boxes=6), 11, "lowest 6 of 10"),
    ],
)
def test_the_dissatisfied_rate_in_the_bottom_boxes_of_any_scale(scale: Csat, expected: int, words: str) -> None:
    flat = from_names({"csat_1": 1, "csat_2": 2, "csat_3": 2, "csat_5": 6})
    definition = Definition(csat=scale)
    assert estimate("dissatisfaction", flat, definition).numerator == expected
    assert CATALOGUE["dissatisfaction"].describe(definition) == words


def test_whoever_answers_responded_on_the_scale_or_off_it() -> None:
    flat = from_names({"csat_1": 1, "csat_5": 2, "csat_off_scale": 1, "csat_invited": 8, "nps_0": 3})
    assert estimate("response_rate_csat", flat) == (Kind.RATE, 0.5, 4, 8, 8, None)
    assert estimate("response_rate_nps", flat).value is None, "answers to invitations of another day have no rate"


def test_answers_to_invitations_of_before_may_be_more_than_those_of_the_window() -> None:
    found = estimate("response_rate_ces", from_names({"ces_5": 3, "ces_invited": 2}))
    low, high = interval(found, Z_REPORT) or (0.0, 0.0)
    assert found.value == 1.5
    assert low < 1.5 < high


def evaluations(*points: tuple[float, float]) -> list[int]:
    """The measures of evaluations of (points, points possible)."""
    milli = [(round(1000 * had), round(1000 * possible)) for had, possible in points]
    had, possible = (sum(column) for column in zip(*milli, strict=True))
    squares = {
        "qa_points_milli2": sum(a * a for a, _ in milli),
        "qa_points_possible_milli2": sum(a * b for a, b in milli),
        "qa_possible_milli2": sum(b * b for _, b in milli),
    }
    return from_names({"evaluated": len(milli), "scored": len(milli), "qa_points_milli": had, "qa_possible_milli": possible} | squares)


def test_a_quality_score_is_points_over_points_possible_with_the_spread_of_evaluations() -> None:
    found = estimate("qa_score", evaluations((80, 100), (45, 50), (0, 100)))
    assert found[:5] == (Kind.RATIO, 0.5, 125.0, 250.0, 3)
    # By hand: 30, 20 and -50 points off the common half, over a mean form of 83 1/3 points.
    assert found.variance == pytest.approx((30**2 + 20**2 + 50**2) / 2 / (250 / 3) ** 2)


def test_evaluations_that_agree_have_no_spread_and_one_alone_has_none_known() -> None:
    assert estimate("qa_score", evaluations((4.5, 5), (9, 10), (0.9, 1))).variance == 0.0
    assert estimate("qa_score", evaluations((4.5, 5))).variance is None


def test_compliance_counts_evaluations_and_not_items() -> None:
    assert estimate("compliance_rate", from_names({"evaluated": 40, "critical_fails": 2})) == (Kind.PROPORTION, 0.95, 38, 40, 40, None)


def test_script_adherence_is_over_required_items() -> None:
    squares = {"script_done_squares": 25, "script_done_required_squares": 35, "script_required_squares": 50}
    flat = from_names({"evaluated": 9, "scripted": 2, "script_done": 7, "script_required": 10} | squares)
    assert estimate("script_adherence", flat)[:5] == (Kind.RATIO, 0.7, 7.0, 10.0, 2)


def test_effort_runs_either_way() -> None:
    flat = from_names({"ces_1": 5, "ces_2": 1, "ces_3": 1, "ces_5": 3})
    assert estimate("ces", flat).value == 0.3
    assert estimate("ces", flat, Definition(ces=Ces(scale_max=5, direction="effort", boxes=2))).value == 0.6


def test_nps_is_the_promoters_less_the_detractors_and_zero_is_a_detractor() -> None:
    flat = from_names({"nps_0": 1, "nps_6": 1, "nps_7": 2, "nps_8": 1, "nps_9": 2, "nps_10": 3})
    found = estimate("nps", flat)
    assert found[:5] == (Kind.POINTS, 30.0, 3, 10, 10)
    assert found.variance == pytest.approx(1e4 * (0.5 + 0.2 - 0.3**2))


def test_answers_that_agree_wholly_have_no_variance() -> None:
    assert estimate("nps", from_names({"nps_10": 3})).variance == 0.0


def test_gauges_are_what_waits_now() -> None:
    live = Live(waiting=3, longest_wait_ms=45_500, past_threshold=2)
    assert estimate("in_queue", flat_zero(), live=live)[:5] == (Kind.GAUGE, 3, 3, 1, 3)
    assert estimate("longest_wait", flat_zero(), live=live)[:5] == (Kind.GAUGE, 45.5, 45.5, 1, 3)
    assert estimate("waiting_past_threshold", flat_zero(), live=live)[:5] == (Kind.GAUGE, 2, 2, 1, 2)


def test_nobody_waiting_is_a_count_of_zero_and_no_longest_wait() -> None:
    nobody = Live(waiting=0, longest_wait_ms=None, past_threshold=0)
    assert estimate("in_queue", flat_zero(), live=nobody).value == 0
    assert estimate("longest_wait", flat_zero(), live=nobody).value is None


def test_the_backlog_is_what_is_open_now_and_unknown_where_there_never_was_a_ticket() -> None:
    live = Live(0, None, 0, backlog=7, backlog_overdue=2)
    assert estimate("backlog", flat_zero(), live=live)[:5] == (Kind.GAUGE, 7, 7, 1, 7)
    assert estimate("backlog_overdue", flat_zero(), live=live)[:5] == (Kind.GAUGE, 2, 2, 1, 7)
    assert estimate("backlog", flat_zero(), live=Live(3, 1, 0)).value is None
    assert estimate("backlog_overdue", flat_zero(), live=Live(3, 1, 0)).value is None


def test_a_deviation_is_what_came_over_what_was_planned_with_the_spread_of_a_count() -> None:
    found = estimate("forecast_deviation", from_names({"forecast_intervals": 2, "forecast_milli": 80_500, "forecast_offered": 100}))
    assert found == Estimate(Kind.CHANGE, 19.5 / 80.5, 19.5, 80.5, 80)
    # By hand: Poisson's score interval of 100 is 82.22 to 121.62.
    assert interval(found, Z_REPORT) == pytest.approx((82.22 / 80.5 - 1, 121.62 / 80.5 - 1), abs=1e-4)
    nothing_planned = estimate("forecast_deviation", from_names({"forecast_intervals": 1, "forecast_offered": 3}))
    assert (nothing_planned.value, nothing_planned.n) == (None, 0)


def test_shares_of_agents_time_take_a_minute_for_one_observation() -> None:
    flat = from_names({"contact_ms": 5_430_000, "idle_ms": 1_200_000, "adherent_ms": 90_000, "scheduled_ms": 120_000})
    busy = estimate("occupancy", flat)
    # By hand: 90.5 of 110.5 minutes.
    assert busy[:5] == (Kind.PROPORTION, 5_430 / 6_630, 90.5, 110.5, 110)
    low, high = interval(busy, Z_REPORT) or (0.0, 0.0)
    assert 0.73 < low < 0.82 < high < 0.89
    assert estimate("schedule_adherence", flat)[:5] == (Kind.PROPORTION, 0.75, 1.5, 2.0, 2)


def test_attrition_is_leavers_over_years_of_staff_time() -> None:
    day_ms = 86_400_000
    # By hand: 3 of 150 left within 30 days, which is 2 % a month and 24.3 % a year.
    found = estimate("attrition", from_names({"agents_left": 3, "headcount_ms": 150 * 30 * day_ms}))
    assert found.value == pytest.approx(3 / 150 / 30 * 365)
    assert found.n == 4500
    assert found.denominator == pytest.approx(150 * 30 / 365)
    low, high = interval(found, Z_REPORT) or (0.0, 0.0)
    assert 0.05 < low < 3 / 150 / 30 * 365 < high < 0.75
    assert estimate("attrition", from_names({"agents_left": 3})).value is None, "nobody told of the staff"


def test_courses_are_done_when_due() -> None:
    assert estimate("training_completion", from_names({"trainings_due": 8, "trainings_done": 6}))[1:5] == (0.75, 6, 8, 8)


@pytest.mark.parametrize("kpi", [name for name, kpi in CATALOGUE.items() if not kpi.adds_up])
def test_without_a_denominator_there_is_no_value(kpi: str) -> None:
    assert estimate(kpi, flat_zero())[1:] == (None, 0, 0, 0, None)


def test_of_a_count_nothing_is_none() -> None:
    flat = from_names({"answered": 7, "abandoned": 2})
    assert [estimate(kpi, flat).value for kpi in ("offered", "abandoned")] == [9, 2]
    assert [estimate(kpi, flat_zero()).value for kpi in ("offered", "abandoned")] == [0, 0]


def test_the_variant_is_told_in_words() -> None:
    definition = Definition(
        service_level=ServiceLevel(variant="short_abandons_excluded", threshold_seconds=30.0),
        short_abandon_seconds=2.5,
        abandon_rate_net_of_short=True,
        csat=Csat(scale_max=7, top_boxes=3),
        ces=Ces(scale_max=5, direction="effort", boxes=2),
    )
    assert {
        kpi: CATALOGUE[kpi].describe(definition) for kpi in ("service_level", "abandon_rate", "csat", "ces", "waiting_past_threshold")
    } == {
        "service_level": "short_abandons_excluded, 30 s, short up to 2.5 s",
        "abandon_rate": "net of abandons up to 2.5 s",
        "csat": "top 3 of 7",
        "ces": "lowest 2 of 5",
        "waiting_past_threshold": "over 30 s",
    }


def test_every_kpi_is_found_by_its_own_id_and_says_what_it_is() -> None:
    for name, kpi in CATALOGUE.items():
        assert kpi.id == name
        assert kpi.title
        assert kpi.formula
        assert kpi.attributed_to
        assert kpi.describe(Definition())
        assert isinstance(kpi.better, Better)
        assert isinstance(kpi.perspective, Perspective)


def test_the_page_is_what_the_catalogue_says() -> None:
    assert page() == PATH.read_text(encoding="utf-8"), "run python -m models.kpis.table"
