"""Tallies: what events of a scope count, summed from the first on, so that any window is one sum less another.

A window costs the same however wide it is, and nothing while nobody looks. Guarantee: what lies between two edges of windows is what
the panes of the engine between them add up to, since an event lies on the same side of an edge whatever pane it is in. An event that
comes late changes the sums behind it, which costs as much as there are of them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Final

from models.windows import GRID_MS, QUARTER_MS, Scope

if TYPE_CHECKING:
    from streams.trial.watch import Watch

__all__ = ["NEVER", "Agenda", "Blurring", "Column", "Track"]

NEVER: Final = 2**62
_FEW: Final = 1_000


class Agenda:
    """When a rule is to be looked at next."""

    __slots__ = ("_due", "next_ms")

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Watch]] = []
        self.next_ms = NEVER

    def want(self, watch: "Watch", grid_ms: int) -> None:
        """Have a rule looked at at a grid point, or before."""
        if grid_ms < watch.due_ms:
            watch.due_ms = grid_ms
            heappush(self._due, (grid_ms, watch.number, watch))
            self.next_ms = self._due[0][0]

    def take(self, grid_ms: int) -> "Iterator[Watch]":
        """Those that are due by a grid point, each once; they are not due any more, unless they are wanted again behind it."""
        due = self._due
        while due and due[0][0] <= grid_ms:
            due_ms, _, watch = heappop(due)
            if due_ms == watch.due_ms:
                watch.due_ms = NEVER
                yield watch
        self.next_ms = due[0][0] if due else NEVER


class Track:
    """The events of one kind in a scope, in order of their times, and the rules that are to be looked at after so many more of them."""

    __slots__ = ("_limit", "_limit_seconds", "_want", "seconds", "times", "watches")

    def __init__(self, want: "Callable[[Watch, int], None]") -> None:
        self._want = want
        self.times: list[int] = []
        self.seconds = [0.0]
        """How long all events before took, summed."""
        self.watches: list[Watch] = []
        self._limit = self._limit_seconds = inf
        """With fewer nobody is to be looked at; nor, it may be, with as many."""

    def add(self, at_ms: int, lasted: float, grid_ms: int) -> None:
        """An event came that is counted from `grid_ms` on."""
        times = self.times
        if not times or at_ms >= times[-1]:
            times.append(at_ms)
            self.seconds.append(self.seconds[-1] + lasted)
        else:
            place = bisect_right(times, at_ms)
            times.insert(place, at_ms)
            self.seconds[place + 1 :] = [each + lasted for each in self.seconds[place:]]
            for watch in self.watches:
                if at_ms < watch.falls_ms:
                    # It falls out of the window before its turn.
                    self._want(watch, grid_ms)
        if len(times) >= self._limit or self.seconds[-1] > self._limit_seconds:
            for watch in self.watches:
                if len(times) >= watch.limit or self.seconds[-1] > watch.limit_seconds:
                    watch.limit, watch.limit_seconds, watch.falls_ms = inf, inf, NEVER
                    self._want(watch, grid_ms)
            self._limit = min([each.limit for each in self.watches])
            self._limit_seconds = min([each.limit_seconds for each in self.watches])

    def wait(self, limit: float, limit_seconds: float) -> None:
        """One of the rules is to be looked at once there are so many events, or more than so many seconds."""
        self._limit = min(self._limit, limit)
        self._limit_seconds = min(self._limit_seconds, limit_seconds)

    def forget(self, before_ms: int) -> None:
        """Let go what no window holds any more."""
        gone = bisect_left(self.times, before_ms)
        if not gone:
            return
        del self.times[:gone], self.seconds[:gone]
        for watch in self.watches:
            watch.limit -= gone
        self._limit -= gone


class Column:
    """One scope of a partner."""

    __slots__ = ("_enough", "_starts", "_sums", "blurred", "scope", "tracks")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._enough = _FEW
        """With fewer sums it is not worth the while to look for what can be let go."""
        self._starts, self._sums = [-1], [0]
        """By the start of each 10 s in which anything was counted, all up to their end: measures as `streams.engine.lanes` packs them."""
        self.tracks: dict[int, Track] = {}
        """By the kind of events."""
        self.blurred: list[int] = []
        """When something was counted under another basis than the scope's, in a cell for all that exceed a limit."""

    @property
    def last_ms(self) -> int:
        """When the last 10 s begin in which anything is counted that was not taken back; negative where nothing is."""
        at, sums = len(self._sums) - 1, self._sums
        while at and sums[at] == sums[at - 1]:
            at -= 1
        return self._starts[at]

    def add(self, at_ms: int, packed: int) -> None:
        """Count measures, or take them back where they are negative."""
        start, starts, sums = at_ms - at_ms % GRID_MS, self._starts, self._sums
        if start > starts[-1]:
            starts.append(start)
            sums.append(sums[-1] + packed)
            return
        place = bisect_left(starts, start)
        if starts[place] != start:
            starts.insert(place, start)
            sums.insert(place, sums[place - 1])
        for at in range(place, len(sums)):
            sums[at] += packed

    def between(self, start_ms: int, end_ms: int) -> int:
        """The sum of what was counted from one grid point to another."""
        starts, sums = self._starts, self._sums
        return sums[bisect_left(starts, end_ms) - 1] - sums[bisect_left(starts, start_ms) - 1]

    def is_blurred(self, start_ms: int, end_ms: int) -> bool:
        """Whether something was counted between them under another basis."""
        return any(start_ms <= each < end_ms for each in self.blurred)

    def forget(self, before_ms: int, coarse_ms: int) -> None:
        """Let go what no window holds any more, and of what is older than `coarse_ms` all but the sums at quarter hours."""
        if len(self._starts) < self._enough:
            return
        first, last = bisect_left(self._starts, before_ms), bisect_left(self._starts, coarse_ms)
        kept = {start // QUARTER_MS: at for at, start in enumerate(self._starts[first:last], first)}
        places = [first - 1, *kept.values(), *range(last, len(self._starts))]
        self._starts = [-1, *(self._starts[at] for at in places[1:])]
        self._sums = [self._sums[at] for at in places]
        self._enough = 2 * len(places) + _FEW
        self.blurred = [each for each in self.blurred if each >= before_ms]
        for track in self.tracks.values():
            track.forget(before_ms)


class Blurring:
    """A column as those cells see it that count under another basis."""

    __slots__ = ("_column",)

    def __init__(self, column: Column) -> None:
        self._column = column

    @property
    def tracks(self) -> dict[int, Track]:
        """Those of the column."""
        return self._column.tracks

    def add(self, at_ms: int, packed: int) -> None:
        """As the column does."""
        self._column.blurred.append(at_ms)
        self._column.add(at_ms, packed)
