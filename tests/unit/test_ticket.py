"""One ticket: what its marks count, whatever the order in which they were told."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.measures import FAMILIES, Family
from streams.engine.ticket import MARKS_MAX, Mark, Step, Ticket

STEPS = st.builds(
    Mark, st.integers(0, 12), st.sampled_from(Step), st.none() | st.integers(0, 14), st.sampled_from(("billing", None)), st.just(None)
)


def ticket(*told: tuple[int, Step] | tuple[int, Step, int]) -> Ticket:
    made = Ticket()
    for at_ms, step, *due in told:
        made = made.told(Mark(at_ms, step, due[0] if due else None, None, None))
    return made


def counted(one: Ticket) -> dict[int, dict[str, int]]:
    """By time, what is not zero."""
    found = {}
    for (at_ms, *_), vector in one.counts().items():
        found[at_ms] = {name: count for name, count in zip(FAMILIES[Family.TICKETS], vector, strict=False) if count}
    return found


def test_a_ticket_counts_where_it_happened() -> None:
    one = ticket((1_000, Step.OPENED, 5_000), (3_000, Step.REPLIED), (4_000, Step.REPLIED), (5_000, Step.SOLVED))
    assert counted(one) == {
        1_000: {"opened": 1},
        3_000: {"first_replies": 1, "first_response_ms": 2_000, "first_response_s2": 4},
        5_000: {
            "solved": 1,
            "resolutions": 1,
            "resolution_ms": 4_000,
            "resolution_s2": 16,
            "solved_with_due": 1,
            "solved_within_due": 1,
        },
    }
    assert one.open is None


def test_a_reopened_ticket_is_resolved_again_from_its_reopening_under_a_due_date_of_its_own() -> None:
    one = ticket((0, Step.OPENED, 5_000), (4_000, Step.SOLVED), (9_000, Step.REOPENED), (10_000, Step.SOLVED))
    assert counted(one)[9_000] == {"reopened": 1}
    assert counted(one)[10_000] == {"solved": 1, "resolutions": 1, "resolution_ms": 1_000, "resolution_s2": 1}
    assert ticket((0, Step.OPENED), (4_000, Step.SOLVED), (9_000, Step.REOPENED, 12_000)).open == (9_000, 12_000, None, None, "")


def test_solved_twice_is_solved_once_and_opened_twice_is_opened_once() -> None:
    one = ticket((0, Step.OPENED), (2, Step.OPENED), (4, Step.SOLVED), (6, Step.SOLVED))
    assert [at for at, what in counted(one).items() if "solved" in what] == [4]
    assert [at for at, what in counted(one).items() if "opened" in what] == [0]


def test_what_was_never_opened_is_solved_and_reopened_but_has_no_resolution_and_no_first_response() -> None:
    assert counted(ticket((7, Step.SOLVED, 6), (3, Step.REPLIED))) == {7: {"solved": 1, "solved_with_due": 1}}
    assert counted(ticket((7, Step.REOPENED))) == {7: {"reopened": 1}}


def test_the_due_date_that_was_said_last_holds() -> None:
    assert counted(ticket((0, Step.OPENED, 3), (1, Step.OPENED, 9), (5, Step.SOLVED)))[5]["solved_within_due"] == 1
    assert "solved_within_due" not in counted(ticket((0, Step.OPENED, 9), (5, Step.SOLVED, 4)))[5]


def test_a_ticket_has_a_bounded_number_of_marks() -> None:
    full = ticket(*((at, (Step.SOLVED, Step.REOPENED)[at % 2]) for at in range(MARKS_MAX)))
    assert full.told(Mark(99, Step.SOLVED, None, None, None)) is full
    assert len(full.marks) == MARKS_MAX


@given(st.lists(STEPS, max_size=8), st.randoms())
def test_any_order_and_any_repetition_count_the_same(marks: list[Mark], random: Any) -> None:
    again = [*marks, *random.choices(marks, k=3)] if marks else []
    random.shuffle(again)
    one, other = Ticket(), Ticket()
    for mark in marks:
        one = one.told(mark)
    for mark in again:
        other = other.told(mark)
    assert (one.marks, one.open, one.counts()) == (other.marks, other.open, other.counts())
