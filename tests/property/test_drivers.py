"""Rate and mix effects: exact, and told only where one part stands out."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.drivers import SHARE_MIN, Before, Parts, attribute, effects
from models.figures import Estimate, Kind
from models.kpis import Unit


def ratio(numerator: float, denominator: int) -> Estimate:
    value = numerator / denominator if denominator else None
    return Estimate(Kind.PROPORTION, value, numerator, denominator, denominator)


def whole(parts: Parts) -> Estimate:
    return ratio(sum(each.numerator for each in parts.values()), sum(int(each.denominator) for each in parts.values()))


@st.composite
def windows(draw: st.DrawFn) -> Parts:
    """By queue, contacts and how many of them were answered in time; some queues lie idle."""
    sizes = draw(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 200), max_size=6))
    return {key: ratio(draw(st.integers(0, size)), size) for key, size in sizes.items()}


@given(windows(), windows())
def test_the_effects_sum_to_the_change_exactly(before: Parts, now: Parts) -> None:
    found = effects("queue", before, now)
    was, is_now = whole(before).value, whole(now).value
    if was is None or is_now is None:
        assert found == []
        return
    assert isclose(sum(each.effect for each in found), is_now - was, abs_tol=1e-9)
    assert all(isclose(each.effect, each.rate_effect + each.mix_effect, abs_tol=1e-12) for each in found)
    assert sum(abs(each.share) for each in found) == pytest.approx(1) or all(each.effect == 0 for each in found)


@given(windows(), windows())
def test_who_is_told_moved_as_the_whole_did_and_stands_out(before: Parts, now: Parts) -> None:
    told = attribute(Before(whole(before), 0, 1), whole(now), Unit.RATIO, [("queue", before, now)])
    if told is None:
        assert whole(before).value is None or whole(now).value is None or whole(before).value == whole(now).value
        return
    for each in told.drivers:
        assert each.effect * told.change > 0 or isclose(told.change, 0, abs_tol=1e-12)
    if told.drivers:
        assert told.drivers[0].share >= SHARE_MIN
        assert len(before.keys() | now.keys()) > 1


def test_a_queue_whose_own_figure_fell_is_a_rate_effect() -> None:
    before, now = {"a": ratio(80, 100), "b": ratio(90, 100)}, {"a": ratio(30, 100), "b": ratio(90, 100)}
    told = attribute(Before(whole(before), 0, 1), whole(now), Unit.RATIO, [("queue", before, now)])
    assert told is not None
    assert (told.value_before, round(told.change, 9)) == (0.85, -0.25)
    (driver,) = told.drivers
    assert (driver.dimension, driver.key, round(driver.rate_effect, 9), driver.mix_effect, driver.share, driver.n) == (
        *("queue", "a"),
        *(-0.25, 0.0, 1.0, 100),
    )


def test_traffic_that_moves_to_a_worse_queue_is_a_mix_effect() -> None:
    before, now = {"a": ratio(90, 100), "b": ratio(50, 100)}, {"a": ratio(45, 50), "b": ratio(75, 150)}
    found = effects("queue", before, now)
    assert all(each.rate_effect == pytest.approx(0) for each in found)
    assert sum(each.mix_effect for each in found) == pytest.approx(whole(now).value - whole(before).value)  # type: ignore[operator]


def test_a_queue_that_was_not_there_before_counts_by_its_own_figure() -> None:
    found = {each.key: each for each in effects("queue", {"a": ratio(90, 100)}, {"a": ratio(90, 100), "new": ratio(10, 100)})}
    assert found["new"].rate_effect == pytest.approx(-0.4)
    assert found["new"].mix_effect == 0
    assert found["a"].effect == pytest.approx(0)


def test_where_all_parts_fell_alike_there_is_no_single_driver() -> None:
    before = {str(key): ratio(90, 100) for key in range(10)}
    now = {str(key): ratio(60, 100) for key in range(10)}
    told = attribute(Before(whole(before), 0, 1), whole(now), Unit.RATIO, [("queue", before, now)])
    assert told is not None
    assert told.drivers == ()


def test_the_dimension_that_explains_most_is_told() -> None:
    queues = {"a": ratio(160, 200), "b": ratio(160, 200)}, {"a": ratio(120, 200), "b": ratio(130, 200)}
    channels = {"voice": ratio(160, 200), "chat": ratio(160, 200)}, {"voice": ratio(90, 200), "chat": ratio(160, 200)}
    told = attribute(Before(whole(queues[0]), 0, 1), whole(queues[1]), Unit.RATIO, [("queue", *queues), ("channel", *channels)])
    assert told is not None
    assert [(each.dimension, each.key) for each in told.drivers] == [("channel", "voice")]


def test_a_dimension_of_one_part_explains_nothing() -> None:
    before, now = {"only": ratio(80, 100)}, {"only": ratio(20, 100)}
    told = attribute(Before(whole(before), 0, 1), whole(now), Unit.RATIO, [("queue", before, now)])
    assert told is not None
    assert told.drivers == ()
