"""Live contacts: who waits now, in which cell and since when.

A contact opens with `contact.queued` and closes with whatever comes first of answered, abandoned, completed and left, or expires.
A close that overtakes its opening is remembered for a bounded time, so that the opening does not leave a ghost waiting. In the
state this is a log: one row of opened and closed contacts a commit, rewritten when more than half of it is dead.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from models.windows import MINUTE_MS
from streams.engine import rows

__all__ = ["Contacts", "Waiting"]

EARLY_CLOSE_MS: Final = 15 * MINUTE_MS
"""How long a close without an opening is remembered."""
_REWRITE_MIN: Final = 256
_ENTRIES_A_ROW: Final = 500
"""An entry has at most four names of 128 characters: 500 of them stay below 256 kB."""

Key = tuple[str, str]
"""(partner, contact)."""


class Waiting(NamedTuple):
    """A contact that waits."""

    queued_ms: int
    queue: str | None
    channel: str | None
    within_ms: int
    """The service level threshold it is held to."""


class Contacts:
    """The live contacts of one partition number."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.by_partner: dict[str, dict[str, Waiting]] = {}
        self._early: dict[Key, int] = {}
        """Closes without an opening: when they occurred."""
        self._dropped = 0
        self._size = 0
        self._log: list[tuple[str | int | None, ...]] = []
        self._chunks: list[int] = []
        self._entries = 0
        self._loaded: list[tuple[int, list[list[Any]]]] = []

    def open(self, partner_id: str, contact_id: str, waiting: Waiting) -> None:
        """A contact began to wait; nothing happens if it waits already or its close came first."""
        closed_ms = self._early.get((partner_id, contact_id)) if self._early else None
        if closed_ms is not None and waiting.queued_ms <= closed_ms:
            self._log.append(("~", partner_id, contact_id))
            del self._early[partner_id, contact_id]
            return
        waits = self.by_partner.get(partner_id)
        if waits is None:
            waits = self.by_partner[partner_id] = {}
        if contact_id in waits:
            return
        if self._size >= self._limit:
            self._dropped += 1
            return
        waits[contact_id] = waiting
        self._size += 1
        self._log.append(("+", partner_id, contact_id, *waiting))

    def close(self, partner_id: str, contact_id: str, at_ms: int, *, remember: bool) -> None:
        """A contact was answered, abandoned, completed or left; `remember` it if it was not open, since its opening may still come."""
        waits = self.by_partner.get(partner_id)
        if waits is not None and waits.pop(contact_id, None) is not None:
            self._size -= 1
            self._log.append(("-", partner_id, contact_id))
        elif not remember:
            return
        elif len(self._early) >= self._limit:
            self._dropped += 1
        else:
            self._early[partner_id, contact_id] = at_ms
            self._log.append(("!", partner_id, contact_id, at_ms))

    def expire(self, partner_id: str, before_ms: int) -> list[Waiting]:
        """Close what has waited since before `before_ms` and return it, to be counted."""
        waits = self.by_partner.get(partner_id)
        if not waits:
            return []
        gone = [(contact, waiting) for contact, waiting in waits.items() if waiting.queued_ms < before_ms]
        for contact, _ in gone:
            del waits[contact]
            self._log.append(("-", partner_id, contact))
        self._size -= len(gone)
        return [waiting for _, waiting in gone]

    def forget_early(self, frontier_ms: int) -> None:
        """Drop early closes whose opening will not come any more."""
        gone = [key for key, at in self._early.items() if at < frontier_ms - EARLY_CLOSE_MS]
        for key in gone:
            del self._early[key]
            self._log.append(("~", *key))

    def take_dropped(self) -> int:
        """How many openings and early closes the limit refused since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def drain(self, sequence: int) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows of this commit."""
        if not self._log:
            return
        log, self._log = self._log, []
        live = self._size + len(self._early)
        if self._entries + len(log) > max(_REWRITE_MIN, 2 * live):
            for chunk in self._chunks:
                yield rows.key("contacts", chunk), None
            self._chunks, self._entries = [], 0
            log = [("+", partner, contact, *w) for partner, waits in self.by_partner.items() for contact, w in waits.items()]
            log += [("!", *key, at) for key, at in self._early.items()]
        for part, at in enumerate(range(0, len(log), _ENTRIES_A_ROW)):
            chunk = sequence * 1000 + part
            entries = log[at : at + _ENTRIES_A_ROW]
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
                waits = self.by_partner.setdefault(partner, {})
                if sign == "+":
                    waits[contact] = Waiting(*rest)
                elif sign == "!":
                    self._early[partner, contact] = rest[0]
                elif sign == "~":
                    self._early.pop((partner, contact), None)
                else:
                    waits.pop(contact, None)
        self._loaded.clear()
        self._size = sum(len(waits) for waits in self.by_partner.values())

    def snapshot(self) -> tuple[dict[str, dict[str, Waiting]], dict[Key, int]]:
        """Who waits and which closes came early, for comparison."""
        return {p: dict(w) for p, w in self.by_partner.items() if w}, dict(self._early)
