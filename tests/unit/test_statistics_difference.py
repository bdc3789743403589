"""The difference of two figures, held against published vectors."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.figures import Estimate, Kind
from models.statistics import Z_REPORT, apart, interval


def share(numerator: int, denominator: int) -> Estimate:
    return Estimate(Kind.PROPORTION, numerator / denominator, numerator, denominator, denominator)


def mean(value: float, variance: float | None, n: int) -> Estimate:
    return Estimate(Kind.MEAN, value, value * n, n, n, variance)


@pytest.mark.parametrize(
    ("second", "first", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_of_shares_it_is_newcombe_s_tenth_method(second: tuple[int, int], first: tuple[int, int], low: float, high: float) -> None:
    found = apart(share(*first), share(*second), Z_REPORT)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.0001)
    assert found.beyond_noise is (low > 0)


def test_of_means_it_is_the_normal_one_of_a_difference() -> None:
    found = apart(mean(300.0, 900.0, 100), mean(280.0, 1600.0, 100), Z_REPORT)
    assert found is not None
    assert (found.difference, found.low, found.high) == pytest.approx((-20.0, -29.8, -10.2))
    assert found.beyond_noise


@pytest.mark.parametrize("unknown", [Estimate(Kind.MEAN, None, 0, 0, 0), mean(300.0, None, 1), Estimate(Kind.PROPORTION, 0.5, 5, 10, 0)])
def test_what_has_no_interval_is_compared_with_nothing(unknown: Estimate) -> None:
    assert apart(unknown, mean(280.0, 1600.0, 100), Z_REPORT) is None
    assert apart(mean(280.0, 1600.0, 100), unknown, Z_REPORT) is None


SHARES = st.integers(1, 200).flatmap(lambda n: st.builds(share, st.integers(0, n), st.just(n)))


@given(SHARES, SHARES)
def test_it_encloses_the_difference_turns_with_the_order_and_is_sure_where_the_intervals_lie_apart(
    first: Estimate, second: Estimate
) -> None:
    found, turned = apart(first, second, Z_REPORT), apart(second, first, Z_REPORT)
    assert found is not None
    assert turned is not None
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert -inf < found.low
    (low, high), (low_then, high_then) = interval(second, Z_REPORT) or (0, 0), interval(first, Z_REPORT) or (0, 0)
    assert found.beyond_noise or not (low > high_then or high < low_then)
