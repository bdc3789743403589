"""The profile of a partner: what was counted in each hour of the week, over the last eight weeks.

An hour is taken into it when it is 48 hours old, from the quarter hours that still hold it: whatever came late by then is in it, and
nothing has to be corrected; what comes later than that counts in its day alone. It is used a week after it was, at the earliest. Hours
are those of the clock on the wall, so that summer time moves nothing: an hour that comes twice is known by when it began.

A row holds one hour of the week, so 168 a partner, each rewritten once a week: its weeks as panes hold them, compressed together,
since the names of cells are the same in all of them. Sides are left out. Cost: one row a partner and hour, 0.1 to 0.7 ms. Bound: a row ends
at 200 kB; of a partner with so many cells fewer weeks are kept, and what is dropped is counted.
"""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.statistics import hour_of_week
from models.windows import DAY_MS, HOUR_MS, QUARTER_MS
from streams.engine import rows
from streams.engine.cells import Cells, SideCell, decode
from streams.engine.panes import Pane, PaneStore

__all__ = ["AGE_MS", "WEEKS", "Profile", "hour_start", "weeks_before"]

WEEKS: Final = 8
AGE_MS: Final = 48 * HOUR_MS
"""How old an hour is when it is taken: quarter hours are held for 49, so that it is whole there."""
_KEPT_MS: Final = 7 * WEEKS * DAY_MS - DAY_MS
"""Of an hour those weeks are kept that began less than this before the newest: the day is for summer time."""
_ROW_MAX: Final = 200 * 1024
_KIND: Final = "usual"
_COUNT: Final = Struct("<H")
_ENTRY: Final = Struct("<qI")

_Entry = tuple[int, bytes]
"""When an hour began, and a row of its cells (`streams.engine.cells`); an hour of very many cells has several."""


