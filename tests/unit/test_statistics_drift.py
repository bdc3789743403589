"""How often the charts of slow drift alarm, computed as Markov chains (Brook and Evans 1972)."""

import random
from collections.abc import Callable
from itertools import count, pairwise
from math import erf, sqrt
from statistics import fmean

import pytest

from models.statistics import Cusum, Ewma, Weighted

STATES = 80
Matrix = list[list[float]]


def below(x: float) -> float:
    return (1 + erf(x / sqrt(2))) / 2


def solved(matrix: Matrix, right: list[float]) -> list[float]:
    """By elimination; these matrices are diagonally dominant and need no pivots."""
    size = len(right)
    for at in range(size):
        for row in range(at + 1, size):
            factor = matrix[row][at] / matrix[at][at]
            matrix[row] = [value - factor * pivot for value, pivot in zip(matrix[row], matrix[at], strict=True)]
            right[row] -= factor * right[at]
    found = [0.0] * size
    for at in reversed(range(size)):
        found[at] = (right[at] - sum(matrix[at][each] * found[each] for each in range(at + 1, size))) / matrix[at][at]
    return found


def points_to_alarm(moves: Matrix) -> list[float]:
    """From each state, where `moves` has the probabilities to stay without an alarm."""
    rows = [[float(at == to) - value for to, value in enumerate(row)] for at, row in enumerate(moves)]
    return solved(rows, [1.0] * len(moves))


def cusum_run_length(chart: Cusum, shift: float) -> float:
    """State 0 is at zero and half as wide as the others."""
    width = 2 * chart.limit / (2 * STATES - 1)

    def move(at: int, to: int) -> float:
        centre = (to - at) * width + chart.slack - shift
        return below(centre + width / 2) - (below(centre - width / 2) if to else 0.0)

    return points_to_alarm([[move(at, to) for to in range(STATES)] for at in range(STATES)])[0]


def ewma_run_length(chart: Ewma, shift: float) -> float:
    """Point by point while the limit grows, then as a chain from wherever the mean then is."""
    settled = sqrt(chart.weight / (2 - chart.weight))
    low, high = -6 * settled, chart.limit * settled
    width = (high - low) / STATES
    edges = [low + at * width for at in range(STATES + 1)]
    middles = [edge + width / 2 for edge in edges[:-1]]

    def row(mean: float) -> list[float]:
        under = [below((edge - (1 - chart.weight) * mean) / chart.weight - shift) for edge in edges]
        return [under[1], *(upper - lower for lower, upper in pairwise(under[1:]))]

    moves = [row(mean) for mean in middles]
    held, length, unsettled = row(0.0), 1.0, 1.0
    for _ in range(30):
        unsettled *= (1 - chart.weight) ** 2
        limit = high * sqrt(1 - unsettled)
        held = [share * min(1.0, max(0.0, (limit - edge) / width)) for share, edge in zip(held, edges[:-1], strict=True)]
        length += sum(held)
        held = [sum(share * moves[at][to] for at, share in enumerate(held)) for to in range(STATES)]
    assert unsettled < 1e-5
    return length + sum(share * more for share, more in zip(held, points_to_alarm(moves), strict=True))


def simulated(alarm_at: Callable[[random.Random], int], times: int) -> tuple[float, float]:
    """The mean run length and its standard error."""
    rng = random.Random(7)
    lengths = [alarm_at(rng) for _ in range(times)]
    mean = fmean(lengths)
    return mean, sqrt(fmean((each - mean) ** 2 for each in lengths) / times)


def cusum_alarm(shift: float) -> Callable[[random.Random], int]:
    def run(rng: random.Random) -> int:
        value = 0.0
        for points in count(1):
            value, alarms = Cusum().step(value, rng.gauss(shift, 1))
            if alarms:
                return points
        raise AssertionError

    return run


def ewma_alarm(shift: float) -> Callable[[random.Random], int]:
    def run(rng: random.Random) -> int:
        state = Weighted()
        for points in count(1):
            state, alarms = Ewma().step(state, rng.gauss(shift, 1))
            if alarms:
                return points
        raise AssertionError

    return run


def test_the_cusum_alarms_by_chance_once_in_335_points_and_8_after_a_shift() -> None:
    """The published 335.4 and 8.38 (van Dobben de Bruyn 1968), within 6 % of the 352 and 8.6 that were planned with."""
    lengths = cusum_run_length(Cusum(), 0), cusum_run_length(Cusum(), 1)
    assert pytest.approx(lengths, rel=2e-3) == (335.4, 8.38)
    assert pytest.approx(lengths, rel=0.06) == (352, 8.6)


def test_the_ewma_alarms_by_chance_once_in_478_points_and_8_after_a_shift() -> None:
    """Within 4 % of the 493 and 7.8 that were planned with; with twice as many states the chain gives 477.7 and 7.73."""
    lengths = ewma_run_length(Ewma(), 0), ewma_run_length(Ewma(), 1)
    assert pytest.approx(lengths, rel=6e-3) == (477.7, 7.73)
    assert pytest.approx(lengths, rel=0.04) == (493, 7.8)


@pytest.mark.parametrize(("shift", "times"), [(0, 200), (1, 2_000)])
def test_the_steps_alarm_as_often_as_the_chains_compute(shift: float, times: int) -> None:
    for chain, alarm_at in ((cusum_run_length(Cusum(), shift), cusum_alarm), (ewma_run_length(Ewma(), shift), ewma_alarm)):
        mean, error = simulated(alarm_at(shift), times)
        assert abs(chain - mean) < 4 * error


def test_a_chart_begins_anew_after_an_alarm() -> None:
    assert Cusum().step(3.9, 2.0) == (0.0, True)
    assert Ewma().step(Weighted(0.7, 0.1), 9.0) == (Weighted(), True)


def test_a_chart_alarms_above_its_limit_and_not_at_it() -> None:
    assert Cusum().step(3.5, 1.0) == (4.0, False)
    assert Cusum().step(3.75, 1.0) == (0.0, True)


def test_low_points_do_not_alarm() -> None:
    value, state = 0.0, Weighted()
    for _ in range(50):
        value, fell = Cusum().step(value, -3.0)
        state, sank = Ewma().step(state, -3.0)
        assert not fell
        assert not sank
    assert value == 0.0


def test_one_wild_point_alarms_at_once_and_the_first_as_any_other() -> None:
    assert Cusum().step(0.0, 4.6)[1]
    assert not Cusum().step(0.0, 4.4)[1]
    assert Ewma().step(Weighted(), 2.8)[1]
    assert not Ewma().step(Weighted(), 2.6)[1]
