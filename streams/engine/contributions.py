"""Contributions: what each contact record counted, so that the record, sent again with a newer `updated_at`, can take it back.

Guarantee: the newest of a contact's records counts, in whatever order they come, if each comes within `retention` of the one before
it (Kafka time of arrival, whole hours), unless more than `limit` came in that time, which is counted. Cost: some 500 bytes in memory
and 250 in the state a contact. Contacts are 64-bit hashes, seeded by their partner.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson

from models.measures import WIDTHS, Family
from models.windows import HOUR_MS
from streams.engine import rows
from streams.engine.cells import Cell
from streams.engine.slotted import SlotRows

__all__ = ["Contribution", "Contributions"]

_ROW_BYTES: Final = 150_000
"""A row ends after this; an entry has at most 2 kB, and 5 kB more with 20 KPIs of the policy's own."""
_FLOOR_SLOT: Final = -1
"""Of the row that says what was forgotten early."""
_WIDTH: Final = WIDTHS[Family.INTERACTIONS]
_OWN: Final = 3
"""What was counted for a KPI of the policy's own has one field more than this: the formula."""
_PLACE_FIELDS: Final = 4
"""Of an entry, before its visit."""


class Contribution(NamedTuple):
    """What one record counted."""

    updated_ms: int
    cell: Cell
    counted: dict[int, list[int]]
    """By time (ms), a vector of the interactions' family, and behind its measures the keys of bins."""
    customs: dict[tuple[int, int], list[int]]
    """By the fingerprint of a formula of the policy and time (ms), a vector of that family; those of zeros left out."""
    visit: bytes | None = None
    """Its entry in the contact history, if it has one."""
    sides: str = ""
    """What it counted in beside the cell."""


