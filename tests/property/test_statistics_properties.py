"""What holds for intervals, quantiles and charts under any data."""

from collections import Counter
from fractions import Fraction
from math import ceil, exp, inf, lgamma, log

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.bins import Distributions
from models.statistics import (
    ADAPTIVE_WIDTHS_MS,
    ERROR_MAX,
    Z_PAGE,
    Z_REPORT,
    Z_WARN,
    Cusum,
    Ewma,
    Ordered,
    Weighted,
    adaptive_width_ms,
    baseline,
    bin_of,
    hour_of_week,
    laney_sigma_z,
    log_mean,
    mean_interval,
    merge_bins,
    quantile_ranks,
    student_t,
    subtract_bins,
    t_interval,
    wilson,
    winsorised_mean,
)
from models.windows import HOUR_MS

FIVE_WEEKS_MS = 35 * 24 * HOUR_MS

durations_ms = st.one_of(st.integers(0, 60), st.integers(0, 10**6), st.integers(0, FIVE_WEEKS_MS))
samples = st.lists(durations_ms, min_size=1, max_size=60)
percents = st.sampled_from([50, 90, 95])
zs = st.sampled_from([0.5, Z_WARN, Z_PAGE, 3.5])
values = st.lists(st.floats(0.1, 1e5), min_size=2, max_size=40)


def ordered(sample: list[int], kind: int = 0) -> Ordered:
    return Distributions(Counter(kind * 4096 + bin_of(each) for each in sample)).of(kind)


@given(samples, samples, percents)
@example([1], [], 50)
@example([0], [2**62], 95)
def test_a_quantile_is_within_one_percent_of_the_value_of_its_rank(sample: list[int], others: list[int], percent: int) -> None:
    bins = Counter(map(bin_of, sample)) + Counter(4096 + bin_of(each) for each in others)
    for kind, exact in ((0, sorted(sample)), (1, sorted(others))):
        found = Distributions(bins).of(kind)
        assert found.n == len(exact)
        if exact:
            rank, seconds, low, high = found.bounds(percent, Z_REPORT)
            assert rank == ceil(Fraction(percent, 100) * len(exact))
            assert abs(1000 * seconds - exact[rank - 1]) <= ERROR_MAX * exact[rank - 1]
            assert 0 <= low <= seconds <= high


@pytest.mark.parametrize("n", [20, 21, 52, 84, 140, 269, 400, 1000])
@pytest.mark.parametrize("percent", [50, 90, 95])
def test_an_interval_of_ranks_misses_the_quantile_no_more_often_than_it_says(percent: int, n: int) -> None:
    """By the binomial itself, which the ranks only approximate; at either end."""
    share = percent / 100
    ways = [lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for k in range(n + 1)]
    below = [exp(each + k * log(share) + (n - k) * log(1 - share)) for k, each in enumerate(ways)]
    for z, misses in ((Z_REPORT, 0.025), (Z_WARN, 0.05), (Z_PAGE, 0.01)):
        _, low, high = quantile_ranks(n, percent, z)
        assert sum(below[: max(low, 0)]) <= 1.08 * misses
        assert sum(below[high:]) <= 1.08 * misses


def test_so_few_durations_say_nothing_of_how_long_the_longest_may_be() -> None:
    assert ordered([1000] * 20).bounds(95, Z_REPORT)[3] == inf
    assert ordered([1000] * 3).bounds(50, Z_PAGE)[2:] == (0.0, inf)


