"""Flapping: too many changes of late, by Nagios' weights and its two thresholds."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.flapping import SPAN_MS, SPANS, flapping, settles_ms, share
from tests.conditions import START_MS

NOW = START_MS // SPAN_MS


def lived(changes: list[bool]) -> list[bool]:
    """Whether it flaps after each span, in which it changed or not."""
    flips, flaps, found = tuple[int, ...](), False, []
    for step, flipped in enumerate(changes):
        flips, flaps = flapping(flips, flaps, flipped, START_MS + step * SPAN_MS)
        found.append(flaps)
    return found


def test_a_change_in_every_span_is_all_of_it_and_the_newest_weighs_most() -> None:
    assert share(tuple(range(NOW - SPANS + 1, NOW + 1)), START_MS) == 1
    assert (round(share((NOW,), START_MS), 6), round(share((NOW - SPANS + 1,), START_MS), 6)) == (1.25 / 20, 0.75 / 20)
    assert share((NOW - SPANS,), START_MS) == 0


def test_it_begins_at_thirty_percent_and_stops_under_twenty() -> None:
    found = lived([True] * 6 + [False] * 20)
    assert found.index(True) == 5, "the sixth change within half an hour"
    stopped = found.index(False, 5)
    flips = tuple(range(NOW, NOW + 6))
    assert share(flips, START_MS + stopped * SPAN_MS) < 0.2 <= share(flips, START_MS + (stopped - 1) * SPAN_MS)
    assert not lived([True, *[False] * 5] * 10).count(True), "an episode an hour is none"


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_nothing_becomes_different_before_the_time_that_it_names(changes: list[bool]) -> None:
    flips, flaps = tuple[int, ...](), False
    for step, flipped in enumerate(changes):
        flips, flaps = flapping(flips, flaps, flipped, START_MS + step * SPAN_MS)
    last_ms = START_MS + len(changes) * SPAN_MS - SPAN_MS
    due_ms = settles_ms(flips, flaps, last_ms)
    if due_ms is None:
        assert not flips
        return
    assert last_ms < due_ms <= last_ms + SPANS * SPAN_MS
    assert flapping(flips, flaps, False, due_ms - 1)[1] == flaps
    after = flapping(flips, flaps, False, due_ms)
    assert not after[1]
    assert flaps or after == ((), False)
