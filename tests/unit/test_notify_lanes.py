"""Lanes and how far they are done with: what another notifier finished is not begun anew, and nothing else is passed over."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.notifier.lanes import Intent, Lanes
from streams.notifier.progress import Progress
from tests.notifiers import page
from tests.pages import AT_MS


def lanes(**limits: int) -> Lanes:
    made = Lanes(limits.get("in_flight", 10), limits.get("receiver", 10))
    made.go_on(0, Progress(0, 0))
    return made


def add(to: Lanes, offset: int, incident: int | None = None, **over: Any) -> Intent | None:
    return to.add(page("http://pages.example", offset if incident is None else incident, offset, **over), (0, offset), AT_MS)


def offsets(intents: list[Intent]) -> list[int]:
    return [each.place[1] for each in intents if each.place is not None]


@given(st.integers(0, 10**12), st.sets(st.integers(0, 5000)), st.integers(0, 5000))
def test_the_words_beside_an_offset_bring_back_what_they_have_room_for(offset: int, distances: set[int], span: int) -> None:
    progress = Progress(offset, offset + span, frozenset(offset + each for each in distances if each < span))
    read = Progress.of(offset, progress.words())
    assert len(progress.words()) <= 4096
    assert read.offset <= read.seen <= progress.seen
    assert {each for each in progress.unfinished if each < read.seen} == read.unfinished


@pytest.mark.parametrize("words", ["", "x", "5:", "12:a", "9:1"])
def test_words_that_make_no_sense_say_nothing(words: str) -> None:
    assert Progress.of(10, words) == Progress(10, 10)


def test_what_was_finished_beyond_the_offset_is_not_begun_anew() -> None:
    first = lanes()
    for offset in range(5):
        add(first, offset)
    for each in first.take(AT_MS):
        if each.place in {(0, 0), (0, 2), (0, 4)}:
            first.finish(each)
    progress = first.progress()[0]
    assert progress == Progress(1, 5, frozenset({1, 3}))
    second = Lanes(10, 10)
    add(second, 1)
    add(second, 2)
    assert second.take(AT_MS) == [], "not before it is known how far the first one was"
    second.go_on(0, Progress.of(progress.offset, progress.words()))
    assert second.progress()[0] == Progress(1, 5, frozenset({1, 3})), "one that goes at once forgets nothing"
    assert [add(second, offset) is not None for offset in (3, 4, 5)] == [True, False, True]
    assert offsets(second.take(AT_MS)) == [1, 3, 5]


def test_another_topic_of_that_name_is_read_from_its_beginning() -> None:
    fresh = Lanes(10, 10)
    fresh.go_on(0, Progress(100, 200, frozenset({100})))
    for offset in (0, 1, 150):
        add(fresh, offset)
    assert offsets(fresh.take(AT_MS)) == [0, 1, 150]


def test_a_lane_is_an_incident_and_its_receiver_and_goes_one_by_one() -> None:
    one = lanes()
    add(one, 0, incident=1)
    add(one, 1, incident=1, target={"kind": "person", "id": "bea", "person": "bea"})
    add(one, 2, incident=2)
    (first, other) = one.take(AT_MS)
    assert offsets([first, other]) == [0, 2]
    assert one.take(AT_MS) == []
    one.retry(first, AT_MS + 10)
    assert (one.take(AT_MS), one.next_due_ms()) == ([], AT_MS + 10)
    assert one.take(AT_MS + 10) == [first]
    one.finish(first)
    assert offsets(one.take(AT_MS + 10)) == [1]


def test_no_receiver_takes_up_everything() -> None:
    one = lanes(in_flight=3, receiver=2)
    other = {"id": "other", "type": "webhook", "url": "https://pages.example"}
    for offset in range(4):
        add(one, offset)
    add(one, 4, receiver=other)
    assert offsets(one.take(AT_MS)) == [0, 1, 4]
    assert one.take(AT_MS) == []


def test_what_fails_the_longest_gives_way_and_what_is_another_s_is_forgotten() -> None:
    one = lanes()
    for offset, age_ms in enumerate((1_000, 5_000, 9_000)):
        add(one, offset, processed_at=AT_MS - age_ms)
    for each in one.take(AT_MS)[:2]:
        each.tries = 1
        one.retry(each, AT_MS + 10)
    failing = one.failing()
    assert failing is not None
    assert offsets([failing]) == [1]
    assert (len(one), one.oldest_ms(), one.of([0]), one.of([1])) == (3, AT_MS - 9_000, True, False)
    one.forget([0])
    assert (len(one), one.of([0]), one.progress(), one.holds(failing)) == (0, False, {}, False)