@lru_cache(maxsize=4096)
def _minute(quarter_ms: int, zone: str) -> int:
    return datetime.fromtimestamp(quarter_ms // 1000, UTC).astimezone(ZoneInfo(zone)).minute


def hour_start(at_ms: int, zone: str) -> int:
    """When the hour of `at_ms` began, by the clock on the wall."""
    quarter_ms = at_ms - at_ms % QUARTER_MS
    return quarter_ms - _minute(quarter_ms, zone) * 60_000


@lru_cache(maxsize=4096)
def weeks_before(start_ms: int, zone: str) -> tuple[tuple[int, int], ...]:
    """The same hour of the weeks before, as (how many weeks, when it began), the last first; one that a week did not have is left out."""
    local = datetime.fromtimestamp(start_ms // 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    found, hour = [], local.weekday() * 24 + local.hour
    for weeks in range(1, WEEKS + 1):
        before = (local - timedelta(weeks=weeks)).replace(tzinfo=ZoneInfo(zone))
        before_ms = round(before.timestamp()) * 1000
        if hour_of_week(before_ms, zone) == hour:
            found.append((weeks, before_ms))
    return tuple(found)


class Profile:
    """Of one partner."""

    __slots__ = ("_changed", "_held", "_partner_id", "_since_ms", "compared", "dropped", "kept", "made")

    def __init__(self, partner_id: str) -> None:
        self._partner_id = partner_id
        self._held: dict[int, bytes] = {}
        """By hour of the week, what its row says."""
        self._changed: set[int] = set()
        self._since_ms: int | None = None
        """When the first hour began of which anything is held; None while that is not looked up."""
        self.compared = False
        """Whether any rule holds figures against what is usual, which moves on by itself."""
        self.kept = True
        """Whether hours are taken at all."""
        self.made: dict[Any, Any] = {}
        """What others made of it, to be forgotten when anything of it becomes different."""
        self.dropped = 0
        """Weeks of an hour that a row had no room for, since this was last asked for."""

    def __bool__(self) -> bool:
        """Whether anything is held."""
        return bool(self._held)

    def fold(self, panes: PaneStore, closed_ms: int) -> bool:
        """Take the hours that became old enough by `closed_ms`; whether there were any. Call before `panes` advances."""
        before_ms, taken = panes.closed_ms, False
        if before_ms == 0 or before_ms // QUARTER_MS == closed_ms // QUARTER_MS or not self.kept:
            return False
        low_ms, high_ms = max(before_ms, closed_ms - _KEPT_MS) - AGE_MS, closed_ms - AGE_MS
        for end_ms in range(low_ms - low_ms % QUARTER_MS + QUARTER_MS, high_ms + 1, QUARTER_MS):
            if _minute(end_ms, panes.zone) == 0:
                self._take(panes, end_ms - HOUR_MS)
                taken = True
        return taken

    def _take(self, panes: PaneStore, start_ms: int) -> None:
        slot = hour_of_week(start_ms, panes.zone)
        held = self._entries(slot)
        entries = [each for each in held if start_ms - _KEPT_MS <= each[0] and each[0] != start_ms]
        counted = panes.sum_between(start_ms, start_ms + HOUR_MS)
        cells = {cell: packed for cell, packed in counted.items() if not isinstance(cell, SideCell)}
        if cells:
            pane = Pane()
            pane.add(cells, {})
            entries += [(start_ms, chunk) for chunk in pane.encoded()]
        if entries != held:
            self._put(slot, entries)

    def _put(self, slot: int, entries: list[_Entry]) -> None:
        value = _row(entries)
        while len(value) > _ROW_MAX:
            oldest_ms = entries[0][0]
            entries = [each for each in entries if each[0] != oldest_ms]
            self.dropped += 1
            value = _row(entries)
        if entries:
            self._held[slot] = value
        else:
            self._held.pop(slot, None)
        self._changed.add(slot)
        self._forget()

    def _forget(self) -> None:
        self._since_ms = None
        self.made.clear()

    def _entries(self, slot: int) -> list[_Entry]:
        value = self._held.get(slot)
        if value is None:
            return []
        starts, at = _starts(value)
        body, found, begin = zlib.decompress(value[at:]), list[_Entry](), 0
        for start_ms, size in starts:
            found.append((start_ms, body[begin : begin + size]))
            begin += size
        return found

    def since_ms(self) -> int:
        """When the first hour began of which anything is held; far away while there is none."""
        if self._since_ms is None:
            self._since_ms = min((_starts(value)[0][0][0] for value in self._held.values()), default=2**62)
        return self._since_ms

    def weeks(self, start_ms: int, zone: str) -> dict[int, tuple[int, Cells]]:
        """What was counted in the same hour of the weeks before the one that begins at `start_ms`.

        Returns:
            By how many weeks before, those that are known: when the hour began, and its cells, of which there are none where nothing
            was counted.
        """
        since_ms, chunks = self.since_ms(), dict[int, list[bytes]]()
        for began_ms, chunk in self._entries(hour_of_week(start_ms, zone)):
            chunks.setdefault(began_ms, []).append(chunk)
        known = [(week, began_ms) for week, began_ms in weeks_before(start_ms, zone) if began_ms >= since_ms]
        return {week: (began_ms, decode(chunks.get(began_ms, ()))) for week, began_ms in known}

    def release(self) -> None:
        """Hold nothing any more."""
        self._changed |= self._held.keys()
        self._held.clear()
        self._forget()

    def load(self, slot: int, value: bytes) -> None:
        """Take a stored row."""
        _starts(value)
        self._held[slot] = value
        self._forget()

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for slot in sorted(self._changed):
            yield rows.key(_KIND, self._partner_id, slot), self._held.get(slot)
        self._changed.clear()

    def take_dropped(self) -> int:
        """How many weeks of an hour rows had no room for, since the last call."""
        dropped, self.dropped = self.dropped, 0
        return dropped

    def snapshot(self) -> dict[int, dict[int, Cells]]:
        """All of it, for comparison."""
        return {slot: {began_ms: decode((chunk,)) for began_ms, chunk in self._entries(slot)} for slot in self._held}


def _row(entries: list[_Entry]) -> bytes:
    """The value of a row: format and layout, how many there are, of each when it began and how long it is, and all of them compressed."""
    head = [rows.PREFIX, _COUNT.pack(len(entries)), *(_ENTRY.pack(start_ms, len(chunk)) for start_ms, chunk in entries)]
    return b"".join((*head, zlib.compress(b"".join(chunk for _, chunk in entries))))


def _starts(value: bytes) -> tuple[list[tuple[int, int]], int]:
    """When each entry began and how long it is, and where what is compressed begins."""
    (count,) = _COUNT.unpack_from(value, rows.PREFIX_BYTES)
    at = rows.PREFIX_BYTES + _COUNT.size
    return [_ENTRY.unpack_from(value, at + each * _ENTRY.size) for each in range(count)], at + count * _ENTRY.size
