"""Short forms of `python -m bench.false_alarms`: how often the default rule is wrong, and how soon it is right."""

import random
from statistics import median

import pytest

from bench.false_alarms import false_alarms_a_day, flagged, found_after_minutes, half_hours, wrong_at
from models.statistics import laney_sigma_z


def test_a_plain_threshold_at_twice_the_rate_is_wrong_in_one_look_of_thirteen_and_a_gated_one_in_four_hundred() -> None:
    assert wrong_at(20, gated=False) == pytest.approx(0.0755, abs=1e-4)
    assert wrong_at(20, gated=True) == pytest.approx(0.0026, abs=1e-4)


@pytest.mark.parametrize("calls_a_quarter", [5, 40])
def test_the_adaptive_rule_is_wrong_less_than_once_in_two_days(calls_a_quarter: float) -> None:
    assert 0 < false_alarms_a_day(random.Random(3), calls_a_quarter, 20) < 0.4


@pytest.mark.parametrize(("calls_a_quarter", "earliest", "latest"), [(5, 50, 120), (20, 12, 45), (40, 8, 24)])
def test_a_step_to_four_times_the_rate_is_found_sooner_where_more_call(calls_a_quarter: float, earliest: float, latest: float) -> None:
    found = found_after_minutes(random.Random(2), calls_a_quarter, 20)
    assert earliest < median(each for each in found if each is not None) < latest
    assert None not in found


@pytest.mark.parametrize(("lasts", "sigmas", "left"), [(1, (2.4, 3.0), 0.02), (3, (1.4, 1.8), 0.10)])
def test_chance_alone_flags_a_quarter_of_scattered_half_hours_and_laneys_scale_few(
    lasts: int, sigmas: tuple[float, float], left: float
) -> None:
    intervals = half_hours(random.Random(1), 3_000, 0.18, lasts)
    sigma_z = laney_sigma_z(intervals)
    assert sigma_z is not None
    assert sigmas[0] < sigma_z < sigmas[1]
    assert 0.21 < flagged(intervals, None) < 0.32
    assert flagged(intervals, sigma_z) < left
