"""Rows of a log that is forgotten by slots of time: appended to while a slot lives, written anew as few, and gone with it.

A slot collects a row a commit. Once it is over, or has many, it is written anew as one value, or a few: each entry is written
twice, and at rest a slot is a row or two.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from streams.engine import rows

__all__ = ["SlotRows"]

_ROWS_MAX: Final = 64
"""Of a slot that is over and that late entries come to; one more and it is written anew."""


class SlotRows:
    """The keys of the rows of one kind, by slot: its number is a time divided by the slot's length."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._chunks: dict[int, list[int]] = {}
        self._appended: dict[int, int] = {}
        """How many rows a slot got since it was written anew."""
        self._gone: list[tuple[int, int]] = []
        self._over = 0
        """Slots before this were over when that was last looked at."""

    def append(self, slot: int, values: Iterable[bytes], sequence: int) -> Iterator[tuple[bytes, bytes]]:
        """Rows with these values."""
        chunks = self._chunks.setdefault(slot, [])
        for part, value in enumerate(values):
            chunk = sequence * 1000 + part
            chunks.append(chunk)
            self._appended[slot] = self._appended.get(slot, 0) + 1
            yield rows.key(self._kind, slot, chunk), value

    def replace(self, slot: int, values: Iterable[bytes], sequence: int) -> Iterator[tuple[bytes, bytes]]:
        """Rows with these values in place of all that the slot has."""
        self.forget(slot)
        yield from self.append(slot, values, sequence)
        self._appended.pop(slot, None)

    def forget(self, slot: int) -> None:
        """Have the slot's rows deleted."""
        self._gone += [(slot, chunk) for chunk in self._chunks.pop(slot, ())]
        self._appended.pop(slot, None)

    def scattered(self, now: int) -> list[int]:
        """The slots that should be written anew, `now` being the slot of the present."""
        over = self._over or now - 1
        self._over = max(over, now - 1)
        many = [(slot, count > _ROWS_MAX) for slot, count in self._appended.items() if count > 1 and slot < self._over]
        return [slot for slot, late in many if late or slot >= over]

    def tombstones(self) -> Iterator[tuple[bytes, None]]:
        """For the rows that were forgotten since the last call; to be asked for after all else of a commit."""
        gone, self._gone = self._gone, []
        for slot, chunk in gone:
            yield rows.key(self._kind, slot, chunk), None

    def load(self, slot: int, chunk: int) -> None:
        """There is such a row; they come in any order."""
        self._chunks.setdefault(slot, []).append(chunk)
        self._appended[slot] = self._appended.get(slot, 0) + 1