class Contributions:
    """Those of one partition number, by slots of an hour of their arrival."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[int, bytes] = {}
        """By contact: its entry, as rows hold it."""
        self._slots: dict[int, array[int]] = {}
        """The contacts whose records came in an hour, also those that came again later."""
        self._entries = 0
        self._unwritten: dict[int, list[bytes]] = {}
        self._stale: set[int] = set()
        """Hours out of which somebody was erased."""
        self._rows = SlotRows("records")
        self._floor_ms = 0
        """What came before this was forgotten early."""
        self._floor_changed = False
        self._early = 0
        self._loaded: list[tuple[int, list[list[Any]]]] = []

    def __len__(self) -> int:
        """How many contacts are held."""
        return len(self._held)

    def since_ms(self, arrived_ms: int, retention_ms: int) -> int:
        """From when on everything that came is still known to a record that comes at `arrived_ms`."""
        oldest_ms = arrived_ms - retention_ms
        return max(oldest_ms - oldest_ms % HOUR_MS, self._floor_ms)

    def find(self, contact: int, since_ms: int) -> Contribution | None:
        """What the contact's last record counted, if it came at or after `since_ms`."""
        entry = self._held.get(contact)
        if entry is None or _slot_of(entry) * HOUR_MS < since_ms:
            return None
        _, _, updated_ms, place, *told = orjson.loads(entry)
        cell = Cell(Family.INTERACTIONS, *place[:_PLACE_FIELDS])
        more = dict(zip(("visit", "sides"), place[_PLACE_FIELDS:], strict=False))  # What ends earlier knew of none.
        visit, sides = more.get("visit"), more.get("sides", "")
        counted, customs = [each for each in told if len(each) <= _OWN], [each for each in told if len(each) > _OWN]
        vectors = {at_ms: [*vector, *[0] * (_WIDTH - len(vector)), *chain(*keys)] for at_ms, vector, *keys in counted}
        formulas = {(formula, at_ms): vector for at_ms, vector, _, formula in customs}
        return Contribution(updated_ms, cell, vectors, formulas, bytes.fromhex(visit) if visit else None, sides)

    def put(self, contact: int, arrived_ms: int, contribution: Contribution) -> None:
        """Remember what a record counted, in place of what was known of its contact; nothing, where one hour has as many as may be."""
        visit = None if contribution.visit is None else contribution.visit.hex()
        slot, more = arrived_ms // HOUR_MS, [visit, contribution.sides]
        place = [*contribution.cell[1 : 1 + _PLACE_FIELDS], *(more if any(more) else ())]
        counted = [(at_ms, vector[:_WIDTH], vector[_WIDTH:]) for at_ms, vector in contribution.counted.items()]
        customs = [(at_ms, vector, (), formula) for (formula, at_ms), vector in contribution.customs.items()]
        entry = rows.kept([slot, contact, contribution.updated_ms, place, *counted, *customs])
        if self._entries >= self._limit and self._slots.keys() == {slot} and contact not in self._held:
            self._early += 1
            return
        before = self._held.get(contact)
        self._held[contact] = entry
        if before is None or _slot_of(before) != slot:
            self._note(slot, contact)
        self._unwritten.setdefault(slot, []).append(entry)
        while self._entries > self._limit and len(self._slots) > 1:
            oldest = min(self._slots)
            self._early += self._forget(oldest)
            self._floor_ms, self._floor_changed = (oldest + 1) * HOUR_MS, True

    def _note(self, slot: int, contact: int) -> None:
        self._slots.setdefault(slot, array("Q")).append(contact)
        self._entries += 1

    def expire(self, before_ms: int) -> None:
        """Forget what came in hours before that of `before_ms`."""
        for slot in [slot for slot in self._slots if slot < before_ms // HOUR_MS]:
            self._forget(slot)

    def _forget(self, slot: int) -> int:
        """Forget an hour; how many contacts were known by it."""
        gone = self._slots.pop(slot)
        self._entries -= len(gone)
        self._unwritten.pop(slot, None)
        self._stale.discard(slot)
        self._rows.forget(slot)
        known = {contact for contact in gone if (entry := self._held.get(contact)) is not None and _slot_of(entry) == slot}
        for contact in known:
            del self._held[contact]
        return len(known)

    def erase(self, customer: int) -> None:
        """Forget the visits of a customer, by the hash of the key; what the records counted stays known."""
        start = b',"%016x' % customer
        for contact, entry in self._held.items():
            at = entry.find(start)
            if at >= 0:
                end = entry.index(b'"', at + len(start)) + 1
                self._held[contact] = entry[:at] + entry[end:]
                self._stale.add(_slot_of(entry))

    def take_forgotten(self) -> int:
        """How many contacts the limit made us forget since the last call."""
        early, self._early = self._early, 0
        return early

    def drain(self, sequence: int, now_ms: int) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows of this commit; `now_ms` is the frontier."""
        for slot in {*self._rows.scattered(now_ms // HOUR_MS), *self._stale}:
            self._unwritten.pop(slot, None)
            found = (self._held.get(contact) for contact in dict.fromkeys(self._slots[slot]))
            entries = [entry for entry in found if entry is not None and _slot_of(entry) == slot]
            self._entries -= len(self._slots[slot]) - len(entries)
            self._slots[slot] = array("Q", [orjson.loads(entry)[1] for entry in entries])
            yield from self._rows.replace(slot, _values(entries), sequence)
        self._stale.clear()
        for slot, entries in self._unwritten.items():
            yield from self._rows.append(slot, _values(entries), sequence)
        self._unwritten.clear()
        if self._floor_changed:
            self._floor_changed = False
            yield rows.key("records", _FLOOR_SLOT, 0), rows.pack(self._floor_ms)
        yield from self._rows.tombstones()

    def load(self, slot: int, chunk: int, content: Any) -> None:
        """Take a stored row; `loaded` replays them in order."""
        if slot == _FLOOR_SLOT:
            self._floor_ms = content
            return
        self._rows.load(slot, chunk)
        self._loaded.append((chunk, content))

    def loaded(self) -> None:
        """Replay the rows, once all were taken."""
        newest: dict[int, int] = {}
        noted: set[tuple[int, int]] = set()
        for _, entries in sorted(self._loaded, key=lambda row: row[0]):
            for entry in entries:
                slot, contact, updated_ms = entry[:3]
                if (slot, contact) not in noted:
                    noted.add((slot, contact))
                    self._note(slot, contact)
                # Rows of one commit, for two hours, are in no order.
                if newest.get(contact, -1) < updated_ms:
                    newest[contact], self._held[contact] = updated_ms, rows.kept(entry)
        self._loaded.clear()

    def snapshot(self) -> dict[int, bytes]:
        """The entry of each contact, for comparison."""
        return dict(self._held)


def _slot_of(entry: bytes) -> int:
    return int(entry[1 : entry.index(b",")])


def _values(entries: Iterable[bytes]) -> Iterator[bytes]:
    """The rows' values."""
    some: list[bytes] = []
    size = 0
    for entry in entries:
        some.append(entry)
        size += len(entry)
        if size >= _ROW_BYTES:
            yield rows.PREFIX + b"[%s]" % b",".join(some)
            some, size = [], 0
    if some:
        yield rows.PREFIX + b"[%s]" % b",".join(some)