@given(durations_ms, durations_ms)
def test_bins_keep_the_order_of_durations(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert bin_of(low) <= bin_of(high)


@given(samples, samples)
def test_bins_merge_in_any_order_and_what_was_added_subtracts(one: list[int], other: list[int]) -> None:
    parts, whole = [Counter(map(bin_of, each)) for each in (one, other)], Counter(map(bin_of, one + other))
    merged: dict[int, int] = {}
    for part in reversed(parts):
        merge_bins(merged, part)
    assert whole == merged
    subtract_bins(merged, parts[0])
    assert parts[1] == merged


def test_no_whole_millisecond_lies_so_near_an_edge_that_logarithms_could_disagree() -> None:
    """Two C libraries may differ by a few last digits; the bins are state, and must be the same on every machine."""
    edge = Fraction(51, 50)
    while edge < FIVE_WEEKS_MS:
        assert abs(round(edge) - edge) / edge > 1e-13, f"{round(edge)} ms"
        edge *= Fraction(51, 50)


@given(st.integers(1, FIVE_WEEKS_MS))
@example(131_071)
@example(131_072)
@example(2_097_151)
@example(2_097_152)
def test_looked_up_bins_are_those_of_the_logarithm(duration_ms: int) -> None:
    coarse = 131_072 <= duration_ms < 2_097_152
    assert bin_of(duration_ms) == int(log(duration_ms // 16 * 16 + 8 if coarse else duration_ms) / log(1.02)) + 1


def test_a_negative_duration_is_a_broken_invariant() -> None:
    with pytest.raises(AssertionError, match="-1 ms"):
        bin_of(-1)


def test_without_a_value_there_is_no_quantile_and_none_can_be_taken_off() -> None:
    assert ordered([]).n == ordered([], 3).n == 0
    with pytest.raises(AssertionError, match="bin 3 lacks 1"):
        subtract_bins({3: 1}, {3: 2})


@given(st.lists(st.integers(0, 60), min_size=5, max_size=5), st.integers(1, 60))
def test_the_adaptive_window_holds_enough_and_no_narrower_one_does(ns: list[int], n_min: int) -> None:
    chosen = adaptive_width_ms(dict(zip(ADAPTIVE_WIDTHS_MS, ns, strict=True)), n_min)
    for width, n in zip(ADAPTIVE_WIDTHS_MS, ns, strict=True):
        if chosen is None or width < chosen:
            assert n < n_min
        elif width == chosen:
            assert n >= n_min


@given(st.integers(0, 4 * 10**12), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]))
def test_the_hour_of_the_week_stays_within_the_week(at_ms: int, zone: str) -> None:
    assert 0 <= hour_of_week(at_ms, zone) < 168


@given(zs, st.integers(1, 400))
def test_student_is_wider_than_the_normal_and_narrows_with_every_observation(z: float, degrees: int) -> None:
    assert student_t(z, degrees) > student_t(z, degrees + 1) > z


@given(st.floats(-1e3, 1e3), st.floats(0.1, 1e4), st.integers(2, 300), zs)
def test_students_interval_encloses_the_normal_one(mean: float, variance: float, n: int, z: float) -> None:
    student, normal = t_interval(mean, variance, n, z), mean_interval(mean, variance, n, z)
    assert student is not None
    assert normal is not None
    assert student[0] < normal[0] <= mean <= normal[1] < student[1]


@given(values, zs, st.sampled_from([0.0, 0.05, 0.1, 0.25]))
def test_a_mean_lies_within_its_interval_and_its_values(sample: list[float], z: float, share: float) -> None:
    for mean in (winsorised_mean(sample, share, z), log_mean(sample, z)):
        if mean is not None:
            assert mean.low <= mean.value <= mean.high
            assert min(sample) * (1 - 1e-9) <= mean.value <= max(sample) * (1 + 1e-9)


@given(values, st.floats(1e6, 1e12))
def test_one_wild_value_does_not_move_a_winsorised_mean_past_the_others(sample: list[float], wild: float) -> None:
    sample = sample + [sample[0]] * max(0, 10 - len(sample))
    mean = winsorised_mean([*sample, wild], 0.1, Z_WARN)
    assert mean is not None
    assert mean.value <= max(sample) * (1 + 1e-9)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6)), max_size=40), st.integers(1, 9))
def test_a_baseline_is_that_of_the_last_weeks_of_its_hour_alone(points: list[tuple[int, float]], weeks: int) -> None:
    own = [point for point in points if point[0] == 2][-weeks:]
    assert baseline(own, 2, 99) == baseline(points, 2, weeks)


@given(st.lists(st.integers(0, 50), min_size=3, max_size=20).filter(lambda each: len(set(each)) > 1))
def test_laneys_sigma_does_not_tell_successes_from_failures_or_forth_from_back(hits: list[int]) -> None:
    sigma = laney_sigma_z([(each, 50) for each in hits])
    assert sigma == pytest.approx(laney_sigma_z([(50 - each, 50) for each in hits]))
    assert sigma == pytest.approx(laney_sigma_z([(each, 50) for each in reversed(hits)]))


@given(st.lists(st.floats(-6, 6), max_size=50))
def test_a_chart_never_holds_more_than_its_limit(points: list[float]) -> None:
    value, state = 0.0, Weighted()
    for z in points:
        value, fell = Cusum().step(value, z)
        state, sank = Ewma().step(state, z)
        assert 0 <= value <= Cusum().limit
        assert state.mean <= 0.9
        assert not fell or value == 0
        assert not sank or state == Weighted()


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), zs)
def test_wilson_is_symmetric_and_holds_the_proportion(observed: tuple[int, int], z: float) -> None:
    successes, n = observed
    low, high = wilson(successes, n, z)
    assert 0 <= low <= successes / n <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson(n - successes, n, z), abs=1e-12)
