"""One ticket: what was told of it, and what that counts, whatever the order in which it was told.

A ticket keeps its marks, and what it counts is a pure function of them: a mark that comes late, or twice, gives the same counts as
one that came in its place. What it counted before is taken back, and what it counts now is added.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from models.bins import BinKeys
from models.measures import FAMILIES, Family
from models.statistics import bin_of

__all__ = ["MARKS_MAX", "Counts", "Mark", "Open", "Step", "Ticket"]

MARKS_MAX: Final = 32
"""Of a ticket; the first reply is one of them."""

_T: Final = {name: at for at, name in enumerate(FAMILIES[Family.TICKETS])}
_WIDTH: Final = len(_T)
_MS2: Final = 1_000_000
"""Square milliseconds in a square second."""


class Step(IntEnum):
    """What happened to a ticket. Numbers stand in rows, and order what happened in the same millisecond."""

    OPENED = 0
    SOLVED = 1
    REOPENED = 2
    REPLIED = 3


class Mark(NamedTuple):
    """What one event told."""

    at_ms: int
    step: int
    due_ms: int | None
    queue: str | None
    channel: str | None
    """Queue and channel of the cell that it counts in."""
    sides: str = ""
    """What it counts in beside it."""


class Open(NamedTuple):
    """That a ticket is open: since when, in which cell, and when it is to be solved."""

    since_ms: int
    due_ms: int | None
    queue: str | None
    channel: str | None
    sides: str


Counts = dict[tuple[int, str | None, str | None, str], list[int]]
"""By time (ms), queue, channel and sides: a vector of the tickets' family, and behind its measures the bins of what was timed."""


def _order(mark: Mark) -> tuple[int, int, int, str, str, str]:
    return mark.at_ms, mark.step, -1 if mark.due_ms is None else mark.due_ms, mark.queue or "", mark.channel or "", mark.sides


class Ticket:
    """Immutable."""

    __slots__ = ("marks", "open")

    def __init__(self, marks: tuple[Mark, ...] = ()) -> None:
        self.marks = marks
        """In order of time; of the replies only the earliest."""
        self.open = _walk(marks)[1]

    def told(self, mark: Mark) -> "Ticket":
        """The ticket with one mark more; itself, if that is nothing new or more than it may have."""
        marks = set(self.marks)
        if mark.step == Step.REPLIED:
            replied = [each for each in marks if each.step == Step.REPLIED]
            if any(_order(each) <= _order(mark) for each in replied):
                return self
            marks.difference_update(replied)
        if mark in marks or len(marks) >= MARKS_MAX:
            return self
        return Ticket(tuple(sorted((*marks, mark), key=_order)))

    def counts(self) -> Counts:
        """What it counts."""
        return _walk(self.marks)[0]

    @property
    def last_ms(self) -> int:
        """The last that was heard of it."""
        return self.marks[-1].at_ms


def _walk(marks: tuple[Mark, ...]) -> tuple[Counts, Open | None]:
    """Through the marks in order of time: what they count, and whether the ticket is open in the end."""
    counts: Counts = {}
    now: Open | None = None
    opened_ms: int | None = None
    solved = False
    for mark in marks:
        if mark.step == Step.REPLIED:
            continue
        if mark.step == Step.SOLVED:
            # Solved twice is solved once; what opened it may not have been told.
            if now is not None or not solved:
                _count_solved(_vector(counts, mark), mark, now)
            now, solved = None, True
            continue
        if opened_ms is None and mark.step == Step.OPENED:
            opened_ms = mark.at_ms
        if now is None:
            _vector(counts, mark)[_T["opened" if mark.step == Step.OPENED else "reopened"]] += 1
            now = Open(mark.at_ms, mark.due_ms, mark.queue, mark.channel, mark.sides)
        elif mark.due_ms is not None:
            now = now._replace(due_ms=mark.due_ms)
    replied = next((mark for mark in marks if mark.step == Step.REPLIED), None)
    if replied is not None and opened_ms is not None:
        _count_reply(_vector(counts, replied), max(0, replied.at_ms - opened_ms))
    return counts, now


def _vector(counts: Counts, mark: Mark) -> list[int]:
    return counts.setdefault((mark.at_ms, mark.queue, mark.channel, mark.sides), [0] * _WIDTH)


def _count_solved(vector: list[int], mark: Mark, was: Open | None) -> None:
    vector[_T["solved"]] += 1
    due_ms = mark.due_ms
    if was is not None:
        took_ms = mark.at_ms - was.since_ms
        vector[_T["resolutions"]] += 1
        vector[_T["resolution_ms"]] += took_ms
        vector[_T["resolution_s2"]] += took_ms * took_ms // _MS2
        vector.append(BinKeys.RESOLUTION + bin_of(took_ms))
        due_ms = was.due_ms if due_ms is None else due_ms
    if due_ms is not None:
        vector[_T["solved_with_due"]] += 1
        vector[_T["solved_within_due"]] += mark.at_ms <= due_ms


def _count_reply(vector: list[int], took_ms: int) -> None:
    vector[_T["first_replies"]] += 1
    vector[_T["first_response_ms"]] += took_ms
    vector[_T["first_response_s2"]] += took_ms * took_ms // _MS2
    vector.append(BinKeys.FIRST_RESPONSE + bin_of(took_ms))
