"""Means from few observations and heavy tails, held against published tables."""

import random
from math import exp, inf, log, pi, sqrt, tan
from statistics import NormalDist, fmean, variance

import pytest

from models.statistics import Z_PAGE, Z_REPORT, Z_WARN, Mean, log_mean, mean_interval, student_t, t_interval, winsorised_mean

# Fisher and Yates, Statistical Tables, table III: degrees of freedom, and t at 95, 97.5, 99 and 99.95 %.
TABLE = [
    (1, (6.314, 12.706, 31.821, 636.619)),
    (2, (2.920, 4.303, 6.965, 31.599)),
    (3, (2.353, 3.182, 4.541, 12.924)),
    (4, (2.132, 2.776, 3.747, 8.610)),
    (5, (2.015, 2.571, 3.365, 6.869)),
    (10, (1.812, 2.228, 2.764, 4.587)),
    (19, (1.729, 2.093, 2.539, 3.883)),
    (20, (1.725, 2.086, 2.528, 3.850)),
    (30, (1.697, 2.042, 2.457, 3.646)),
    (60, (1.671, 2.000, 2.390, 3.460)),
    (120, (1.658, 1.980, 2.358, 3.373)),
]


@pytest.mark.parametrize(("degrees", "expected"), TABLE)
def test_student_gives_the_published_table(degrees: int, expected: tuple[float, ...]) -> None:
    quantiles = [student_t(NormalDist().inv_cdf(p), degrees) for p in (0.95, 0.975, 0.99, 0.9995)]
    assert expected == pytest.approx(quantiles, abs=5.1e-4)


@pytest.mark.parametrize("z", [0.0, 1e-9, 0.5, Z_WARN, Z_REPORT, Z_PAGE, 4.0])
def test_the_sum_and_the_expansion_meet_where_one_takes_over_from_the_other(z: float) -> None:
    # Between neighbours the t falls by about (z^3 + z) / 4n^2, which the curve through the sums on one side foretells.
    before = [student_t(z, degrees) for degrees in (198, 199, 200)]
    assert 3 * before[2] - 3 * before[1] + before[0] == pytest.approx(student_t(z, 201), rel=1e-6, abs=1e-15)


def test_student_of_one_and_two_degrees_is_their_closed_form() -> None:
    for z in (0.1, 1.0, Z_WARN, Z_PAGE, 3.5):
        p = NormalDist().cdf(z)
        assert student_t(z, 1) == pytest.approx(tan(pi * (p - 0.5)), rel=1e-9)
        assert student_t(z, 2) == pytest.approx((2 * p - 1) * sqrt(2 / (4 * p * (1 - p))), rel=1e-9)


def test_with_many_observations_student_is_the_normal() -> None:
    assert student_t(Z_REPORT, 10**9) == pytest.approx(Z_REPORT, abs=1e-7)


@pytest.mark.parametrize(("z", "degrees"), [(1.0, 0), (-0.1, 5), (4.1, 5)])
def test_what_student_does_not_cover_is_a_broken_invariant(z: float, degrees: int) -> None:
    with pytest.raises(AssertionError):
        student_t(z, degrees)


def test_students_interval_of_ten_values_is_the_published_one() -> None:
    # 97.5 % at 9 degrees is 2.262: 100 ± 2.262 * 20 / sqrt(10).
    assert t_interval(100.0, 400.0, 10, Z_REPORT) == pytest.approx((85.693, 114.307), abs=2e-3)


def test_one_observation_has_no_interval_of_students_either() -> None:
    assert t_interval(100.0, 0.0, 1, Z_REPORT) is None
    assert log_mean([100.0], Z_REPORT) is None
    assert winsorised_mean([1.0, 2.0, 3.0], 0.4, Z_REPORT) is None


def test_a_mean_to_ten_percent_takes_fifteen_hundred_contacts() -> None:
    """With a coefficient of variation of 2."""
    low, high = mean_interval(300.0, 600.0**2, 1_537, Z_REPORT) or (0.0, 0.0)
    assert pytest.approx((low, high), abs=0.01) == (270.0, 330.0)


def test_the_log_mean_is_the_geometric_one_with_an_interval_of_factors() -> None:
    mean = log_mean([100.0, 200.0, 400.0], Z_REPORT)
    assert mean is not None
    half = 4.303 * log(2) / 3**0.5
    assert (200.0, 200 / exp(half), 200 * exp(half), 3) == pytest.approx(mean, rel=1e-3)


def test_the_log_mean_of_two_values_may_be_open_at_the_top() -> None:
    mean = log_mean([1.0, 3.0], 3.5)
    assert mean is not None
    assert mean.low == pytest.approx(0)
    assert mean.high == inf


def test_a_log_mean_of_a_zero_wait_is_a_broken_invariant() -> None:
    with pytest.raises(AssertionError, match="above 0"):
        log_mean([0.0, 3.0], Z_REPORT)


def test_winsorising_draws_the_tails_to_their_neighbours() -> None:
    values = [1.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 5_000.0]
    mean = winsorised_mean(values, 0.1, Z_REPORT)
    assert mean is not None
    drawn = [11.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 18.0]
    half = 2.365 * (variance(drawn) / 10) ** 0.5 * 9 / 7
    assert (14.5, 14.5 - half, 14.5 + half, 10) == pytest.approx(mean, rel=1e-3)


def test_winsorising_nothing_is_students_interval() -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    mean = winsorised_mean(values, 0.0, Z_PAGE)
    assert mean is not None
    assert t_interval(fmean(values), variance(values), 5, Z_PAGE) == pytest.approx((mean.low, mean.high))


def covered(truth: float, means: list[Mean | None]) -> float:
    return fmean(mean is not None and mean.low < truth < mean.high for mean in means)


def test_the_log_mean_holds_a_skewed_truth_as_often_as_said() -> None:
    """1,000 samples of 40 lognormal durations with a coefficient of variation of 2."""
    rng = random.Random(5)
    sigma = log(1 + 2**2) ** 0.5
    samples = [[rng.lognormvariate(5.0, sigma) for _ in range(40)] for _ in range(1_000)]
    assert covered(exp(5.0), [log_mean(each, Z_REPORT) for each in samples]) == pytest.approx(0.95, abs=0.02)
    # Of a skewed sample the winsorised mean is steadier than the plain one, but its interval is too short.
    drawn = [winsorised_mean(each, 0.1, Z_REPORT) for each in samples]
    middles = [mean.value for mean in drawn if mean]
    assert covered(fmean(middles), drawn) == pytest.approx(0.86, abs=0.04)
    assert variance(middles) < variance([fmean(each) for each in samples]) / 2


def test_the_winsorised_mean_holds_an_even_truth_as_often_as_said_and_closer() -> None:
    """1,000 samples of 40 values, every tenth with ten times the deviation."""
    rng = random.Random(6)
    samples = [[rng.gauss(300, 200 if rng.random() < 0.1 else 20) for _ in range(40)] for _ in range(1_000)]
    drawn = [winsorised_mean(each, 0.15, Z_REPORT) for each in samples]
    assert covered(300, drawn) == pytest.approx(0.95, abs=0.025)
    assert variance([mean.value for mean in drawn if mean]) < variance([fmean(each) for each in samples]) / 2
