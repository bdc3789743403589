"""Running totals of the rolling windows over closed panes: an event costs the same whatever the number and width of windows.

A window's total takes the panes that closed and loses those that fell out whenever a grid point is closed; a late event is added
to every total that reaches back to it. Live figures add the open panes when they are asked for.
"""

from collections.abc import Iterable
from functools import lru_cache

from models.windows import WINDOWS, Scope, Window
from streams.engine.cells import Cells, add_cells, subtract_cells
from streams.engine.panes import PaneStore

__all__ = ["ALL", "WindowTotal", "flat_of_all", "flats", "new_totals", "rebuild", "scopes_of"]

ALL = Scope("all")


class WindowTotal:
    """The sum of the closed panes of [start_ms, closed), by cell."""

    __slots__ = ("cells", "changed", "places_changed", "start_ms", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self.start_ms = 0
        self.cells: Cells = {}
        self.changed = False
        """Whether a figure of the window may have changed since rules were last judged."""
        self.places_changed = True
        """Whether a cell may have come or gone since that was last asked."""

    def close(self, panes: PaneStore, closed_ms: int) -> None:
        """Take what closed up to `closed_ms` and lose what fell out. Call before `panes` advances."""
        start, before = self.window.start(closed_ms), panes.closed_ms
        old = self.start_ms
        self.start_ms = start
        if start >= before:
            if self.cells:
                self.cells, self.changed, self.places_changed = {}, True, True
            self._add(panes, start, closed_ms)
            return
        if self.cells and start > old:
            held = len(self.cells)
            for cells in panes.cells_between(old, start):
                subtract_cells(self.cells, cells)
                self.changed = True
            self.places_changed |= len(self.cells) != held
        self._add(panes, before, closed_ms)

    def _add(self, panes: PaneStore, low: int, high: int) -> None:
        held = len(self.cells)
        for cells in panes.cells_between(low, high):
            add_cells(self.cells, cells)
            self.changed = True
        self.places_changed |= len(self.cells) != held

    def add_late(self, at_ms: int, cells: Cells) -> None:
        """Count an event of `at_ms`, before the last closed grid point, if the window reaches back to it."""
        if at_ms >= self.start_ms:
            add_cells(self.cells, cells)
            self.changed = self.places_changed = True

    def take_off_late(self, at_ms: int, cells: Cells) -> None:
        """The opposite of `add_late`; what becomes zero throughout is removed."""
        if at_ms >= self.start_ms:
            subtract_cells(self.cells, cells)
            self.changed = self.places_changed = True


@lru_cache(maxsize=65_536)
def scopes_of(queue: str | None, channel: str | None) -> tuple[Scope, ...]:
    """The scopes that a cell counts in."""
    scopes = [ALL]
    if queue is not None:
        scopes.append(Scope("queue", queue))
    if channel is not None:
        scopes.append(Scope("channel", channel))
    return tuple(scopes)


def new_totals() -> tuple[WindowTotal, ...]:
    """One total for each window, shape (len(WINDOWS),)."""
    return tuple(WindowTotal(window) for window in WINDOWS)


def rebuild(totals: Iterable[WindowTotal], panes: PaneStore) -> None:
    """Sum the windows, narrowest first, anew from the panes: each pane once, since the wider hold the narrower."""
    cells: Cells = {}
    end_ms = panes.closed_ms
    for total in totals:
        total.start_ms = total.window.start(panes.closed_ms)
        add_cells(cells, panes.sum_between(total.start_ms, end_ms))
        end_ms = total.start_ms
        total.cells, total.places_changed = dict(cells), True
        total.changed = total.changed or bool(cells)


def flats(parts: Iterable[Cells]) -> dict[Scope, int]:
    """Packed flat vectors by scope: all, each queue, each channel, summed from cells."""
    summed: dict[Scope, int] = {}
    for cells in parts:
        for cell, packed in cells.items():
            for scope in scopes_of(cell.queue, cell.channel):
                summed[scope] = summed.get(scope, 0) + packed
    return summed


def flat_of_all(parts: Iterable[Cells]) -> int:
    """The packed flat vector of all cells together."""
    return sum(sum(cells.values()) for cells in parts)
