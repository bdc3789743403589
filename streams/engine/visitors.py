"""Visitors: the customers of one partner that asks for repeats, and when each of them was in contact.

A visit counts as identified, and perhaps as a repeat, once its quarter hour is over, or at once where it comes later; whether it was
followed is counted once: at the first midnight at which the repeat window and the time of late ones are over for the whole day, and
then it is forgotten. So nothing that was judged is ever judged again, and panes of former days are touched once a day.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from models.days import day_start
from models.kpis.history import LATE_MS
from models.windows import QUARTER_MS
from streams.engine.visits import (
    ENTRY,
    TAKEN_BACK,
    VISIT_BYTES,
    VISITS_MAX,
    Counts,
    Place,
    Visit,
    changed,
    inserted,
    judge,
    judge_alone,
    one_more,
    removed,
    unpacked,
)

if TYPE_CHECKING:
    from streams.engine.history import History

__all__ = ["Visitors"]

_CUSTOMER_BYTES: Final = 8
_HELD_BYTES_MAX: Final = VISITS_MAX * VISIT_BYTES


class Visitors:
    """Of one partner; `history` is the log of all."""

    __slots__ = ("_history", "held", "late", "matured_changed", "matured_ms", "pending", "places", "uncounted", "window_ms")

    def __init__(self, history: "History", places: Mapping[int, Place]) -> None:
        self._history = history
        self.places = places
        self.held: dict[int, bytes] = {}
        """By customer: the visits that count."""
        self.pending: dict[int, bytearray] = {}
        """By quarter hour (its number): the entries that do not count yet, since it is not over."""
        self.window_ms = 0
        """The longest repeat window of its places."""
        self.matured_ms = 0
        """All before this is judged and forgotten."""
        self.matured_changed = False
        self.late = 0
        """Visits that came too late, or were to be taken back too late, since it was last asked."""
        self.uncounted = 0
        """Counts that were not replaced, since it was last asked."""

    def __bool__(self) -> bool:
        """Whether any customer is known."""
        return bool(self.held or self.pending)

    def tell(self, entry: bytes, at_ms: int, closed_ms: int) -> Counts:
        """Take the entry of a visit, or of one that is taken back; what is to be counted now. Part of the way of events."""
        if at_ms < closed_ms - LATE_MS:
            self.late += 1
            return {}
        slot = at_ms // QUARTER_MS
        if not self._history.append(slot, entry):
            return {}
        if (slot + 1) * QUARTER_MS > closed_ms:
            waiting = self.pending.get(slot)
            if waiting is None:
                waiting = self.pending[slot] = bytearray()
            waiting += entry
            return {}
        counts: Counts = {}
        self._take(entry, counts)
        return counts

    def settle(self, closed_ms: int) -> Counts:
        """What the quarter hours count that are over by `closed_ms`."""
        counts: Counts = {}
        for slot in sorted(slot for slot in self.pending if (slot + 1) * QUARTER_MS <= closed_ms):
            self._take(bytes(self.pending.pop(slot)), counts)
        return counts

    def _take(self, entries: bytes, counts: Counts) -> None:
        held, size = self.held, ENTRY.size
        for at, (customer, at_ms, chain, reason, place) in zip(range(0, len(entries), size), ENTRY.iter_unpack(entries), strict=True):
            visits, entry = held.get(customer, b""), entries[at : at + size]
            now = self._now(visits, entry, place)
            if now.startswith(visits) and len(now) > len(visits):
                one_more(counts, visits, Visit(at_ms, reason, place), chain, self.places)
            else:
                changed(counts, visits, now, self.places)
            self._hold(customer, now)

    def _now(self, visits: bytes, entry: bytes, place: int) -> bytes:
        if place & TAKEN_BACK:
            return removed(visits, entry[_CUSTOMER_BYTES:-4] + (place ^ TAKEN_BACK).to_bytes(4, "big"))
        return inserted(visits, entry[_CUSTOMER_BYTES:])

    def _hold(self, customer: int, visits: bytes) -> None:
        if len(visits) > _HELD_BYTES_MAX:
            self._history.dropped += 1
            visits = visits[-_HELD_BYTES_MAX:]
        if visits:
            self.held[customer] = visits
        else:
            self.held.pop(customer, None)

    def mature(self, closed_ms: int, zone: str) -> Counts:
        """Judge, and forget, the visits of days that nothing can follow any more; what they count."""
        # By whole quarter hours, at which every partner is closed.
        before_ms = day_start(max(0, closed_ms - closed_ms % QUARTER_MS - self.window_ms - LATE_MS), zone)
        counts: Counts = {}
        if before_ms <= self.matured_ms:
            return counts
        self.matured_ms, self.matured_changed = before_ms, True
        for customer, visits in self._before(before_ms):
            if len(visits) == VISIT_BYTES:
                # Most were there once: nothing follows, and nothing is left.
                judge_alone(counts, visits)
                del self.held[customer]
            else:
                judge(counts, visits, before_ms, self.places)
                self._hold(customer, self._left(customer, visits, before_ms))
        return counts

    def _before(self, at_ms: int) -> list[tuple[int, bytes]]:
        """The customers who were there before a time. Visits begin with theirs, so that bytes compare as times do."""
        before = at_ms.to_bytes(8, "big")
        return [each for each in self.held.items() if each[1] < before]

    def _left(self, customer: int, visits: bytes, before_ms: int) -> bytes:
        """The visits from `before_ms` on, but for the rest of chains that began before: those count in no figure of their own."""
        if visits[-VISIT_BYTES:] < before_ms.to_bytes(8, "big"):
            return b""
        gone = {chain for at_ms, chain, _, _ in unpacked(visits) if at_ms < before_ms}
        left = b""
        for number, (at_ms, chain, reason, place) in enumerate(unpacked(visits)):
            if at_ms < before_ms:
                continue
            if chain not in gone:
                left += visits[number * VISIT_BYTES : (number + 1) * VISIT_BYTES]
            else:
                # A start must not find it without its first.
                self._history.append(at_ms // QUARTER_MS, ENTRY.pack(customer, at_ms, chain, reason, place | TAKEN_BACK))
        return left

    def forget(self, customer: int, before_ms: int) -> None:
        """Hold nothing of a customer that was before a time, whether it is judged or not."""
        visits = self.held.get(customer, b"")
        gone = sum(at_ms < before_ms for at_ms, *_ in unpacked(visits)) * VISIT_BYTES
        if gone:
            self._hold(customer, visits[gone:])

    def load(self, slot: int, entries: bytes, closed_ms: int) -> None:
        """Take the entries of a quarter hour in the order in which they came, all of them before `loaded`."""
        if (slot + 1) * QUARTER_MS > closed_ms:
            self.pending.setdefault(slot, bytearray()).extend(entries)
            return
        held, size = self.held, ENTRY.size
        for at, (customer, _, _, _, place) in zip(range(0, len(entries), size), ENTRY.iter_unpack(entries), strict=True):
            visits = held.get(customer)
            if visits is None and not place & TAKEN_BACK:
                held[customer] = entries[at + _CUSTOMER_BYTES : at + size]
            elif visits is not None:
                now = self._now(visits, entries[at : at + size], place)[-_HELD_BYTES_MAX:]
                if now:
                    held[customer] = now
                else:
                    del held[customer]

    def loaded(self) -> None:
        """Forget what was judged."""
        for customer, _ in self._before(self.matured_ms):
            self.forget(customer, self.matured_ms)
