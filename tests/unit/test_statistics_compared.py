"""A figure against what is usual: how far, and how sure."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.figures import Estimate, Kind
from models.statistics import Z_PAGE, Z_WARN, Baseline, Compare, Compared, interval, poisson, wilson


def share(hits: int, n: int) -> Estimate:
    return Estimate(Kind.PROPORTION, hits / n, hits, n, n)


def count(value: int) -> Estimate:
    return Estimate(Kind.GAUGE, value, value, 1, value)


def test_a_change_is_of_the_usual_and_mads_are_of_what_weeks_deviate() -> None:
    usual = Baseline(0.8, 0.05, 4)
    change = Compared.of(share(40, 100), usual, Compare.CHANGE, counts=False)
    assert change.value == pytest.approx(-0.5)
    assert (change.numerator, change.denominator, change.n) == (0.4, 0.8, 100)
    assert Compared.of(share(40, 100), usual, Compare.MADS, counts=False).value == pytest.approx(-8)


def test_its_noise_is_that_of_the_figure_and_of_a_median_of_few_weeks() -> None:
    exact = Compared.of(share(40, 100), Baseline(0.8, 0.0, 4), Compare.CHANGE, counts=False)
    low, high = wilson(40, 100, Z_WARN)
    assert interval(exact, Z_WARN) == pytest.approx((low / 0.8 - 1, high / 0.8 - 1))
    wide = interval(Compared.of(share(40, 100), Baseline(0.8, 0.1, 4), Compare.CHANGE, counts=False), Z_WARN)
    assert wide is not None
    assert wide[1] == pytest.approx(-0.5 + sqrt((high - 0.4) ** 2 + (Z_WARN * 1.2533 * 0.1 / 2) ** 2) / 0.8)


def test_a_count_is_gated_by_chance_where_weeks_are_alike_and_by_the_weeks_where_they_are_not() -> None:
    alike = Compared.of(count(60), Baseline(100.0, 0.0, 8), Compare.CHANGE, counts=True)
    assert alike.n == 100, "what is usual says how much a difference tells, also where nothing came"
    bounds = interval(alike, Z_PAGE)
    assert bounds is not None
    low, high = poisson(60, 1, Z_PAGE)
    # The median of eight counts has the noise of counts too.
    assert bounds[1] == pytest.approx(-0.4 + sqrt((high - 60) ** 2 + (Z_PAGE * 1.2533 * 10) ** 2 / 8) / 100)
    assert bounds[1] < 0 < 1 + bounds[0]
    assert low < 60
    varied = interval(Compared.of(count(60), Baseline(100.0, 40.0, 8), Compare.CHANGE, counts=True), Z_PAGE)
    assert varied is not None
    assert varied[1] > 0, "weeks that vary by 40 % make 60 of 100 nothing"
    assert Compared.of(count(60), Baseline(100.0, 0.0, 8), Compare.MADS, counts=True).value == -4.0


@pytest.mark.parametrize(
    ("usual", "compare"),
    [
        (None, Compare.CHANGE),
        (Baseline(0.8, 0.1, 2), Compare.CHANGE),
        (Baseline(0.0, 0.1, 5), Compare.CHANGE),
        (Baseline(0.8, 0.0, 5), Compare.MADS),
    ],
)
def test_without_three_weeks_or_a_scale_there_is_no_difference(usual: Baseline | None, compare: Compare) -> None:
    found = Compared.of(share(40, 100), usual, compare, counts=False)
    assert (found.kind, found.value, interval(found, Z_WARN)) == (Kind.COMPARED, None, None)


@given(st.integers(0, 300), st.floats(20, 300), st.floats(0, 50), st.integers(3, 8), st.sampled_from(Compare))
def test_bounds_enclose_the_difference_and_widen_with_z(seen: int, median: float, deviation: float, weeks: int, compare: Compare) -> None:
    found = Compared.of(count(seen), Baseline(median, deviation, weeks), compare, counts=True)
    warned, paged = interval(found, Z_WARN), interval(found, Z_PAGE)
    assert found.value is not None
    assert warned is not None
    assert paged is not None
    assert paged[0] <= warned[0] <= found.value <= warned[1] <= paged[1]
