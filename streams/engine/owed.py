"""What a partner owes to readers of its past: the minutes, quarter hours and days of which a record is to be written.

A stretch is owed once it closed, again when it is final (kept as one pane, so that nothing but a correction changes it), and whenever
something late corrects it while a pane of its own length, or a finer one, still holds it. Two positions and a set a length say all of
that, and stand in the partner's row: what a budget or a crash leaves is written by whoever comes after. Panes are not merged beyond
what is owed (`held`), so that nothing owed is forgotten meanwhile.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Final, NamedTuple

from models.days import day_end, day_start
from models.topics import MINUTES_KEPT_MS, QUARTERS_KEPT_MS
from models.windows import MINUTE_MS, Scope
from streams.engine.panes import LEDGER_MS, UNHELD, PaneStore

__all__ = ["Length", "Owed", "Stretch"]

_FOREVER: Final = 2**62


class Length(IntEnum):
    """Of the stretches that records are written of; the number is that of the tier which such a stretch is merged from."""

    MINUTE = 0
    QUARTER = 1
    DAY = 2


_MS: Final = (MINUTE_MS, 15 * MINUTE_MS)
_KEPT_MS: Final = (MINUTES_KEPT_MS, QUARTERS_KEPT_MS, _FOREVER)


class Stretch(NamedTuple):
    """Of which a record is due: [start_ms, end_ms)."""

    start_ms: int
    end_ms: int
    final: bool


def _start(length: Length, at_ms: int, zone: str) -> int:
    return day_start(at_ms, zone) if length is Length.DAY else at_ms - at_ms % _MS[length]


class _Due:
    """What is owed of one length."""

    __slots__ = ("changed", "emptied", "final_ms", "written_ms")

    def __init__(self) -> None:
        self.written_ms = 0
        """Everything that ended by then was written."""
        self.final_ms = 0
        """Everything that ended by then was written when it was final."""
        self.changed: set[int] = set()
        """The starts of stretches that were written and are to be written again."""
        self.emptied: set[tuple[int, Scope]] = set()
        """Starts and scopes of which all that a pane held was taken back: if nothing else is there, their record goes."""

    @property
    def oldest_ms(self) -> int:
        """The start of the oldest that may be owed."""
        return min((self.written_ms, self.final_ms, *self.changed))


class Owed:
    """Of one partner."""

    __slots__ = ("_due", "clear_ms")

    def __init__(self) -> None:
        self._due = (_Due(), _Due(), _Due())
        self.clear_ms = -1
        """The `closed_ms` of the panes at which nothing was owed."""

    def begin(self, panes: PaneStore, at_ms: int, closed_ms: int) -> None:
        """Once `closed_ms` is closed, owe nothing from before `at_ms`; what is corrected there is owed once more when it is final."""
        for length, due, final_ms in zip(Length, self._due, panes.edges_at(closed_ms), strict=True):
            due.written_ms = _start(length, at_ms, panes.zone)
            due.final_ms = min(due.written_ms, final_ms)

    def restate(self, panes: PaneStore, at_ms: int, emptied: Iterable[Scope] = ()) -> bool:
        """Have the records written again that count what was corrected at `at_ms`; whether that is news."""
        news = False
        for length, due in zip(Length, self._due, strict=True):
            start = _start(length, at_ms, panes.zone)
            if start >= due.written_ms or (length is not Length.DAY and at_ms < panes.edges[length + 1]):
                continue  # It is still to be written, or was merged and can no longer be told apart.
            lost = {(start, scope) for scope in emptied} - due.emptied
            news |= start not in due.changed or bool(lost)
            due.changed.add(start)
            due.emptied |= lost
        if news:
            self.clear_ms = -1
        return news

    def due(self, length: Length, panes: PaneStore, now_ms: int) -> list[Stretch]:
        """The stretches of which a record is due, oldest first; what its topic would delete at once is not owed any more."""
        due, zone = self._due[length], panes.zone
        closed, final = _start(length, panes.closed_ms, zone), panes.edges[length]
        oldest = max(now_ms, panes.closed_ms) - _KEPT_MS[length]
        if length is not Length.DAY:
            oldest = max(oldest, panes.edges[length + 1])  # Beyond, stretches cannot be told apart.
        starts = set(due.changed)
        if final > due.final_ms:
            starts |= panes.starts(due.final_ms, min(final, due.written_ms))
        if closed > due.written_ms:
            starts |= panes.starts(due.written_ms, closed)
        found = []
        for start in sorted({_start(length, each, zone) for each in starts}):
            end = day_end(start, zone) if length is Length.DAY else start + _MS[length]
            if end <= panes.closed_ms and start >= oldest:
                found.append(Stretch(start, end, start < final))
        return found

    def take_emptied(self, length: Length, start_ms: int) -> set[Scope]:
        """The scopes of a stretch of which a pane lost all; they are forgotten here."""
        due = self._due[length]
        lost = {each for each in due.emptied if each[0] == start_ms}
        due.emptied -= lost
        return {scope for _, scope in lost}

    def wrote(self, length: Length, stretch: Stretch) -> None:
        """Its record is written, and so are those of all that lie before."""
        due = self._due[length]
        due.changed.discard(stretch.start_ms)
        due.written_ms = max(due.written_ms, stretch.end_ms)
        if stretch.final:
            due.final_ms = max(due.final_ms, stretch.end_ms)

    def wrote_all(self, length: Length, panes: PaneStore) -> bool:
        """Nothing of that length is owed now; whether the row says otherwise, though nothing was to be written."""
        due = self._due[length]
        before = due.written_ms, due.final_ms
        due.written_ms = _start(length, panes.closed_ms, panes.zone)
        due.final_ms = panes.edges[length]
        due.changed = {start for start in due.changed if start >= due.written_ms}
        due.emptied = {each for each in due.emptied if each[0] >= due.written_ms}
        return before != (due.written_ms, due.final_ms)

    def held(self, closed_ms: int) -> tuple[int, int]:
        """Before which minutes and quarter hours may be merged when `closed_ms` is closed: what is owed, and their topics would keep."""
        if closed_ms == 0:
            return UNHELD  # Nothing is known to be owed yet: `begin` says from when on.
        minutes, quarters = self._due[Length.MINUTE].oldest_ms, self._due[Length.QUARTER].oldest_ms
        return max(minutes, closed_ms - MINUTES_KEPT_MS), max(quarters, closed_ms - LEDGER_MS)

    @property
    def minutes_ms(self) -> int:
        """Up to which minute everything was written."""
        return self._due[Length.MINUTE].written_ms

    def to_row(self) -> list[Any]:
        """What the partner's row keeps, by length: positions, starts, and scopes that were emptied."""
        return [
            [due.written_ms, due.final_ms, sorted(due.changed), sorted([start, str(scope)] for start, scope in due.emptied)]
            for due in self._due
        ]

    def load(self, row: Iterable[Any]) -> None:
        """Take what the row kept."""
        for due, (written_ms, final_ms, changed, emptied) in zip(self._due, row, strict=True):
            due.written_ms, due.final_ms, due.changed = written_ms, final_ms, set(changed)
            due.emptied = {(start, Scope.parse(scope)) for start, scope in emptied}

    def load_days(self, days: Iterable[int], emptied: Iterable[tuple[int, str]]) -> None:
        """Take what a release kept that wrote records of days only."""
        due = self._due[Length.DAY]
        due.changed = set(days)
        due.emptied = {(start, Scope.parse(scope)) for start, scope in emptied}
