"""Seen ids: which events were counted already.

Guarantee: an id is recognised for `horizon_ms` after its first arrival (Kafka timestamps of its partition number), unless more
than `limit` ids arrived in that time, which is counted. Cost: one 64-bit hash, about 70 bytes in memory and 8 in the state an id. A false
positive, two ids of one partner with the same hash, has odds of n/2^64.
"""

from array import array
from collections.abc import Iterator
from typing import Final

from models.windows import MINUTE_MS
from streams.engine import rows

__all__ = ["SeenIds"]

_IDS_A_ROW: Final = 32_000
"""256 kB of hashes."""


class SeenIds:
    """The hashes of one partition number, by minute of arrival, in append-only rows."""

    def __init__(self, horizon_ms: int, limit: int) -> None:
        self._horizon_ms = horizon_ms
        self._limit = limit
        self.hashes: set[int] = set()
        """Membership is tested here, in the fold."""
        self._slots: dict[int, array[int]] = {}
        self._unwritten: dict[int, array[int]] = {}
        self._chunks: dict[int, list[int]] = {}
        self._deleted: list[tuple[int, int]] = []

    def adder(self, arrived_ms: int) -> "array[int]":
        """Where the fold appends the hashes that arrive in the minute of `arrived_ms`, each also to `hashes`."""
        return self._unwritten.setdefault(arrived_ms // MINUTE_MS, array("Q"))

    def expire(self, frontier_ms: int) -> int:
        """Forget what arrived before the horizon; returns how many ids the limit made us forget early."""
        oldest = (frontier_ms - self._horizon_ms) // MINUTE_MS
        for slot in [s for s in self._slots if s < oldest]:
            self._forget(slot)
        early = 0
        while len(self.hashes) > self._limit and len(self._slots) > 1:
            early += self._forget(min(self._slots))
        return early

    def _forget(self, slot: int) -> int:
        gone = self._slots.pop(slot)
        self.hashes.difference_update(gone)
        self._deleted.extend((slot, chunk) for chunk in self._chunks.pop(slot, ()))
        return len(gone)

    def drain(self, sequence: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Rows for the ids of this commit, and tombstones for those that were forgotten."""
        for slot, chunk in self._deleted:
            yield rows.key("ids", slot, chunk), None
        self._deleted.clear()
        part = 0
        for slot, hashes in self._unwritten.items():
            for at in range(0, len(hashes), _IDS_A_ROW):
                chunk = sequence * 1000 + part
                part += 1
                self._chunks.setdefault(slot, []).append(chunk)
                yield rows.key("ids", slot, chunk), rows.pack_hashes(hashes[at : at + _IDS_A_ROW])
            self._slots.setdefault(slot, array("Q")).extend(hashes)
        self._unwritten.clear()

    def load(self, slot: int, chunk: int, hashes: "array[int]") -> None:
        """Take a stored row."""
        self.hashes.update(hashes)
        self._slots.setdefault(slot, array("Q")).extend(hashes)
        self._chunks.setdefault(slot, []).append(chunk)
