"""One agent: what was told of them, and what that counts in a stretch of time, whatever the order in which it was told.

An agent keeps what they did and when (states), what they were to do (shifts), since when they belong to the staff (service) and what they
are to learn (courses). What these count is a pure function of them: before something is told, and after it, the agent says what the
stretch that it changes counts, and the difference corrects the panes.
"""

import itertools
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from models.measures import FAMILIES, Family
from models.windows import HOUR_MS

__all__ = ["FOREVER_MS", "HEADCOUNT", "Agent", "Course", "Doing", "News", "Part", "Said", "Service", "Shift", "Stint"]

STATES_AN_HOUR_MAX: Final = 200
SHIFTS_MAX: Final = 64
SERVICE_MAX: Final = 16
COURSES_MAX: Final = 24
COURSE_MARKS_MAX: Final = 8
FOREVER_MS: Final = 2**62

_W: Final = {name: at for at, name in enumerate(FAMILIES[Family.WORKFORCE])}
_CONTACT: Final = _W["contact_ms"]
_IDLE: Final = _W["idle_ms"]
_EXPIRED: Final = _W["agents_expired"]
_SCHEDULED: Final = _W["scheduled_ms"]
_ADHERENT: Final = _W["adherent_ms"]
_DUE: Final = _W["trainings_due"]
_DONE: Final = _W["trainings_done"]
_LEAVERS: Final = _W["agents_left"]
HEADCOUNT: Final = _W["headcount_ms"]


class Doing(IntEnum):
    """What an agent does, or is to do; numbers stand in rows."""

    OFFLINE = 0
    AVAILABLE = 1
    ON_CONTACT = 2
    WRAP = 3
    BREAK = 4
    TRAINING = 5


_TIME_OF: Final[dict[int, int]] = {Doing.AVAILABLE: _IDLE, Doing.ON_CONTACT: _CONTACT, Doing.WRAP: _CONTACT}
"""By state: the measure that its time counts in."""
_KEPT_BY: Final[dict[int, frozenset[int]]] = {
    Doing.AVAILABLE: frozenset(_TIME_OF),
    Doing.BREAK: frozenset((Doing.BREAK,)),
    Doing.TRAINING: frozenset((Doing.TRAINING,)),
}
"""By what a shift is for: the states that keep to it."""


class Said(NamedTuple):
    """What a state says, beside its time; shared by all that say the same."""

    doing: int
    queue: str | None
    channel: str | None
    lasts_ms: int
    """How long it holds at most: the policy's expiry when it was told."""
    sides: str = ""
    """What it counts in beside queue and channel; so of the others."""


class Stint(NamedTuple):
    """That an agent does something from a time on."""

    at_ms: int
    said: Said


class Shift(NamedTuple):
    """What an agent is to do; `stamp_ms` says which of two holds."""

    start_ms: int
    end_ms: int
    doing: int
    stamp_ms: int
    queue: str | None
    channel: str | None
    sides: str = ""


class Service(NamedTuple):
    """That an agent joined the staff, or left it (which comes first within a millisecond)."""

    at_ms: int
    joined: bool
    queue: str | None
    channel: str | None
    sides: str = ""


class Course(NamedTuple):
    """That a course is due, or done: `due_ms` is None then."""

    at_ms: int
    due_ms: int | None
    course: str
    queue: str | None
    channel: str | None
    sides: str = ""


News = Stint | Shift | Service | Course


class Part(NamedTuple):
    """What an agent counts: milliseconds of a measure, or one of it where start and end are the same."""

    start_ms: int
    end_ms: int
    queue: str | None
    channel: str | None
    sides: str
    measure: int


def _order(said: Said) -> tuple[int, str, str, str, int]:
    return said.doing, said.queue or "", said.channel or "", said.sides, said.lasts_ms


def _place(news: Service | Shift | Course) -> tuple[str, str, str]:
    return news.queue or "", news.channel or "", news.sides


def _due_first(mark: Course) -> tuple[int, int, int, tuple[str, str, str]]:
    return mark.at_ms, mark.due_ms is None, mark.due_ms or 0, _place(mark)


