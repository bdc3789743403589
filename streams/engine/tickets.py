"""Tickets: what is known of each that is open, or was solved a short while ago, and how many are open.

A ticket is held while it is open, until it expires, and for a bounded time after the last that was heard of it, so that what comes
out of order still finds it. In the state this is a log: rows of tickets as they became, rewritten when more than half of it is dead.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, Final

import orjson

from models.measures import FAMILIES, Family
from models.windows import GRID_MS, HOUR_MS
from streams.engine import rows
from streams.engine.counted import UNCOUNTED, Counted, counted_of
from streams.engine.ticket import MARKS_MAX, Mark, Open, Ticket

__all__ = ["EXPIRED", "Backlog", "Correction", "Tickets"]

_REWRITE_MIN: Final = 256
_ROW_BYTES: Final = 150_000
"""A row ends after this; an entry has at most 32 marks of seven names, 40 kB where all but two are short."""
EXPIRED: Final = counted_of(Family.TICKETS, [int(name == "tickets_expired") for name in FAMILIES[Family.TICKETS]])
"""One ticket that was never solved."""
_UNKNOWN: Final = Ticket()

Place = tuple[str | None, str | None, str]
"""Queue, channel, and sides."""
Correction = tuple[int, str | None, str | None, str, Counted, Counted]
"""Time (ms), queue, channel, sides, and what a ticket counted there, and what it counts now."""


class Backlog:
    """The tickets of one partner."""

    __slots__ = ("_due", "_since", "changed", "held", "open", "partner_id")

    def __init__(self, partner_id: str) -> None:
        self.partner_id = partner_id
        self.held: dict[str, Ticket] = {}
        self.changed: set[str] = set()
        """What the log does not say."""
        self.open: dict[Place, tuple[list[int], list[int]]] = {}
        """Of the open tickets of a cell, each in order: since when, and from when on overdue."""
        self._since: list[tuple[int, str]] = []
        self._due: list[int] = []

    def __bool__(self) -> bool:
        """Whether any ticket is held."""
        return bool(self.held)

    def put(self, ticket_id: str, ticket: Ticket | None) -> None:
        """Hold the ticket as it is now; None to hold it no longer."""
        before = self.held.pop(ticket_id, _UNKNOWN).open
        if before is not None:
            self._leave(ticket_id, before)
        if ticket is not None:
            self.held[ticket_id] = ticket
            if ticket.open is not None:
                self._enter(ticket_id, ticket.open)

    def _enter(self, ticket_id: str, now: Open) -> None:
        since, due = self.open.setdefault((now.queue, now.channel, now.sides), ([], []))
        insort(since, now.since_ms)
        insort(self._since, (now.since_ms, ticket_id))
        if now.due_ms is not None:
            insort(due, _overdue_ms(now))
            insort(self._due, _overdue_ms(now))

    def _leave(self, ticket_id: str, was: Open) -> None:
        place = was.queue, was.channel, was.sides
        since, due = self.open[place]
        del since[bisect_left(since, was.since_ms)]
        del self._since[bisect_left(self._since, (was.since_ms, ticket_id))]
        if was.due_ms is not None:
            del due[bisect_left(due, _overdue_ms(was))]
            del self._due[bisect_left(self._due, _overdue_ms(was))]
        if not since:
            del self.open[place]

    def at(self, at_ms: int) -> Iterator[tuple[Place, int, int]]:
        """By cell, how many were opened before `at_ms` and are open, and how many of them are past their due date."""
        for place, (since, due) in self.open.items():
            yield place, bisect_left(since, at_ms), bisect_left(due, at_ms)

    def next_change_ms(self, closed_ms: int, expiry_ms: int) -> int | None:
        """The next grid point at which a ticket is overdue, or expires, without a further event; None if none will."""
        at = bisect_left(self._due, closed_ms)
        moments = [*self._due[at : at + 1], *(since_ms + expiry_ms for since_ms, _ in self._since[:1])]
        return min((each - each % GRID_MS + GRID_MS for each in moments), default=None)

    def expired(self, before_ms: int) -> list[str]:
        """The tickets that have been open since before `before_ms`."""
        return [ticket_id for _, ticket_id in self._since[: bisect_left(self._since, (before_ms, ""))]]


def _overdue_ms(now: Open) -> int:
    """From when on an open ticket is past its due date, exclusive; what was not open yet was not overdue."""
    return now.since_ms if now.due_ms is None else max(now.since_ms, now.due_ms)


class Tickets:
    """The tickets of one partition number."""

    def __init__(self, limit: int, horizon_ms: int) -> None:
        self._limit = limit
        self._horizon_ms = horizon_ms
        self.by_partner: dict[str, Backlog] = {}
        self._held = 0
        self._dropped = 0
        self._forgotten_ms = 0
        """What was heard of last before this is not held, unless it is open; at a full hour."""
        self._chunks: list[int] = []
        self._entries = 0
        self._loaded: list[tuple[int, list[list[Any]]]] = []

    def of(self, partner_id: str) -> Backlog:
        """The tickets of a partner."""
        return self.by_partner.setdefault(partner_id, Backlog(partner_id))

    def release(self, partner_id: str) -> None:
        """Hold nothing for a partner that is gone; call after `drain`."""
        if not self.by_partner[partner_id]:
            del self.by_partner[partner_id]

    def tell(self, backlog: Backlog, ticket_id: str, mark: Mark) -> list[Correction]:
        """Take what was told of a ticket; what is to be counted otherwise than it was.

        Over the limits a mark counts by itself, or not at all where its ticket has too many.
        """
        before = backlog.held.get(ticket_id)
        ticket = (before or _UNKNOWN).told(mark)
        if ticket is before:
            self._dropped += mark not in before.marks and len(before.marks) >= MARKS_MAX
            return []
        corrections = _corrections(before or _UNKNOWN, ticket)  # first, since what raises must leave nothing half done
        if before is None and self._held >= self._limit:
            self._dropped += 1
        else:
            self._held += before is None
            backlog.put(ticket_id, ticket)
            backlog.changed.add(ticket_id)
        return corrections

    def expire(self, backlog: Backlog, before_ms: int) -> list[Place]:
        """Drop what has been open since before `before_ms`; the cells that it was open in, to be counted."""
        places: list[Place] = []
        for ticket_id in backlog.expired(before_ms):
            now = backlog.held[ticket_id].open
            assert now is not None, "only open tickets expire"
            places.append((now.queue, now.channel, now.sides))
            self._drop(backlog, ticket_id)
        return places

    def forget(self, frontier_ms: int) -> None:
        """Drop what is not open and was not heard of for long; looked for once an hour."""
        oldest_ms = frontier_ms - frontier_ms % HOUR_MS - self._horizon_ms
        if oldest_ms <= self._forgotten_ms:
            return
        self._forgotten_ms = oldest_ms
        for backlog in self.by_partner.values():
            held = backlog.held.items()
            for ticket_id in [ticket_id for ticket_id, each in held if each.open is None and each.last_ms < oldest_ms]:
                self._drop(backlog, ticket_id)

    def _drop(self, backlog: Backlog, ticket_id: str) -> None:
        backlog.put(ticket_id, None)
        backlog.changed.add(ticket_id)
        self._held -= 1

    def take_dropped(self) -> int:
        """How many marks the limits refused since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def open_count(self) -> int:
        """How many tickets are open."""
        return sum(len(since) for backlog in self.by_partner.values() for since, _ in backlog.open.values())

    def drain(self, sequence: int) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows of this commit."""
        changed = [(backlog, ticket_id) for backlog in self.by_partner.values() for ticket_id in sorted(backlog.changed)]
        if not changed:
            return
        if self._entries + len(changed) > max(_REWRITE_MIN, 2 * self._held):
            for chunk in self._chunks:
                yield rows.key("tickets", chunk), None
            self._chunks, self._entries = [], 0
            changed = [(backlog, ticket_id) for backlog in self.by_partner.values() for ticket_id in backlog.held]
        for backlog in self.by_partner.values():
            backlog.changed.clear()
        self._entries += len(changed)
        for part, value in enumerate(_values(changed)):
            chunk = sequence * 1000 + part
            self._chunks.append(chunk)
            yield rows.key("tickets", chunk), value

    def load(self, chunk: int, entries: list[list[Any]]) -> None:
        """Take a stored row; `loaded` replays them in order."""
        self._loaded.append((chunk, entries))

    def loaded(self) -> None:
        """Replay the rows, once all were taken."""
        newest: dict[tuple[str, str], list[list[Any]]] = {}
        for chunk, entries in sorted(self._loaded, key=lambda row: row[0]):
            self._chunks.append(chunk)
            self._entries += len(entries)
            for partner_id, ticket_id, marks in entries:
                newest[partner_id, ticket_id] = marks
        self._loaded.clear()
        for (partner_id, ticket_id), marks in newest.items():
            if marks:
                self._held += 1
                self.of(partner_id).put(ticket_id, Ticket(tuple(Mark(*mark) for mark in marks)))

    def snapshot(self) -> dict[tuple[str, str], tuple[Mark, ...]]:
        """The marks of each ticket by partner and id, for comparison."""
        found = self.by_partner.values()
        return {(backlog.partner_id, ticket_id): ticket.marks for backlog in found for ticket_id, ticket in backlog.held.items()}


def _corrections(before: Ticket, after: Ticket) -> list[Correction]:
    old, new = before.counts(), after.counts()
    return [(*at, _counted(old.get(at)), _counted(new.get(at))) for at in old | new if old.get(at) != new.get(at)]


def _counted(vector: list[int] | None) -> Counted:
    return UNCOUNTED if vector is None else counted_of(Family.TICKETS, vector)


def _values(tickets: list[tuple[Backlog, str]]) -> Iterator[bytes]:
    """The rows' values: entries of partner, ticket and marks, none where it is not held any more."""
    entries: list[bytes] = []
    size = 0
    for backlog, ticket_id in tickets:
        ticket = backlog.held.get(ticket_id)
        entry = orjson.dumps([backlog.partner_id, ticket_id, [] if ticket is None else [[*mark] for mark in ticket.marks]])
        entries.append(entry)
        size += len(entry)
        if size >= _ROW_BYTES:
            yield rows.PREFIX + b"[%s]" % b",".join(entries)
            entries, size = [], 0
    if entries:
        yield rows.PREFIX + b"[%s]" % b",".join(entries)
