"""The watchdog: what stands still is named after its bound, and nothing that gets on, waits or was frozen is."""

from collections.abc import Callable, Hashable

from hypothesis import given
from hypothesis import strategies as st

from streams.health.watchdog import Stall, StallReason, Vitals, Watchdog

INPUT = ("cx.interactions", 3)


def vitals(rounds: int = 0, applied: Hashable = 0, *, settling: bool = False) -> Vitals:
    return Vitals(settling, {3: rounds}, {INPUT: applied})


def looks(dog: Watchdog, *seen: Vitals) -> list[Stall | None]:
    return [dog.look(each) for each in seen]


def test_commits_that_stand_still_are_named_after_the_bound_and_not_before() -> None:
    *early, last = looks(Watchdog(3), *(vitals(7, applied) for applied in range(4)))
    assert early == [None, None, None]
    assert last == Stall(StallReason.COMMITS, "partition 3", 3)


def test_input_that_stands_still_is_named_with_its_source() -> None:
    *early, last = looks(Watchdog(3), *(vitals(rounds, (100, None)) for rounds in range(4)))
    assert early == [None, None, None]
    assert last == Stall(StallReason.INPUT, "cx.interactions[3]", 3)


def test_an_idle_source_gets_on_as_long_as_the_broker_answers() -> None:
    assert set(looks(Watchdog(3), *(vitals(at, (100, 1_000 + at)) for at in range(20)))) == {None}


def test_a_clock_that_was_set_back_is_no_stall() -> None:
    assert set(looks(Watchdog(3), *(vitals(at, (100, 1_000_000 - at)) for at in range(20)))) == {None}


def test_nothing_is_asked_of_partitions_while_they_are_shared_out() -> None:
    dog = Watchdog(3, settle_looks=100)
    assert set(looks(dog, *[vitals(7, settling=True)] * 50)) == {None}
    assert looks(dog, *[vitals(7)] * 3) == [None, None, None]


def test_a_rebalance_has_a_bound_of_its_own() -> None:
    *early, last = looks(Watchdog(3, settle_looks=5), *[vitals(settling=True)] * 6)
    assert set(early) == {None}
    assert last == Stall(StallReason.REBALANCE, "the group", 5)


def test_a_rebalance_in_between_begins_the_count_anew() -> None:
    dog = Watchdog(3)
    assert looks(dog, vitals(7), vitals(7), vitals(7, settling=True), vitals(7), vitals(7), vitals(7)) == [None] * 6


def test_a_partition_that_came_back_is_judged_afresh() -> None:
    dog, nothing = Watchdog(3), Vitals(settling=False, commits={}, inputs={})
    assert looks(dog, vitals(7), vitals(7), vitals(7), nothing, vitals(7), vitals(7), vitals(7)) == [None] * 7


def test_a_worker_without_partitions_is_content() -> None:
    assert set(looks(Watchdog(1), *[Vitals(settling=False, commits={}, inputs={})] * 5)) == {None}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=40), st.integers(1, 4), st.integers(1, 6))
def test_a_stall_is_named_exactly_when_something_was_the_same_for_its_bound(
    seen: list[tuple[int, int, bool]], stall_looks: int, settle_looks: int
) -> None:
    dog = Watchdog(stall_looks, settle_looks)
    for at, (rounds, applied, settling) in enumerate(seen):
        found = dog.look(vitals(rounds, applied, settling=settling))
        expected = set()
        if settling and same(seen, at, settle_looks, lambda each: each[2]):
            expected = {StallReason.REBALANCE}
        if not settling and same(seen, at, stall_looks, lambda each: (each[0], each[2])):
            expected = {StallReason.COMMITS}
        if not settling and same(seen, at, stall_looks, lambda each: (each[1], each[2])):
            expected |= {StallReason.INPUT}
        assert (found is None) == (not expected)
        assert found is None or found.reason in expected


def same(seen: list[tuple[int, int, bool]], at: int, bound: int, part: Callable[[tuple[int, int, bool]], Hashable]) -> bool:
    return at >= bound and len({part(each) for each in seen[at - bound : at + 1]}) == 1
