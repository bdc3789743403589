"""Intervals, held against published vectors."""

from math import sqrt

import pytest

from models.figures import Estimate, Kind
from models.statistics import Z_PAGE, Z_REPORT, Z_WARN, interval, mean_interval, poisson, wilson


@pytest.mark.parametrize(
    ("successes", "n", "expected"),
    [(0, 5, (0.0, 0.4345)), (10, 100, (0.0552, 0.1744)), (80, 100, (0.7112, 0.8666)), (15, 20, (0.5313, 0.8881))],
)
def test_wilson_gives_the_published_bounds(successes: int, n: int, expected: tuple[float, float]) -> None:
    assert expected == pytest.approx(wilson(successes, n, Z_REPORT), abs=5e-5)


def test_wilson_is_exact_at_both_ends() -> None:
    assert wilson(0, 7, Z_PAGE)[0] == 0.0
    assert wilson(7, 7, Z_PAGE)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (6, 5), (-1, 5)])
def test_what_is_no_proportion_is_a_broken_invariant(successes: int, n: int) -> None:
    with pytest.raises(AssertionError, match="not a proportion"):
        wilson(successes, n, Z_REPORT)


@pytest.mark.parametrize(("count", "expected"), [(0, (0.0, 3.8416)), (1, (0.1765, 5.6651)), (10, (5.4319, 18.4097))])
def test_a_count_has_its_score_interval(count: int, expected: tuple[float, float]) -> None:
    assert expected == pytest.approx(poisson(count, 1, Z_REPORT), abs=5e-5)
    assert pytest.approx((expected[0] / 8, expected[1] / 8), abs=5e-5) == interval(Estimate(Kind.RATE, count / 8, count, 8, 8), Z_REPORT)


def test_the_interval_of_a_ratio_of_sums_ends_at_0_and_1() -> None:
    assert interval(Estimate(Kind.RATIO, 0.99, 99, 100, 4, 0.01), Z_REPORT) == pytest.approx((0.892, 1.0))
    assert interval(Estimate(Kind.RATIO, 0.01, 1, 100, 4, 0.01), Z_REPORT) == pytest.approx((0.0, 0.108))


def test_a_page_asks_for_more_certainty_than_a_warning() -> None:
    assert wilson(60, 100, Z_PAGE)[1] > wilson(60, 100, Z_WARN)[1]


def test_the_interval_of_a_mean_is_z_standard_errors_wide() -> None:
    assert mean_interval(100.0, 400.0, 25, 2.0) == (92.0, 108.0)


def test_one_observation_has_no_interval() -> None:
    assert mean_interval(100.0, 0.0, 1, Z_REPORT) is None
    assert interval(Estimate(Kind.POINTS, 100.0, 1, 1, 1, 0.0), Z_REPORT) is None


def test_the_interval_of_a_net_score_is_its_published_standard_error() -> None:
    promoters, detractors, n = 0.5, 0.2, 100
    variance = 1e4 * (promoters + detractors - (promoters - detractors) ** 2)
    low, high = interval(Estimate(Kind.POINTS, 30.0, 30, 100, n, variance), Z_REPORT) or (0.0, 0.0)
    error = 100 * sqrt((promoters + detractors - (promoters - detractors) ** 2) / n)
    assert (30 - 1.96 * error, 30 + 1.96 * error) == pytest.approx((low, high))


def test_the_interval_of_a_net_score_ends_at_a_hundred() -> None:
    assert pytest.approx((71.4058, 100.0), abs=1e-4) == interval(Estimate(Kind.POINTS, 90.0, 9, 10, 10, 900.0), Z_REPORT)
    assert pytest.approx((-100.0, -71.4058), abs=1e-4) == interval(Estimate(Kind.POINTS, -90.0, -9, 10, 10, 900.0), Z_REPORT)


def test_a_gauge_is_exact() -> None:
    assert interval(Estimate(Kind.GAUGE, 7.0, 7, 1, 7), Z_REPORT) == (7.0, 7.0)


@pytest.mark.parametrize("kind", Kind)
def test_without_a_value_there_is_no_interval(kind: Kind) -> None:
    assert interval(Estimate(kind, None, 0, 0, 0), Z_REPORT) is None


def test_a_mean_of_unknown_variance_has_no_interval() -> None:
    assert interval(Estimate(Kind.MEAN, 3.0, 30, 10, 10), Z_REPORT) is None


@pytest.mark.parametrize("kind", [Kind.PROPORTION, Kind.MEAN, Kind.POINTS])
def test_a_figure_that_is_not_to_be_judged_has_no_interval(kind: Kind) -> None:
    assert interval(Estimate(kind, 0.5, 10, 20, 0, 1.0), Z_REPORT) is None
