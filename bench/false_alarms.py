"""How often alerts are wrong, and how soon they are right: `python -m bench.false_alarms`, seeded, a minute.

Contacts arrive at random (Poisson) and are abandoned with a known probability. What the adaptive window holds at each grid point goes
to the reducer that workers run. Rates of half-hours are drawn from a beta distribution, so that they scatter more than chance has it.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate, product
from math import comb, sqrt
from statistics import median
from typing import Final

from alerts import ChangeKind, Condition, Sample, evaluate
from alerts.gate import Side, judge
from models.figures import Estimate, Kind
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.statistics import ADAPTIVE_WIDTHS_MS, adaptive_width_ms, laney_sigma_z, scaled_z
from models.windows import GRID_MS, HOUR_MS, MINUTE_MS

USUAL: Final = 0.05
"""The true share of abandoned contacts."""
STEPPED: Final = 0.20
RULE: Final = Rule(
    id="abandon_rate_high",
    kpi="abandon_rate",
    scopes=frozenset({"all"}),
    window="adaptive",
    direction=Direction.ABOVE,
    levels=(Level(Severity.WARNING, 2 * USUAL, 0.08, 3 * MINUTE_MS),),
    recover_for_ms=10 * MINUTE_MS,
    min_samples=20,
    on_missing=OnMissing.HOLD,
)
_START_MS: Final = 1_750_000_200_000
_OPEN_HOURS: Final = 12
_POINTS_AN_HOUR: Final = HOUR_MS // GRID_MS
_WARM_POINTS: Final = ADAPTIVE_WIDTHS_MS[-1] // GRID_MS
Intervals = list[tuple[int, int]]


def wrong_at(n: int, *, gated: bool) -> float:
    """The exact probability that one look at `n` contacts of the usual rate breaches the rule: gated, or by the plain value."""

    def breaches(abandoned: int) -> bool:
        if not gated:
            return abandoned / n > RULE.levels[0].enter
        sides = judge(RULE, _sample(abandoned, n, 0, 0)).sides
        return sides is not None and Side.BREACHED in sides

    return sum(comb(n, each) * USUAL**each * (1 - USUAL) ** (n - each) for each in range(n + 1) if breaches(each))


def alarms(rng: random.Random, calls_a_quarter: float, rates: Sequence[float]) -> Iterator[int]:
    """The grid points, from the first of `rates` on, at which the rule fires; `rates` has the share abandoned at each."""
    offered, abandoned = _arrivals(rng, calls_a_quarter, [rates[0]] * _WARM_POINTS + list(rates))
    condition = Condition(RULE.id, "delta", "all")
    for point in range(len(rates)):
        at_ms, end = _START_MS + point * GRID_MS, point + _WARM_POINTS
        n_by_width = {width: offered[end] - offered[end - width // GRID_MS] for width in ADAPTIVE_WIDTHS_MS}
        width = adaptive_width_ms(n_by_width)
        if width is None:
            sample = Sample(None, "", "ratio", at_ms, at_ms)
        else:
            sample = _sample(abandoned[end] - abandoned[end - width // GRID_MS], n_by_width[width], at_ms - width, at_ms)
        condition, changes = evaluate(RULE, condition, sample, at_ms)
        if any(change.kind is ChangeKind.FIRED for change in changes):
            yield point


def false_alarms_a_day(rng: random.Random, calls_a_quarter: float, days: int) -> float:
    """How often in a day of 12 open hours the rule fires although the rate is the usual one."""
    return sum(1 for _ in alarms(rng, calls_a_quarter, [USUAL] * (days * _OPEN_HOURS * _POINTS_AN_HOUR))) / days


def found_after_minutes(rng: random.Random, calls_a_quarter: float, times: int) -> list[float | None]:
    """After how many minutes the rule fires when the rate steps up; None where not within 12 hours."""
    rates = [USUAL] * _POINTS_AN_HOUR + [STEPPED] * (12 * _POINTS_AN_HOUR)
    found: list[float | None] = []
    while len(found) < times:
        first = next(alarms(rng, calls_a_quarter, rates), None)
        # What fired before the step says nothing of it.
        if first is None or first >= _POINTS_AN_HOUR:
            found.append(None if first is None else (first - _POINTS_AN_HOUR) * GRID_MS / MINUTE_MS)
    return found


def half_hours(rng: random.Random, intervals: int, correlation: float, lasts: int) -> Intervals:
    """Intervals of 40 contacts with a service level of 0.8 that is drawn anew from a beta distribution every `lasts` on average.

    `correlation` is that of two contacts within an interval: the variance of a rate is 1 + 39 times it as large as by chance.
    """
    spread = 1 / correlation - 1
    rate = 0.0
    drawn = []
    for at in range(intervals):
        if at == 0 or rng.random() < 1 / lasts:
            rate = rng.betavariate(0.8 * spread, 0.2 * spread)
        drawn.append((sum(rng.random() < rate for _ in range(40)), 40))
    return drawn


def flagged(intervals: Intervals, sigma_z: float | None) -> float:
    """The share of intervals outside three deviations of chance, widened by `sigma_z`."""
    rate = sum(good for good, _ in intervals) / sum(n for _, n in intervals)
    limit = scaled_z(3, sigma_z)
    return sum(abs(good / n - rate) > limit * sqrt(rate * (1 - rate) / n) for good, n in intervals) / len(intervals)


def _arrivals(rng: random.Random, calls_a_quarter: float, rates: Sequence[float]) -> tuple[list[int], list[int]]:
    """Running totals of contacts and of abandoned ones before each grid point."""
    offered, abandoned = [0] * len(rates), [0] * len(rates)
    calls_a_point = calls_a_quarter * GRID_MS / (15 * MINUTE_MS)
    at = rng.expovariate(calls_a_point)
    while at < len(rates):
        offered[int(at)] += 1
        abandoned[int(at)] += rng.random() < rates[int(at)]
        at += rng.expovariate(calls_a_point)
    return list(accumulate(offered, initial=0)), list(accumulate(abandoned, initial=0))


def _sample(abandoned: int, n: int, from_ms: int, to_ms: int) -> Sample:
    return Sample(Estimate(Kind.PROPORTION, abandoned / n, abandoned, n, n), "", "ratio", from_ms, to_ms)


def main() -> None:
    """Print what docs/statistics.md tells."""
    print(f"one look at 20 contacts: plain {wrong_at(20, gated=False):.2%}, gated {wrong_at(20, gated=True):.2%}")
    for calls in (5, 10, 20, 40, 80):
        rng = random.Random(calls)
        found = found_after_minutes(rng, calls, 400)
        known = sorted(each for each in found if each is not None)
        print(
            f"{calls} contacts a quarter hour: {false_alarms_a_day(rng, calls, 200):.2f} false alarms a day, a step found after "
            f"{median(known):.0f} min (nine of ten within {known[len(known) * 9 // 10]:.0f}), {len(known)} of {len(found)}"
        )
    for correlation, lasts in product((0.15, 0.18, 0.22), (1, 3)):
        intervals = half_hours(random.Random(1), 20_000, correlation, lasts)
        sigma_z = laney_sigma_z(intervals)
        print(
            f"half-hours correlated {correlation}, a rate for {lasts}: {flagged(intervals, None):.1%} outside 3 sigma, "
            f"sigma_z {sigma_z or 0:.2f}, {flagged(intervals, sigma_z):.1%} outside Laney's"
        )


if __name__ == "__main__":
    main()
