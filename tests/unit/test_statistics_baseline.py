"""The adaptive window, what is usual, and how much rates scatter."""

import random
from datetime import datetime
from math import sqrt
from zoneinfo import ZoneInfo

import pytest

from models.statistics import ADAPTIVE_WIDTHS_MS, Baseline, adaptive_width_ms, baseline, hour_of_week, laney_sigma_z, scaled_z
from models.windows import HOUR_MS, MINUTE_MS


@pytest.mark.parametrize(
    ("observations", "expected_minutes"),
    [
        ((20, 41, 80, 160, 300), 15),
        ((19, 20, 80, 160, 300), 30),
        ((5, 10, 20, 40, 80), 60),
        ((2, 4, 19, 20, 40), 120),
        ((0, 0, 0, 0, 20), 240),
        ((0, 0, 0, 0, 19), None),
    ],
)
def test_the_narrowest_window_that_holds_twenty_is_chosen(observations: tuple[int, ...], expected_minutes: int | None) -> None:
    chosen = adaptive_width_ms(dict(zip(ADAPTIVE_WIDTHS_MS, observations, strict=True)))
    assert (expected_minutes and expected_minutes * MINUTE_MS) == chosen


def test_another_least_number_is_held_too() -> None:
    assert adaptive_width_ms(dict.fromkeys(ADAPTIVE_WIDTHS_MS, 29), 30) is None
    assert adaptive_width_ms(dict.fromkeys(ADAPTIVE_WIDTHS_MS, 30), 30) == 15 * MINUTE_MS


def at(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("local", "zone", "expected"),
    [
        ("2026-03-02T00:00:00", "UTC", 0),
        ("2026-03-01T23:59:59", "UTC", 167),
        ("2026-03-04T09:30:00", "Europe/Berlin", 57),
        ("2026-03-02T00:15:00", "Asia/Kathmandu", 0),
        ("2026-03-02T00:29:00", "Asia/Kolkata", 0),
        ("2026-03-30T09:00:00", "Europe/Berlin", 9),
        ("1969-12-31T23:00:00", "UTC", 71),
    ],
)
def test_the_hour_of_the_week_is_that_of_the_clock_on_the_wall(local: str, zone: str, expected: int) -> None:
    assert hour_of_week(at(local, zone), zone) == expected


def test_an_hour_comes_twice_when_summer_time_ends_and_never_when_it_begins() -> None:
    autumn = at("2026-10-25T00:00:00", "Europe/Berlin")
    assert [hour_of_week(autumn + hour * HOUR_MS, "Europe/Berlin") - 144 for hour in range(5)] == [0, 1, 2, 2, 3]
    spring = at("2026-03-29T00:00:00", "Europe/Berlin")
    assert [hour_of_week(spring + hour * HOUR_MS, "Europe/Berlin") - 144 for hour in range(4)] == [0, 1, 3, 4]


def test_a_baseline_is_the_median_and_the_scaled_deviation_of_the_same_hour() -> None:
    values = [(57, 10.0), (58, 900.0), (57, 12.0), (57, 11.0), (58, 900.0), (57, 80.0), (57, 9.0)]
    assert Baseline(11.0, 1.4826, 5) == baseline(values, 57)


def test_a_baseline_forgets_what_is_older_than_its_weeks() -> None:
    values = [(3, 500.0)] * 20 + [(3, 1.0), (4, 7.0), (3, 2.0), (3, 3.0)]
    assert Baseline(2.0, 1.4826, 3) == baseline(values, 3, weeks=3)


def test_without_a_value_there_is_no_baseline_and_without_deviation_no_scale() -> None:
    assert baseline([(3, 1.0)], 4) is None
    flat = baseline([(3, 1.0)] * 4, 3)
    assert flat == Baseline(1.0, 0.0, 4)
    assert flat is not None
    assert flat.z(9.0) is None


def test_the_deviation_of_normal_values_is_their_standard_deviation() -> None:
    rng = random.Random(1)
    usual = baseline([(0, rng.gauss(100, 15)) for _ in range(20_000)], 0, weeks=20_000)
    assert usual is not None
    assert pytest.approx(usual[:2], rel=0.02) == (100, 15)
    assert usual.z(130) == pytest.approx(2, rel=0.03)


def test_laneys_sigma_is_the_mean_distance_of_neighbours_in_deviations_of_chance() -> None:
    # The rate is 0.5, a deviation of chance 0.05: z is 2, -2 and 0, so the distances are 4 and 2.
    assert laney_sigma_z([(60, 100), (40, 100), (50, 100)]) == pytest.approx(3 / 1.128)
    assert laney_sigma_z([(60, 100), (0, 0), (40, 100), (50, 100)]) == pytest.approx(3 / 1.128)


def test_rates_that_scatter_by_chance_have_a_sigma_of_one_whatever_their_size() -> None:
    rng = random.Random(2)
    intervals = [(sum(rng.random() < 0.3 for _ in range(n)), n) for n in (rng.randint(20, 200) for _ in range(4_000))]
    assert laney_sigma_z(intervals) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("intervals", [[], [(3, 10)], [(0, 0), (3, 10)], [(0, 10), (0, 10)], [(10, 10), (10, 10)]])
def test_without_two_intervals_or_any_scatter_there_is_no_sigma(intervals: list[tuple[int, int]]) -> None:
    assert laney_sigma_z(intervals) is None


def test_a_scatter_widens_the_gate_and_calm_never_narrows_it() -> None:
    assert scaled_z(2.0, 1.5) == 3.0
    assert scaled_z(2.0, 0.5) == 2.0
    assert scaled_z(2.0, None) == 2.0


def test_the_scaled_gate_is_sqrt_of_the_design_effect() -> None:
    """Contacts that are correlated 0.1 within half-hours of 40 scatter sqrt(1 + 39 x 0.1) times as much."""
    from bench.false_alarms import half_hours

    assert laney_sigma_z(half_hours(random.Random(3), 4_000, 0.1, 1)) == pytest.approx(sqrt(4.9), rel=0.05)