class Agent:
    """Mutable; ask `reach` and `parts` before `put`."""

    __slots__ = ("_plan", "courses", "said", "service", "shifts", "times")

    def __init__(self) -> None:
        self.times = array("q")
        """When what they did began, in order, each once; with `said`, 16 bytes a state."""
        self.said: list[Said] = []
        self.shifts: tuple[Shift, ...] = ()
        """All that were told, also those that were replaced: these still replace what comes late."""
        self.service: tuple[Service, ...] = ()
        """In order of time."""
        self.courses: dict[str, tuple[Course, ...]] = {}
        """By name, in order of time, what is due before what is done."""
        self._plan: tuple[tuple[int, int, Shift], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is known of them."""
        return bool(self.times or self.shifts or self.service or self.courses)

    def reach(self, news: News) -> tuple[int, int] | None:
        """The stretch in which something may count otherwise than it did, [start, end); None where it is nothing new."""
        match news:
            case Stint(at_ms, said):
                at = bisect_left(self.times, at_ms)
                same = at < len(self.times) and self.times[at] == at_ms
                if same and _order(self.said[at]) >= _order(said):
                    return None
                at += same
                return at_ms, self.times[at] if at < len(self.times) else FOREVER_MS
            case Shift():
                met = [news, *(each for each in self.shifts if each.start_ms < news.end_ms and news.start_ms < each.end_ms)]
                return None if news in self.shifts else (min(each.start_ms for each in met), max(each.end_ms for each in met))
            case Service():
                return None if news in self.service else (news.at_ms, FOREVER_MS)
            case Course():
                marks = self.courses.get(news.course, ())
                dues = [each.due_ms for each in (*marks, news) if each.due_ms is not None]
                return None if news in marks else (min(dues, default=FOREVER_MS), FOREVER_MS)

    def full(self, news: News) -> bool:
        """Whether they have as many of that kind as they may."""
        match news:
            case Stint(at_ms, _):
                hour_ms = at_ms - at_ms % HOUR_MS
                held = bisect_left(self.times, hour_ms + HOUR_MS) - bisect_left(self.times, hour_ms)
                return held >= STATES_AN_HOUR_MAX
            case Shift():
                return len(self.shifts) >= SHIFTS_MAX
            case Service():
                return len(self.service) >= SERVICE_MAX
            case Course(course=course):
                marks = self.courses.get(course)
                return len(self.courses) >= COURSES_MAX if marks is None else len(marks) >= COURSE_MARKS_MAX

    def put(self, news: News) -> None:
        """Know it from now on."""
        match news:
            case Stint(at_ms, said):
                at = bisect_left(self.times, at_ms)
                if at < len(self.times) and self.times[at] == at_ms:
                    self.said[at] = said
                else:
                    self.times.insert(at, at_ms)
                    self.said.insert(at, said)
            case Shift():
                self.plan((*self.shifts, news))
            case Service():
                self.service = tuple(sorted((*self.service, news), key=lambda each: (each.at_ms, each.joined, _place(each))))
            case Course(course=course):
                self.courses[course] = tuple(sorted((*self.courses.get(course, ()), news), key=_due_first))

    def plan(self, shifts: tuple[Shift, ...]) -> None:
        """Know these shifts, and find what holds when."""
        self.shifts = shifts
        valid = [each for each in shifts if not any(_replaces(over, each) for over in shifts)]
        edges = sorted({edge for each in valid for edge in each[:2]})
        plan = []
        for start, end in itertools.pairwise(edges):
            covering = [each for each in valid if each.start_ms <= start and end <= each.end_ms]
            holds = max(covering, key=lambda each: (each.start_ms, -each.end_ms, each.doing, _place(each)), default=None)
            if holds is not None and holds.doing != Doing.OFFLINE:
                plan.append((start, end, holds))
        self._plan = tuple(plan)

    def parts(self, low_ms: int, high_ms: int) -> Iterator[Part]:
        """All that they count in [low, high), service apart."""
        yield from self._working(low_ms, high_ms)
        yield from self._keeping(low_ms, high_ms)
        yield from self._learning(low_ms, high_ms)

    def touched(self, news: News, low_ms: int, high_ms: int) -> Iterator[Part]:
        """The parts in [low, high) that news of this kind may change."""
        match news:
            case Stint():
                yield from self._working(low_ms, high_ms)
                yield from self._keeping(low_ms, high_ms)
            case Shift():
                yield from self._keeping(low_ms, high_ms)
            case Service():
                yield from self.serving(low_ms, high_ms)
            case Course():
                yield from self._learning(low_ms, high_ms)

    def _working(self, low_ms: int, high_ms: int) -> Iterator[Part]:
        """Time on contacts and idle, and states whose end was never told."""
        for start, end, said in self._states(low_ms, high_ms):
            if said.doing in _TIME_OF:
                yield Part(start, end, said.queue, said.channel, said.sides, _TIME_OF[said.doing])
        for at in self._held(low_ms, high_ms):
            said, expires = self.said[at], self.times[at] + self.said[at].lasts_ms
            if said.doing != Doing.OFFLINE and low_ms <= expires < min(self._ends(at), high_ms):
                yield Part(expires, expires, said.queue, said.channel, said.sides, _EXPIRED)

    def _keeping(self, low_ms: int, high_ms: int) -> Iterator[Part]:
        """Time that was scheduled, and that in which they kept to it."""
        for first, last, shift in self._plan:
            start, end = max(first, low_ms), min(last, high_ms)
            if start < end:
                yield Part(start, end, shift.queue, shift.channel, shift.sides, _SCHEDULED)
                for kept, until, said in self._states(start, end):
                    if said.doing in _KEPT_BY[shift.doing]:
                        yield Part(kept, until, shift.queue, shift.channel, shift.sides, _ADHERENT)

    def _learning(self, low_ms: int, high_ms: int) -> Iterator[Part]:
        """Courses that were due, and those that were done by then."""
        for course in self.courses:
            for due_ms, queue, channel, sides, done in self._dues(course):
                if low_ms <= due_ms < high_ms:
                    yield Part(due_ms, due_ms, queue, channel, sides, _DUE)
                    if done:
                        yield Part(due_ms, due_ms, queue, channel, sides, _DONE)

    def _held(self, low_ms: int, high_ms: int) -> range:
        """The places of the states that may hold in [low, high)."""
        return range(max(bisect_right(self.times, low_ms) - 1, 0), bisect_left(self.times, high_ms))

    def _ends(self, at: int) -> int:
        """When the state at that place gives way to the next."""
        return self.times[at + 1] if at + 1 < len(self.times) else FOREVER_MS

    def states(self, low_ms: int, high_ms: int) -> list[Stint]:
        """What was told of them in [low, high)."""
        held = range(bisect_left(self.times, low_ms), bisect_left(self.times, high_ms))
        return [Stint(self.times[at], self.said[at]) for at in held]

    def _states(self, low_ms: int, high_ms: int) -> Iterator[tuple[int, int, Said]]:
        """What they did in [low, high), each with when it began and ended there; what expired is left out."""
        for at in self._held(low_ms, high_ms):
            began, said = self.times[at], self.said[at]
            start, end = max(began, low_ms), min(began + said.lasts_ms, self._ends(at), high_ms)
            if start < end:
                yield start, end, said

    def serving(self, low_ms: int, high_ms: int) -> Iterator[Part]:
        """Time on the staff, and leavings: where they joined, if that is known."""
        joined: Service | None = None
        gone = False
        for mark in (*self.service, None):
            if mark is not None and mark.joined:
                joined, gone = joined or mark, False
                continue
            if joined is not None:
                start, end = max(joined.at_ms, low_ms), min(FOREVER_MS if mark is None else mark.at_ms, high_ms)
                if start < end:
                    yield Part(start, end, joined.queue, joined.channel, joined.sides, HEADCOUNT)
            if mark is not None and not gone and low_ms <= mark.at_ms < high_ms:
                place = joined or mark
                yield Part(mark.at_ms, mark.at_ms, place.queue, place.channel, place.sides, _LEAVERS)
            joined, gone = None, True

    def _dues(self, course: str) -> list[tuple[int, str | None, str | None, str, bool]]:
        """When a course is due, where, and whether it was done by then; as the events say it in order of time."""
        dues: list[tuple[int, str | None, str | None, str, bool]] = []
        waits = False
        for at_ms, due_ms, _, queue, channel, sides in self.courses[course]:
            if due_ms is None:
                if waits:
                    dues[-1] = (*dues[-1][:4], at_ms <= dues[-1][0])
                waits = False
            else:
                if waits and at_ms <= dues[-1][0]:
                    dues.pop()
                dues.append((due_ms, queue, channel, sides, False))
                waits = True
        return dues

    def serves(self, after_ms: int) -> bool:
        """Whether their service counts anything from `after_ms` on."""
        return bool(self.service) and (self.service[-1].joined or self.service[-1].at_ms >= after_ms)

    def doing(self, at_ms: int) -> Said | None:
        """What they do just before `at_ms`; None where that is nothing, or not known."""
        at = bisect_left(self.times, at_ms) - 1
        if at < 0:
            return None
        said = self.said[at]
        return said if said.doing != Doing.OFFLINE and self.times[at] + said.lasts_ms >= at_ms else None

    def next_ms(self, after_ms: int) -> int | None:
        """From when on, `after_ms` or later, they count or are staffed without a further event; service apart. None if they never do."""
        found: list[int] = []
        for at in range(max(bisect_left(self.times, after_ms) - 1, 0), len(self.times)):
            if self.said[at].doing != Doing.OFFLINE and self.times[at] + self.said[at].lasts_ms >= after_ms:
                if self.times[at] <= after_ms:
                    return after_ms
                found.append(self.times[at])
                break
        found += [max(start, after_ms) for start, end, _ in self._plan if end > after_ms][:1]
        found += [due[0] for course in self.courses for due in self._dues(course) if due[0] >= after_ms]
        return min(found, default=None)

    def forget(self, oldest_ms: int, unheard_ms: int) -> list[int]:
        """Drop what is over before `oldest_ms`, but for the state that holds then; all states if the last is before `unheard_ms`.

        Returns the times of the states that were dropped.
        """
        over = max(bisect_right(self.times, oldest_ms) - 1, 0)
        if self.times and self.times[-1] < unheard_ms:
            over = len(self.times)
        dropped = list(self.times[:over])
        del self.times[:over], self.said[:over]
        gone = [each for each in self.shifts if each.end_ms <= oldest_ms]
        if gone:
            # What a shift that goes had replaced goes with it, or it would hold again.
            self.plan(tuple(each for each in self.shifts if each not in gone and not any(_replaces(over, each) for over in gone)))
        if self.service and not self.serves(unheard_ms):
            self.service = ()
        for course, marks in list(self.courses.items()):
            if all(max(each.at_ms, each.due_ms or 0) < oldest_ms for each in marks):
                del self.courses[course]
        return dropped


def _replaces(over: Shift, under: Shift) -> bool:
    return over.stamp_ms > under.stamp_ms and over.start_ms < under.end_ms and under.start_ms < over.end_ms
