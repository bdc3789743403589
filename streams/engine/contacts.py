"""Live contacts: who waits now, in which cell and since when.

A contact opens with `contact.queued` and closes with whatever comes first of answered, abandoned, completed and left, or expires.
A close that overtakes its opening is remembered for a bounded time, so that the opening does not leave a ghost waiting. In the
state this is a log: rows of opened and closed contacts, rewritten when more than half of it is dead. A contact that opens and
closes between two commits never stands in it.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from models.measures import FAMILIES, Family
from models.windows import MINUTE_MS
from streams.engine import rows
from streams.engine.counted import counted_of

__all__ = ["EXPIRED", "Contacts", "Place", "Waiting", "Waits"]

EARLY_CLOSE_MS: Final = 15 * MINUTE_MS
"""How long after a close its opening may be told.

Both are held against the time of the record that tells them, so that it never depends on when commits come. What is remembered is
looked through at commits, and kept for twice as long.
"""
_REWRITE_MIN: Final = 256
_ENTRIES_A_ROW: Final = 500
"""An entry has at most four names of 128 characters: 500 of them stay below 256 kB."""
_FIELDS: Final = 7
"""Of an entry without sides."""
_SIDED_A_ROW: Final = 200
"""Nine names with them: 200 stay below 256 kB where these are ASCII, and always below 1 MB."""
_ROWS_MAX: Final = 10_000
"""Of a commit."""

EXPIRED: Final = counted_of(Family.INTERACTIONS, [int(name == "expired") for name in FAMILIES[Family.INTERACTIONS]])
"""One live contact that never closed."""

Place = tuple[str | None, str | None] | tuple[str | None, str | None, str]
"""Queue and channel, and the sides where the policy asks for any."""
Waiting = tuple[int, Place, int]
"""A contact that waits: since when (ms), where, and the service level threshold (ms) that it is held to."""

Entry = tuple[str | int | None, ...]
"""Of the log: `-` closed, `+` opened, `!` closed early, `~` an early close forgotten; the partner, the contact, and what belongs to it."""


class Waits:
    """The live contacts of one partner; part of the way of every event, so that its dicts are open to the intake."""

    __slots__ = ("closed", "early", "early_log", "fresh", "kept", "partner_id")

    def __init__(self, partner_id: str) -> None:
        self.partner_id = partner_id
        self.kept: dict[str, Waiting] = {}
        """Waiting, and in the log."""
        self.fresh: dict[str, Waiting] = {}
        """Waiting since after the last commit."""
        self.closed: list[str] = []
        """What is in the log and closed since the last commit."""
        self.early: dict[str, int] = {}
        """Closes without an opening: when they occurred."""
        self.early_log: list[Entry] = []

    def __len__(self) -> int:
        """How many wait."""
        return len(self.kept) + len(self.fresh)

    def waiting(self) -> Iterator[Waiting]:
        """Everyone who waits."""
        return chain(self.kept.values(), self.fresh.values())

    def forget(self, contact_id: str) -> None:
        """Drop an early close."""
        del self.early[contact_id]
        self.early_log.append(("~", self.partner_id, contact_id))

    def entries(self) -> Iterator[Entry]:
        """What the log lacks: the same contact may have closed and opened again, so closes come first."""
        partner_id = self.partner_id
        yield from (("-", partner_id, contact_id) for contact_id in self.closed)
        yield from (_opened(partner_id, contact_id, waiting) for contact_id, waiting in self.fresh.items())
        yield from self.early_log

    def all_entries(self) -> Iterator[Entry]:
        """A log of all that is so."""
        yield from (_opened(self.partner_id, contact_id, each) for contact_id, each in chain(self.kept.items(), self.fresh.items()))
        yield from (("!", self.partner_id, contact_id, at_ms) for contact_id, at_ms in self.early.items())

    def written(self) -> None:
        """The log has it all."""
        self.kept.update(self.fresh)
        self.fresh.clear()
        self.closed.clear()
        self.early_log.clear()


def _opened(partner_id: str, contact_id: str, waiting: Waiting) -> Entry:
    queued_ms, place, within_ms = waiting
    return ("+", partner_id, contact_id, queued_ms, *place[:2], within_ms, *place[2:])


class Contacts:
    """The live contacts of one partition number."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.by_partner: dict[str, Waits] = {}
        self._dropped = 0
        self._open = 0
        self._early = 0
        self._forgotten_ms = 0
        """Closes before this are not held any more; at a full minute."""
        self._chunks: list[int] = []
        self._entries = 0
        self._loaded: list[tuple[int, list[list[Any]]]] = []

    def of(self, partner_id: str) -> Waits:
        """The contacts of a partner."""
        return self.by_partner.setdefault(partner_id, Waits(partner_id))

    def release(self, partner_id: str) -> None:
        """Hold nothing for a partner that is gone; call after `drain`."""
        waits = self.by_partner[partner_id]
        if not waits and not waits.early:
            del self.by_partner[partner_id]

    def open(self, waits: Waits, contact_id: str, waiting: Waiting, told_ms: int) -> None:
        """A contact began to wait, as was told at `told_ms`; nothing happens if it waits already or its close came first."""
        closed_ms = waits.early.get(contact_id)
        if closed_ms is not None and waiting[0] <= closed_ms and told_ms <= closed_ms + EARLY_CLOSE_MS:
            waits.forget(contact_id)
            self._early -= 1
        elif contact_id in waits.kept or contact_id in waits.fresh:
            pass
        elif self._open >= self._limit:
            self._dropped += 1
        else:
            waits.fresh[contact_id] = waiting
            self._open += 1

    def close(self, waits: Waits, contact_id: str, at_ms: int, told_ms: int, *, remember: bool) -> None:
        """A contact was answered, abandoned, completed or left, as was told at `told_ms`.

        `remember` it if it was not open, since its opening may still come.
        """
        if waits.kept.pop(contact_id, None) is not None:
            waits.closed.append(contact_id)
            self._open -= 1
        elif waits.fresh.pop(contact_id, None) is not None:
            self._open -= 1
        elif not remember or told_ms > at_ms + EARLY_CLOSE_MS:
            pass
        elif contact_id not in waits.early and self._early >= self._limit:
            self._dropped += 1
        elif at_ms > waits.early.get(contact_id, -1):
            self._early += contact_id not in waits.early
            waits.early[contact_id] = at_ms
            waits.early_log.append(("!", waits.partner_id, contact_id, at_ms))

    def expire(self, waits: Waits, before_ms: int) -> list[Waiting]:
        """Close what has waited since before `before_ms` and return it, to be counted."""
        gone = [(contact, since) for contact, since in chain(waits.kept.items(), waits.fresh.items()) if since[0] < before_ms]
        for contact, _ in gone:
            self.close(waits, contact, before_ms, before_ms, remember=False)
        return [waiting for _, waiting in gone]

    def forget_early(self, frontier_ms: int) -> None:
        """Drop early closes whose opening will not come any more; looked for once a minute."""
        oldest_ms = frontier_ms - frontier_ms % MINUTE_MS - 2 * EARLY_CLOSE_MS
        if oldest_ms <= self._forgotten_ms:
            return
        self._forgotten_ms = oldest_ms
        for waits in self.by_partner.values():
            for contact in [contact for contact, at_ms in waits.early.items() if at_ms < oldest_ms]:
                waits.forget(contact)
                self._early -= 1

    def take_dropped(self) -> int:
        """How many openings and early closes the limit refused since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def drain(self, sequence: int) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows of this commit."""
        log = [entry for waits in self.by_partner.values() for entry in waits.entries()]
        if not log:
            return
        if self._entries + len(log) > max(_REWRITE_MIN, 2 * (self._open + self._early)):
            for chunk in self._chunks:
                yield rows.key("contacts", chunk), None
            self._chunks, self._entries = [], 0
            log = [entry for waits in self.by_partner.values() for entry in waits.all_entries()]
        for waits in self.by_partner.values():
            waits.written()
        a_row = _ENTRIES_A_ROW if max(map(len, log), default=0) <= _FIELDS else _SIDED_A_ROW
        for part, at in enumerate(range(0, len(log), a_row)):
            chunk = sequence * _ROWS_MAX + part
            entries = log[at : at + a_row]
            self._chunks.append(chunk)
            self._entries += len(entries)
            yield rows.key("contacts", chunk), rows.pack(entries)

    def load(self, chunk: int, entries: list[list[Any]]) -> None:
        """Take a stored row; `loaded` replays them in order."""
        self._loaded.append((chunk, entries))

    def loaded(self) -> None:
        """Replay the rows, once all were taken."""
        for chunk, entries in sorted(self._loaded):
            self._chunks.append(chunk)
            self._entries += len(entries)
            for sign, partner, contact, *rest in entries:
                waits = self.of(partner)
                if sign == "+":
                    queued_ms, queue, channel, within_ms, *sides = rest
                    waits.kept[contact] = (queued_ms, (queue, channel, *sides), within_ms)
                elif sign == "!":
                    waits.early[contact] = rest[0]
                elif sign == "~":
                    waits.early.pop(contact, None)
                else:
                    waits.kept.pop(contact, None)
        self._loaded.clear()
        self._open = sum(map(len, self.by_partner.values()))
        self._early = sum(len(waits.early) for waits in self.by_partner.values())

    def snapshot(self) -> tuple[dict[str, dict[str, Waiting]], dict[tuple[str, str], int]]:
        """Who waits by partner, and which closes came early by partner and contact, for comparison."""
        found = self.by_partner.values()
        early = {(waits.partner_id, contact): at_ms for waits in found for contact, at_ms in waits.early.items()}
        return {waits.partner_id: waits.kept | waits.fresh for waits in found if waits}, early
