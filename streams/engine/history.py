"""Contact history: when customers were in contact, so that a repeat is known as one, and the contact before it as not resolved.

Guarantee: figures are those of all visits in whatever order they come, for what comes up to 48 hours late, unless more than `limit`
visits are held at a time, or more than `VISITS_MAX` of one customer: the oldest are forgotten then, and counted. Nothing is held for
partners whose definitions ask for no repeats. Cost: see docs/sizing.md. Customers, chains and reasons are hashes: of customers 64 bits
of their key, which is a keyed hash itself.

In the state this is a log of entries of 32 bytes by quarter hours of the visit, of all partners, a row for each place that entries
refer to, and one for each partner that says what was judged.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from models.measures import Family
from models.windows import QUARTER_MS
from streams.engine import rows
from streams.engine.cells import Cell
from streams.engine.slotted import SlotRows
from streams.engine.visitors import Visitors
from streams.engine.visits import ENTRY, TAKEN_BACK, Place

__all__ = ["History"]

_ENTRIES_A_ROW: Final = 7_500
"""240 kB."""


class History:
    """The visits of one partition number."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places: dict[int, Place] = {}
        self._numbers: dict[Place, int] = {}
        self._new_places: dict[int, Place | None] = {}
        """Whose row is to be written, or deleted."""
        self._gone: list[str] = []
        """Partners whose row is to be deleted."""
        self.by_partner: dict[str, Visitors] = {}
        self._slots: dict[int, bytearray] = {}
        """By quarter hour: the entries, in the order in which they came."""
        self._written: dict[int, int] = {}
        """How many bytes of it stand in rows."""
        self._changed: set[int] = set()
        self._stale: set[int] = set()
        """Quarter hours out of which somebody was erased."""
        self._rows = SlotRows("history")
        self._full = False
        self.dropped = 0
        """Visits that the limits made us forget since it was last asked."""
        self._loaded: list[tuple[int, int, bytes]] = []

    def of(self, partner_id: str) -> Visitors:
        """The customers of a partner."""
        visitors = self.by_partner.get(partner_id)
        if visitors is None:
            visitors = self.by_partner[partner_id] = Visitors(self, self._places)
        return visitors

    def release(self, partner_id: str) -> None:
        """Hold nothing for a partner that is gone; call after `drain`."""
        visitors = self.by_partner.pop(partner_id, None)
        if visitors is not None and visitors.matured_ms:
            self._gone.append(partner_id)
        for place in [place for place in self._numbers if place.partner_id == partner_id]:
            number = self._numbers.pop(place)
            self._new_places[number] = None
            del self._places[number]

    def place(self, partner_id: str, cell: Cell) -> int:
        """The number of a place, given when it is first asked for."""
        place = Place(partner_id, cell)
        number = self._numbers.get(place)
        if number is None:
            number = max(self._places, default=-1) + 1
            self._put(number, place)
            self._new_places[number] = place
        return number

    def _put(self, number: int, place: Place) -> None:
        self._places[number] = place
        self._numbers[place] = number
        visitors = self.of(place.partner_id)
        visitors.window_ms = max(visitors.window_ms, place.cell.within_ms)

    def append(self, slot: int, entry: bytes) -> bool:
        """Put an entry into the log; false where more than the limit came within one quarter hour."""
        entries = self._slots.get(slot)
        if entries is None:
            entries = self._slots[slot] = bytearray()
        elif self._full:
            self.dropped += 1
            return False
        entries += entry
        self._changed.add(slot)
        return True

    def erase(self, customer: int) -> int:
        """Forget a customer of every partner by the hash of the key; of how many partners one was known. What was counted stays."""
        needle = customer.to_bytes(8, "big")
        known = 0
        for visitors in self.by_partner.values():
            here = visitors.held.pop(customer, None) is not None
            for slot, entries in list(visitors.pending.items()):
                left = _without(entries, needle)
                here |= len(left) < len(entries)
                visitors.pending[slot] = left
            known += here
        for slot, entries in self._slots.items():
            if needle in entries and len(left := _without(entries, needle)) < len(entries):
                self._slots[slot] = left
                self._stale.add(slot)
        return known

    def expire(self) -> None:
        """Forget the quarter hours of which every partner has judged all."""
        before_ms = min((visitors.matured_ms for visitors in self.by_partner.values() if visitors), default=None)
        for slot in [slot for slot in self._slots if before_ms is None or (slot + 1) * QUARTER_MS <= before_ms]:
            self._forget(slot)

    def _forget(self, slot: int) -> bytes:
        entries = bytes(self._slots.pop(slot))
        self._written.pop(slot, None)
        self._changed.discard(slot)
        self._stale.discard(slot)
        self._rows.forget(slot)
        return entries

    def _bound(self) -> None:
        """Forget the oldest quarter hours beyond the limit."""
        held, most = sum(map(len, self._slots.values())), self._limit * ENTRY.size
        while held > most and len(self._slots) > 1:
            slot = min(self._slots)
            entries = self._forget(slot)
            held -= len(entries)
            self.dropped += len(entries) // ENTRY.size
            for customer, _, _, _, number in ENTRY.iter_unpack(entries):
                place = self._places.get(number & ~TAKEN_BACK)
                if place is not None:
                    visitors = self.by_partner[place.partner_id]
                    visitors.pending.pop(slot, None)
                    visitors.forget(customer, (slot + 1) * QUARTER_MS)
        self._full = held > most

    def take_counts(self) -> tuple[int, int, int]:
        """Forget what exceeds the limit; visits that came too late, that were forgotten, and counts not replaced, since the last call."""
        if self._changed:
            self._bound()
        found = self.by_partner.values()
        counts = sum(each.late for each in found), self.dropped, sum(each.uncounted for each in found)
        self.dropped = 0
        for each in found:
            each.late = each.uncounted = 0
        return counts

    def drain(self, sequence: int, now_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows of this commit, after `take_counts`; `now_ms` is the frontier."""
        for slot in {*self._rows.scattered(now_ms // QUARTER_MS), *self._stale}:
            self._changed.discard(slot)
            self._written[slot] = len(self._slots[slot])
            yield from self._rows.replace(slot, _values(bytes(self._slots[slot])), sequence)
        self._stale.clear()
        for slot in sorted(self._changed):
            entries, begin = self._slots[slot], self._written.get(slot, 0)
            self._written[slot] = len(entries)
            yield from self._rows.append(slot, _values(bytes(entries[begin:])), sequence)
        self._changed.clear()
        for number, place in self._new_places.items():
            yield rows.key("place", number), None if place is None else rows.pack([place.partner_id, *place.cell[1:4]])
        self._new_places.clear()
        for partner_id in self._gone:
            yield rows.key("matured", partner_id), None
        self._gone.clear()
        for partner_id, visitors in self.by_partner.items():
            if visitors.matured_changed:
                visitors.matured_changed = False
                yield rows.key("matured", partner_id), rows.pack(visitors.matured_ms)
        yield from self._rows.tombstones()

    def load_place(self, number: int, content: list[Any]) -> None:
        """Take the row of a place; before entries."""
        partner_id, queue, channel, window_ms = content
        self._put(number, Place(partner_id, Cell(Family.HISTORY, queue, channel, window_ms, 0)))

    def load(self, slot: int, chunk: int, entries: bytes) -> None:
        """Take a stored row; `loaded` replays them in order."""
        self._rows.load(slot, chunk)
        self._loaded.append((slot, chunk, entries))

    def loaded(self, closed_ms: Mapping[str, int]) -> None:
        """Replay the rows, once all were taken, for partners that are closed up to these times."""
        for slot, _, entries in sorted(self._loaded):
            self._slots.setdefault(slot, bytearray()).extend(entries)
            self._written[slot] = len(self._slots[slot])
            parts: dict[str, bytearray] = {}
            for at, (_, _, _, _, number) in zip(range(0, len(entries), ENTRY.size), ENTRY.iter_unpack(entries), strict=True):
                place = self._places.get(number & ~TAKEN_BACK)
                if place is not None:
                    parts.setdefault(place.partner_id, bytearray()).extend(entries[at : at + ENTRY.size])
            for partner_id, own in parts.items():
                self.by_partner[partner_id].load(slot, bytes(own), closed_ms.get(partner_id, 0))
        self._loaded.clear()
        for visitors in self.by_partner.values():
            visitors.loaded()

    def snapshot(self) -> dict[str, Any]:
        """What is known of the customers of each partner, for comparison."""
        return {
            partner_id: (dict(each.held), {slot: bytes(own) for slot, own in each.pending.items() if own}, each.matured_ms)
            for partner_id, each in self.by_partner.items()
            if each
        }


def _without(entries: bytearray, customer: bytes) -> bytearray:
    """The entries that are not of a customer."""
    size = ENTRY.size
    each = (entries[at : at + size] for at in range(0, len(entries), size))
    return bytearray(b"".join([entry for entry in each if not entry.startswith(customer)]))


def _values(entries: bytes) -> Iterator[bytes]:
    """The rows' values."""
    size = _ENTRIES_A_ROW * ENTRY.size
    return (rows.PREFIX + entries[at : at + size] for at in range(0, len(entries), size))
