"""Running totals of the windows over closed panes: an event costs the same whatever the number and width of windows.

Windows are grouped by what their trailing edge is cut by. Those cut by grid points take each pane as it closes; a wider one takes
whole minutes, quarter hours or days at once when they are over, and what closed since then stands apart, once for all of them. So
today is what closed since midnight, and a window of days costs nothing before midnight. What falls out is taken off in panes of the
tier that it lies in by then. A late event is added to the stretch that it lies in. Live figures add the open panes when asked for.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final

from models.days import day_start
from models.measures import M
from models.windows import HOUR_MS, MINUTE_MS, QUARTER_MS, SIDES, WINDOWS, Calendar, Edge, Scope, Window, window
from streams.engine.cells import Cell, Cells, SideCell, add_cells, subtract_cells
from streams.engine.lanes import lanes
from streams.engine.panes import PaneStore
from streams.engine.sides import parted
from streams.engine.sums import Sum, Sums

__all__ = [
    "ALL",
    "Totals",
    "WindowTotal",
    "blind_sides",
    "flat_beside",
    "flat_of_all",
    "flats",
    "parts_in",
    "scopes_in",
    "scopes_of",
    "sides_in",
]

ALL: Final = Scope("all")
_PRESENCE: Final = window("24h")
"""Where rules apply is decided by this window, whether it is published or not."""
_ABANDONED: Final = lanes(M.abandoned)
_TODAY: Final = "since midnight"
"""Of what is summed up to the last full quarter hour, beside windows."""


class WindowTotal:
    """The sum by cell of the closed panes of a window, from `start_ms` to the last full minute, quarter hour or day of its edge."""

    __slots__ = ("cells", "changed", "falls_ms", "start_ms", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self.start_ms = 0
        self.cells: Cells | None = {}
        """None while nobody asked for a window of days since its panes were loaded."""
        self.changed = False
        """Whether a figure of the window may have changed since rules were last judged."""
        self.falls_ms = 0
        """The grid point at which its first pane falls out; past, if that is to be found anew."""


class Totals:
    """All windows of one partner. Closed before the panes are, with the same time."""

    def __init__(self, panes: PaneStore, sums: Sums, names: Collection[str], calendar: Calendar) -> None:
        self.names = names
        """Of the windows that somebody asks for."""
        self.calendar = calendar
        self._panes = panes
        self._sums = sums
        self.windows = tuple(WindowTotal(each) for each in WINDOWS if each.name in names or each is _PRESENCE)
        self._by_edge = tuple(tuple(each for each in self.windows if each.window.edge is edge) for edge in Edge)
        self._presence = next(each for each in self.windows if each.window is _PRESENCE)
        self._wide = [each for each in self.windows if each.window.edge in {Edge.MINUTE, Edge.QUARTER} and each.window.width_ms >= HOUR_MS]
        """Which a start does not sum from their panes."""
        self._fresh: list[Cells] = [{}, {}, {}]
        """What closed since the last full minute, since the last full quarter hour up to there, and since midnight up to there."""
        self._began = [0, 0, 0]
        """The beginnings of these stretches: the last full minute, quarter hour and midnight."""
        self._known: set[Cell] = set()
        """The cells of the presence when it was last asked for."""
        self.places_changed = True
        """Whether a cell may have come or gone since the places were last asked for."""

    def _edges_at(self, at_ms: int) -> list[int]:
        return [at_ms - at_ms % MINUTE_MS, at_ms - at_ms % QUARTER_MS, day_start(at_ms, self.calendar.zone)]

    def close(self, closed_ms: int) -> None:
        """Take what closed up to `closed_ms`, a grid point, and lose what fell out; the panes are settled, and did not advance yet."""
        closing, (_, quarter_ms, day_ms) = self._panes.closing(closed_ms), self._began
        for start, cells in closing:
            self._hand_up(start)
            for total in self._by_edge[Edge.GRID]:
                _change(total, add_cells, cells)
            add_cells(self._fresh[0], cells)
            self.places_changed |= not cells.keys() <= self._known
        self._hand_up(closed_ms)
        for total in self.windows:
            total.changed |= bool(closing)
            if total.window.edge is not Edge.DAY or day_ms != self._began[-1]:
                self._lose(total, closed_ms)
        if quarter_ms != self._began[1]:
            self._note_sums()

    def _note_sums(self) -> None:
        """Have a start begin with what stands in wide windows now."""
        _, quarter_ms, day_ms = self._began
        sums = {_TODAY: (day_ms, quarter_ms, self._fresh[2])}
        for total in self._wide:
            sums[total.window.name] = (total.start_ms, self._end_of(total, 0), total.cells or {})
        self._sums.take(sums)

    def _hand_up(self, at_ms: int) -> None:
        """Give the minutes, quarter hours and days that are over by `at_ms` to their windows, and to the next coarser stretch."""
        if at_ms - self._began[0] < MINUTE_MS:
            return
        for edge, began in zip((Edge.MINUTE, Edge.QUARTER, Edge.DAY), self._edges_at(at_ms), strict=True):
            if began == self._began[edge - 1]:
                return
            over, self._fresh[edge - 1], self._began[edge - 1] = self._fresh[edge - 1], {}, began
            for total in self._by_edge[edge]:
                _change(total, add_cells, over)
            if edge is not Edge.DAY:
                add_cells(self._fresh[edge], over)

    def _lose(self, total: WindowTotal, closed_ms: int) -> None:
        old, total.start_ms = total.start_ms, total.window.start(closed_ms, self.calendar)
        if total.start_ms == old or total.falls_ms > closed_ms:
            return
        if not total.cells:
            total.changed |= total.cells is None
            return
        held = len(total.cells)
        if total.start_ms >= self._end_of(total, closed_ms):
            total.cells, total.changed = {}, True
        else:
            for cells in self._panes.cells_between(old, total.start_ms):
                subtract_cells(total.cells, cells)
                total.changed = True
        if total is self._presence:
            self.places_changed |= len(total.cells) != held

    def _end_of(self, total: WindowTotal, closed_ms: int) -> int:
        """Where what is summed in the total itself ends."""
        edge = total.window.edge
        return closed_ms if edge is Edge.GRID else self._began[edge - 1]

    def change(self, how: "Change", at_ms: int, cells: Cells) -> None:
        """Add or take off what an event of `at_ms` counts, before the last closed grid point; what becomes zero throughout is removed."""
        self.places_changed = True
        self._sums.change(how, at_ms, cells)
        for began, fresh in zip(self._began, self._fresh, strict=True):
            if at_ms >= began:
                how(fresh, cells)
                break
        for total in self.windows:
            if at_ms >= total.start_ms:
                total.changed, total.falls_ms = True, 0
                if at_ms < self._end_of(total, self._panes.closed_ms):
                    _change(total, how, cells)

    def parts(self, total: WindowTotal) -> list[Cells]:
        """The cells that sum up to the window over closed panes; each belongs to the totals."""
        if total.cells is None:
            total.cells = self._panes.sum_between(total.start_ms, self._began[-1])
        return [total.cells, *self._fresh[: total.window.edge]]

    def presence(self) -> list[Cells]:
        """The parts of the last 24 hours."""
        return self.parts(self._presence)

    def cells(self) -> set[Cell]:
        """The cells that have figures in the last 24 hours."""
        return {cell for cells in self.presence() for cell in cells}

    def places(self) -> set[tuple[str | None, str | None]]:
        """The queues and channels that have figures in the last 24 hours."""
        self._known = self.cells()
        return {(cell.queue, cell.channel) for cell in self._known}

    @property
    def presence_ms(self) -> int:
        """When these 24 hours begin."""
        return self._presence.start_ms

    def next_ms(self) -> int | None:
        """The next grid point at which something falls out of a window that is cut by less than quarter hours; None if nothing does."""
        due: list[int] = []
        for total in (*self._by_edge[Edge.GRID], *self._by_edge[Edge.MINUTE]):
            if not any(self.parts(total)):
                continue
            if total.falls_ms <= self._panes.closed_ms:
                first, edge_ms = self._panes.first_from(total.start_ms), total.window.edge_ms
                assert first is not None, "what is summed stands in a pane"
                total.falls_ms = first - first % edge_ms + edge_ms + total.window.width_ms
            due.append(total.falls_ms)
        return min(due, default=None)

    def rebuild(self) -> None:
        """Sum anew, from the panes and from the sums of the last full quarter hour, all but windows of days."""
        closed_ms = self._panes.closed_ms
        if closed_ms == 0:
            return
        self._began = self._edges_at(closed_ms)
        for total in self.windows:
            total.start_ms = total.window.start(closed_ms, self.calendar)
            total.changed, total.falls_ms = True, 0
        self.places_changed = True
        wide = {total: found for total in self._wide if (found := self._sum(total.window.name)) is not None}
        today = self._sum(_TODAY)
        if today is not None and (today.start_ms, today.end_ms) != (self._began[2], self._began[1]):
            today = None  # Cut by another zone.
        ends = (closed_ms, *self._began)
        narrow = [total for total in self.windows if total.window.edge is not Edge.DAY and total not in wide]
        cuts = {*ends[: 3 if today else 4], *(total.start_ms for total in narrow), *(each.end_ms for each in wide.values())}
        stretches = _Stretches(self._panes, cuts)
        self._fresh = [stretches.add_to({}, low, high) for high, low in pairwise(ends)]
        if today:
            self._fresh[2] = dict(today.pane.cells())
        for total in narrow:
            total.cells = stretches.add_to({}, total.start_ms, self._end_of(total, closed_ms))
        for total, found in wide.items():
            total.cells = stretches.add_to(dict(found.pane.cells()), found.end_ms, self._end_of(total, closed_ms))
            subtract_cells(total.cells, self._panes.sum_between(found.start_ms, total.start_ms))
        for total in self._by_edge[Edge.DAY]:
            total.cells = {} if total.window.since == "day" else None

    def _sum(self, name: str) -> Sum | None:
        """What was noted in the quarter hour that was last over, if anything was."""
        found = self._sums.of.get(name)
        return found if found is not None and found.end_ms >= self._began[1] else None


class _Stretches:
    """Panes summed from one cut to the next: each once, since wider windows hold the narrower."""

    def __init__(self, panes: PaneStore, cuts: Iterable[int]) -> None:
        self._sums = [(low, panes.sum_between(low, high)) for high, low in pairwise(sorted(cuts, reverse=True))]

    def add_to(self, cells: Cells, low_ms: int, high_ms: int) -> Cells:
        """Add what lies from one cut to another; returns `cells`."""
        for at, stretch in self._sums:
            if low_ms <= at < high_ms:
                add_cells(cells, stretch)
        return cells


Change = Callable[[Cells, Cells], None]
"""`add_cells` or `subtract_cells`."""


def _change(total: WindowTotal, how: Change, cells: Cells) -> None:
    if total.cells is not None:
        how(total.cells, cells)


@lru_cache(maxsize=65_536)
def scopes_in(cell: Cell) -> tuple[Scope, ...]:
    """The scopes that a cell counts in: that of a side in no other, since what it counts is counted in the others too."""
    return (Scope.parse(cell.side),) if isinstance(cell, SideCell) else scopes_of(cell.queue, cell.channel)


@lru_cache(maxsize=65_536)
def parts_in(cell: Cell) -> tuple[Scope, ...]:
    """Those of `scopes_in` that are not the whole partner."""
    return tuple(scope for scope in scopes_in(cell) if scope != ALL)


def sides_in(cells: Iterable[Cell]) -> set[Scope]:
    """The scopes of those of the cells that are of a side."""
    return {Scope.parse(cell.side) for cell in cells if isinstance(cell, SideCell)}


@lru_cache(maxsize=65_536)
def scopes_of(queue: str | None, channel: str | None, sides: str = "") -> tuple[Scope, ...]:
    """The scopes of what has a queue, a channel, and sides as `streams.engine.sides` writes them."""
    scopes = [ALL]
    if queue is not None:
        scopes.append(Scope("queue", queue))
    if channel is not None:
        scopes.append(Scope("channel", channel))
    return (*scopes, *map(Scope.parse, parted(sides)))


def flats(parts: Iterable[Cells]) -> dict[Scope, int]:
    """Packed flat vectors by scope, summed from cells."""
    summed: dict[Scope, int] = {}
    for cells in parts:
        for cell, packed in cells.items():
            for scope in scopes_in(cell):
                summed[scope] = summed.get(scope, 0) + packed
    return summed


def blind_sides(summed: Mapping[Scope, int]) -> frozenset[str]:
    """The sides that nobody names who abandoned: of the offered only the answered are known there, and a share of them would flatter."""
    if not summed.get(ALL, 0) & _ABANDONED:
        return frozenset()
    return frozenset(SIDES) - {scope.dimension for scope, packed in summed.items() if packed & _ABANDONED}


def flat_of_all(parts: Iterable[Cells]) -> int:
    """The packed flat vector of all cells together, of which none is of a side."""
    return sum(sum(cells.values()) for cells in parts)


def flat_beside(parts: Iterable[Cells]) -> int:
    """As `flat_of_all`, of cells of which some are of sides."""
    return sum(sum([packed for cell, packed in cells.items() if not isinstance(cell, SideCell)]) for cells in parts)
