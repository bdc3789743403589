"""Sums: what wide windows came to when a quarter hour was over, in rows of their own, so that a start need not add up a day.

A start would sum every pane of the last 24 hours; with what stood in the windows at the last full quarter hour it sums those of half
an hour, and what closed since. What is late, or taken back, changes a sum along with the pane that it is counted in.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from streams.engine import rows
from streams.engine.cells import Cells
from streams.engine.panes import Pane

__all__ = ["Sum", "Sums"]

_KIND: Final = "sum"


class Sum(NamedTuple):
    """The cells of [start_ms, end_ms), which are copied before anything else is done with them."""

    start_ms: int
    end_ms: int
    pane: Pane


class Sums:
    """Of one partner, by name."""

    def __init__(self, partner_id: str) -> None:
        self._partner_id = partner_id
        self.of: dict[str, Sum] = {}
        self._written: dict[str, int] = {}
        """How many rows each has."""
        self._dirty: set[str] = set()

    def take(self, sums: dict[str, tuple[int, int, Cells]]) -> None:
        """Have these (start_ms, end_ms, cells), which are copied, be all."""
        self._dirty |= self.of.keys() | sums.keys()
        self.of = {name: Sum(start_ms, end_ms, Pane()) for name, (start_ms, end_ms, _) in sums.items()}
        for name, (_, _, cells) in sums.items():
            self.of[name].pane.add(cells, {})

    def change(self, how: Callable[[Cells, Cells], None], at_ms: int, cells: Cells) -> None:
        """Add or take off what was counted late at `at_ms`."""
        for name, (start_ms, end_ms, pane) in self.of.items():
            if start_ms <= at_ms < end_ms:
                how(pane.cells(), cells)
                self._dirty.add(name)

    def to_row(self) -> list[Any]:
        """What each is of; the cells stand in rows of their own."""
        return [[name, each.start_ms, each.end_ms] for name, each in self.of.items()]

    def from_row(self, row: list[Any]) -> None:
        """The opposite of `to_row`, before `load`."""
        self.of = {name: Sum(start_ms, end_ms, Pane()) for name, start_ms, end_ms in row}
        self._dirty.clear()

    def load(self, name: str, value: bytes) -> None:
        """Take a stored row; chunks come in any order."""
        self.of[name].pane.store(value)
        self._written[name] = self._written.get(name, 0) + 1

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call; what was looked at is frozen again."""
        for name in sorted(self._dirty):
            chunks = self.of[name].pane.encoded() if name in self.of else ()
            for chunk, value in enumerate(chunks):
                yield self._key(name, chunk), value
            for chunk in range(len(chunks), self._written.get(name, 0)):
                yield self._key(name, chunk), None
            self._written[name] = len(chunks)
            if chunks:
                self.of[name] = self.of[name]._replace(pane=Pane(chunks))
        self._dirty.clear()

    def snapshot(self) -> dict[str, tuple[int, int, Cells]]:
        """All of it, for comparison."""
        return {name: (each.start_ms, each.end_ms, each.pane.cells()) for name, each in self.of.items()}

    def _key(self, name: str, chunk: int) -> bytes:
        return rows.key(_KIND, self._partner_id, name, chunk)
