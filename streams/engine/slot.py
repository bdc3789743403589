"""Slots: a cell as the fold finds it, and those of the sides beside it."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from streams.engine.cells import Cell, SideCell
from streams.engine.panes import Pane

__all__ = ["SideSlots", "Slot"]

_REMEMBERED_MAX: Final = 200
"""Names of a side whose slot is remembered: twice as many as count apart."""


class Slot:
    """A cell as the fold finds it: its thresholds, and the vector of the pane it was last counted in."""

    __slots__ = ("cell", "customs", "first", "pane", "place", "second", "sides", "start", "vector")

    def __init__(self, cell: Cell, first: int, second: int, sides: "tuple[SideSlots, ...]" = ()) -> None:
        self.cell = cell
        self.place = cell.queue, cell.channel
        """The queue and channel of the events that count here; those of the cell, unless that is one for all that exceed a limit."""
        self.first = first
        """The service level threshold in ms; for surveys the end of the CSAT scale; for the history the repeat window, 0 without."""
        self.second = second
        """The short-abandon limit in ms; for surveys the end of the CES scale; for the history the number of the place."""
        self.sides = sides
        """Where else an event counts that counts here; empty unless the policy asks for it."""
        self.start = -1
        self.pane = Pane()
        self.vector: list[int] = []
        self.customs: dict[int, Slot] = {}
        """By its fingerprint, where each formula of the policy counts the events of this cell."""

    def beside(self, event: Any) -> "Iterator[Slot]":
        """The slots of an event's sides."""
        for side in self.sides:
            name = side.read(event)
            if name is not None:
                yield side.slots.get(name) or side.slot(name)


class SideSlots:
    """The slots of one side, by the name that events have, for all that counts in one family and under the same limits."""

    __slots__ = ("_like", "_named", "read", "slots")

    def __init__(self, read: Callable[[Any], str | None], named: Callable[[str], str], like: Slot) -> None:
        self.read = read
        """From an event to the name."""
        self.slots: dict[str, Slot] = {}
        self._named = named
        self._like = like

    def slot(self, name: str) -> Slot:
        """The slot of a name that has none yet."""
        like = self._like
        slot = Slot(
            SideCell(like.cell.family, None, None, like.cell.within_ms, like.cell.short_ms, self._named(name)), like.first, like.second
        )
        if len(self.slots) < _REMEMBERED_MAX:
            self.slots[name] = slot
        return slot
