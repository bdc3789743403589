"""Panes: what was counted in a stretch of time, by cell, in tiers of coarser and coarser stretches.

| tier | length | kept for |
| --- | --- | --- |
| 0 | 10 s | 35 min |
| 1 | 1 min | 5 h |
| 2 | 15 min | 49 h, and to the end of that calendar day |
| 3 | a day in the contract's zone | 35 days |

A pane that outlives its tier is merged into the next, so a late event is counted in the finest pane that still holds its time and
stored rows stay few. Tier 0 lives as packed integers, and as lists while events are counted into them; the others as the very bytes
of their rows, thawed when touched: five times smaller. Those of tiers 1 and 2 stand under the very keys of their rows too, so that a
start takes them as they come. Everything is relative to `closed_ms`, the last grid point that was closed.
"""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from models.bins import Bins
from models.days import day_end, day_start
from models.measures import WIDTHS
from models.statistics import merge_bins, subtract_bins
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.engine import rows
from streams.engine.cells import Cell, CellBins, Cells, add_cells, decode, decode_bins, encode, subtract_cells
from streams.engine.counted import count_bins
from streams.engine.lanes import pack, vector_of

__all__ = ["DAY_TIER", "LEDGER_MS", "UNHELD", "Pane", "PaneStore"]

DAY_TIER: Final = 3
_LENGTHS: Final = (GRID_MS, MINUTE_MS, QUARTER_MS)
_KEPT: Final = (35 * MINUTE_MS, 5 * HOUR_MS, 49 * HOUR_MS)
UNHELD: Final = (2**62, 2**62)
"""Nothing is kept from being merged: see `PaneStore.held`."""
LEDGER_MS: Final = 35 * DAY_MS
"""How far back an event may lie and still be counted."""


class Pane:
    """A pane being counted into."""

    __slots__ = ("_bins", "_cells", "_stored", "dirty", "rows", "vectors")

    def __init__(self, stored: tuple[bytes, ...] = ()) -> None:
        self._cells: Cells = {}
        self._bins: CellBins = {}
        self._stored = stored
        """Rows that were loaded and not looked at yet: all there is then."""
        self.vectors: dict[Cell, list[int]] = {}
        """What the fold adds to, until the pane is closed; apart from `_cells`. Behind the measures stand the keys of bins."""
        self.dirty = False
        self.rows = len(stored)
        """How many are written."""

    @property
    def stored(self) -> tuple[bytes, ...]:
        """The rows that say all, if nothing was counted since they were loaded."""
        return () if self.vectors else self._stored

    def store(self, value: bytes) -> None:
        """Take a stored row."""
        self._stored += (value,)
        self.rows += 1

    def _thaw(self) -> Cells:
        if self._stored:
            self._cells, self._bins, self._stored = decode(self._stored), decode_bins(self._stored), ()
        return self._cells

    def cells(self) -> Cells:
        """All that was counted."""
        if not self.vectors:
            return self._thaw()
        counted = {cell: pack(cell.family, vector[: WIDTHS[cell.family]]) for cell, vector in self.vectors.items()}
        if not self._thaw():
            return counted
        add_cells(counted, self._cells)
        # What was taken off stands in `_cells` as less than nothing.
        return {cell: packed for cell, packed in counted.items() if packed}

    def bins(self) -> CellBins:
        """The bins of all durations; not to be changed."""
        if self._stored:
            return decode_bins(self._stored)
        timed = [(cell, vector) for cell, vector in self.vectors.items() if len(vector) > WIDTHS[cell.family]]
        bins = {**self._bins, **{cell: dict(self._bins.get(cell, ())) for cell, _ in timed}} if timed else self._bins
        for cell, vector in timed:
            count_bins(bins[cell], vector[WIDTHS[cell.family] :])
        return bins

    def encoded(self) -> tuple[bytes, ...]:
        """All that was counted, as rows hold it, one value a chunk."""
        if not self._thaw():
            return encode({cell: vector[: WIDTHS[cell.family]] for cell, vector in self.vectors.items()}, self.bins())
        return encode({cell: vector_of(cell.family, packed) for cell, packed in self.cells().items()}, self.bins())

    def settle(self) -> None:
        """Pack what was counted: the fold does not come back."""
        if self.vectors:
            self._cells, self._bins = self.cells(), self.bins()
            self.vectors = {}

    def add(self, cells: Cells, bins: CellBins) -> None:
        """Count what was counted elsewhere: late, or in the panes that this one takes over from."""
        add_cells(self._thaw(), cells)
        for cell, more in bins.items():
            merge_bins(self._bins.setdefault(cell, {}), more)

    def take_off(self, cell: Cell, packed: int, bins: Bins) -> Bins:
        """The opposite of `add`, also of less than nothing; what becomes zero throughout is removed.

        Returns:
            Those of the bins that were there: a release that knew of none has counted none.
        """
        subtract_cells(self._thaw(), {cell: packed})
        own = self._bins.get(cell, {})
        taken = {key: min(count, own[key]) for key, count in bins.items() if key in own}
        subtract_bins(own, taken)
        return taken


class PaneStore:
    """All panes of one partner."""

    __slots__ = ("_changed", "_chunked", "_days", "_edges", "_prefix", "_thawed", "closed_ms", "cold", "dirty", "held", "hot", "zone")

    def __init__(self, partner_id: str, zone: str, closed_ms: int) -> None:
        self._prefix = rows.key("pane", partner_id)[:-1]
        self.held = UNHELD
        """Minutes, and quarter hours, from these times on are not merged yet, however old: somebody is owed them."""
        self.zone = zone
        """IANA; cuts the days."""
        self.closed_ms = closed_ms
        """The last grid point that was closed; 0 while none was."""
        self.hot: dict[int, Pane] = {}
        """Tier 0 by start."""
        self.dirty: list[int] = []
        """The starts of tier 0 whose pane is marked dirty, each once."""
        self._edges = self.edges_at(closed_ms)
        self.cold: dict[bytes, bytes] = {}
        """The rows of tiers 1 and 2 by their keys."""
        self._days: dict[int, tuple[bytes, ...]] = {}
        """The rows of days by their start: zones may have changed, so that nobody could compute when they begin."""
        self._chunked = False
        """Whether a pane of tiers 1 and 2 ever took more than one row."""
        self._thawed: dict[tuple[int, int], Pane] = {}
        self._changed: dict[tuple[int, int, int], bytes | None] = {}
        """Rows to be written: (tier, start, chunk) -> value, None to delete."""

    def edges_at(self, closed_ms: int) -> tuple[int, int, int]:
        """Where tiers 0, 1 and 2 begin: what lies before belongs to the next; all is tier 0 while nothing was closed."""
        if closed_ms == 0:
            return 0, 0, 0
        first, second = closed_ms - _KEPT[0], min(closed_ms - _KEPT[1], self.held[0])
        second -= second % QUARTER_MS
        return first - first % MINUTE_MS, second, day_start(min(closed_ms - _KEPT[2], self.held[1], second), self.zone)

    def ledger_start(self, closed_ms: int | None = None) -> int:
        """What happened before this is not counted any more, now or once `closed_ms` is closed; 0 while nothing was closed."""
        closed = self.closed_ms if closed_ms is None else closed_ms
        return 0 if closed == 0 else day_start(closed - LEDGER_MS, self.zone)

    def first_ms(self) -> int | None:
        """When the earliest pane begins; None if there is none."""
        days = self._day_starts()
        stored = () if days else (rows.unpack_key(key)[3] for key in self.cold)
        return min((*days, *self.hot, *(start for _, start in self._thawed), *stored), default=None)

    @property
    def edges(self) -> tuple[int, int, int]:
        """What begins before these is merged: into minutes, into quarter hours, into days."""
        return self._edges

    @property
    def final_before_ms(self) -> int:
        """Days that begin before this are kept as a whole, as soon as nobody is owed parts of them."""
        return 0 if self.closed_ms == 0 else day_start(self.closed_ms - _KEPT[2], self.zone)

    def starts(self, low_ms: int, high_ms: int) -> set[int]:
        """The starts of all panes in [low_ms, high_ms)."""
        first, second, third = self._edges
        found = {start for start in (*self.hot, *self._day_starts()) if low_ms <= start < high_ms}
        for tier, edge, above in ((1, second, first), (2, third, second)):
            low, length = max(low_ms, edge), _LENGTHS[tier]
            for start in range(low - low % length, min(high_ms, above), length):
                if self._key(tier, start, 0) in self.cold or (tier, start) in self._thawed:
                    found.add(start)
        return found

    def slot(self, at_ms: int) -> tuple[int, int]:
        """The (tier, start) of the finest pane that holds `at_ms`."""
        first, second, third = self._edges
        if at_ms >= first:
            return 0, at_ms - at_ms % GRID_MS
        if at_ms >= second:
            return 1, at_ms - at_ms % MINUTE_MS
        if at_ms >= third:
            return 2, at_ms - at_ms % QUARTER_MS
        return DAY_TIER, day_start(at_ms, self.zone)

    def span(self, at_ms: int) -> tuple[int, int]:
        """When the finest pane that holds `at_ms` begins and ends."""
        tier, start = self.slot(at_ms)
        return start, day_end(at_ms, self.zone) if tier == DAY_TIER else start + _LENGTHS[tier]

    def pane(self, at_ms: int) -> Pane:
        """The pane to count an event of `at_ms` into, marked as changed."""
        tier, start = self.slot(at_ms)
        if tier == 0:
            pane = self.hot.get(start)
            if pane is None:
                pane = self.hot[start] = Pane()
            if not pane.dirty:
                pane.dirty = True
                self.dirty.append(start)
        else:
            pane = self._thawed.get((tier, start))
            if pane is None:
                pane = self._thawed[tier, start] = Pane(self._stored(tier, start))
        return pane

    def cells_between(self, start_ms: int, end_ms: int) -> Iterator[Cells]:
        """The cells of every pane in [start_ms, end_ms), which must lie on edges of the tiers they fall in."""
        for each in self._between(start_ms, end_ms):
            yield each.cells() if isinstance(each, Pane) else decode(each)

    def bins_between(self, start_ms: int, end_ms: int) -> Iterator[CellBins]:
        """As `cells_between`, their bins; not to be changed."""
        for each in self._between(start_ms, end_ms):
            yield each.bins() if isinstance(each, Pane) else decode_bins(each)

    def _between(self, start_ms: int, end_ms: int) -> Iterator[Pane | tuple[bytes, ...]]:
        """Every pane in [start_ms, end_ms); the rows of those that are frozen."""
        first, second, third = self._edges
        yield from self._hot_between(max(start_ms, first), end_ms)
        if self.cold or self._thawed:
            for tier, edge, above in ((1, second, first), (2, third, second)):
                for start in self._cold_starts(tier, max(start_ms, edge), min(end_ms, above)):
                    if each := self._held(tier, start):
                        yield each
        if start_ms < third:
            yield from (self._held(*at) for at in self._days_between(start_ms, min(end_ms, third)))

    def sum_between(self, start_ms: int, end_ms: int) -> Cells:
        """The sum of `cells_between`; stored rows are decoded together and stay as they are."""
        first, second, third = self._edges
        stored: list[bytes] = []
        counted: list[Cells] = []
        for pane in self._hot_between(max(start_ms, first), end_ms):
            if pane.stored:
                stored += pane.stored
            else:
                counted.append(pane.cells())
        cold: list[tuple[int, int]] = []
        if self.cold or self._thawed:
            cold += [(1, start) for start in self._cold_starts(1, max(start_ms, second), min(end_ms, first))]
            cold += [(2, start) for start in self._cold_starts(2, max(start_ms, third), min(end_ms, second))]
        if start_ms < third:
            cold += self._days_between(start_ms, min(end_ms, third))
        for at in cold:
            thawed = self._thawed.get(at)
            if thawed is None:
                stored += self._stored(*at)
            else:
                counted.append(thawed.cells())
        cells = decode(stored)
        for each in counted:
            add_cells(cells, each)
        return cells

    def _cold_starts(self, tier: int, low: int, high: int) -> Iterable[int]:
        """Where panes of a tier may begin in [low, high), which lie on its edges, in order."""
        starts = range(low, high, _LENGTHS[tier])
        if self.cold or len(starts) <= len(self._thawed):
            return starts
        # Nothing was written yet, as in a backtest, which has nights and weekends to pass.
        return sorted(start for of, start in self._thawed if of == tier and low <= start < high)

    def _days_between(self, low: int, high: int) -> list[tuple[int, int]]:
        return [(DAY_TIER, start) for start in self._day_starts() if low <= start < high]

    def closing(self, closed_ms: int) -> list[tuple[int, Cells]]:
        """The (start, cells) of the panes that end by `closed_ms`, a grid point, and did not yet, in order of time."""
        return [(start, self.hot[start].cells()) for start in sorted(self._hot_starts(self.closed_ms, closed_ms))]

    def first_from(self, start_ms: int) -> int | None:
        """Where the first pane from `start_ms` on begins, which must not lie before the minutes; None if there is none."""
        first = self._edges[0]
        if self.cold or self._thawed:
            for start in range(start_ms, first, MINUTE_MS):
                if (1, start) in self._thawed or self._stored(1, start):
                    return start
        low, starts = max(start_ms, first), self.hot
        return low if low in starts else min((start for start in starts if low <= start < self.closed_ms), default=None)

    def older(self, before_ms: int) -> list[bytes]:
        """The rows as they were loaded of what lies before `before_ms`, more than some hours ago."""
        _, second, third = self._edges
        stored = [value for values in self._days.values() for value in values]
        for tier, start_ms, end_ms in ((2, third, min(second, before_ms)), (1, second, before_ms)):
            starts = range(start_ms, end_ms, _LENGTHS[tier])
            if self._chunked:
                stored += [value for start in starts for value in self._stored(tier, start)]
            else:
                key, cold = b"%s,%d,%%d,0]" % (self._prefix.replace(b"%", b"%%"), tier), self.cold
                stored += [cold[each] for each in [key % start for start in starts] if each in cold]
        return stored

    def _hot_starts(self, low: int, high: int) -> list[int]:
        hot = self.hot
        if (high - low) // GRID_MS > len(hot):
            return [start for start in hot if low <= start < high]
        return [start for start in range(low, high, GRID_MS) if start in hot]

    def _hot_between(self, low: int, high: int) -> list[Pane]:
        return [self.hot[start] for start in self._hot_starts(low, high)]

    def _held(self, tier: int, start: int) -> Pane | tuple[bytes, ...]:
        """A pane that is not of tier 0, or its rows; none where nothing was counted."""
        return (self._thawed.get((tier, start)) if self._thawed else None) or self._stored(tier, start)

    def _day_starts(self) -> list[int]:
        return sorted({*self._days, *(start for tier, start in self._thawed if tier == DAY_TIER)})

    def _key(self, tier: int, start: int, chunk: int) -> bytes:
        """As `rows.key` writes it."""
        return b"%s,%d,%d,%d]" % (self._prefix, tier, start, chunk)

    def _stored(self, tier: int, start: int) -> tuple[bytes, ...]:
        """The rows of a pane that is not of tier 0."""
        if tier == DAY_TIER:
            return self._days.get(start, ())
        first = self.cold.get(self._key(tier, start, 0))
        if first is None:
            return ()
        return (first, *self._further(tier, start)) if self._chunked else (first,)

    def _further(self, tier: int, start: int) -> Iterator[bytes]:
        for chunk in count(1):
            value = self.cold.get(self._key(tier, start, chunk))
            if value is None:
                return
            yield value

    def _keep(self, tier: int, start: int, chunks: tuple[bytes, ...]) -> None:
        """Have these be the rows of a pane that has none."""
        if tier == DAY_TIER:
            self._days[start] = chunks
            return
        self._chunked = self._chunked or len(chunks) > 1
        for chunk, value in enumerate(chunks):
            self.cold[self._key(tier, start, chunk)] = value

    def _drop(self, tier: int, start: int) -> int:
        """Hold no rows of a pane any more; how many there were."""
        chunks = self._stored(tier, start)
        if tier == DAY_TIER:
            self._days.pop(start, None)
        else:
            for chunk in range(len(chunks)):
                del self.cold[self._key(tier, start, chunk)]
        return len(chunks)

    def settle(self, closed_ms: int) -> None:
        """Pack the panes that end by `closed_ms`, a grid point; before anything sums them."""
        for pane in self._hot_between(self.closed_ms, closed_ms):
            pane.settle()

    def hold(self, held: tuple[int, int]) -> None:
        """Merge up to there what outlived its tier, and nothing beyond."""
        self.held = held
        if self._edges != self.edges_at(self.closed_ms):
            self.advance(self.closed_ms)

    def advance(self, closed_ms: int) -> None:
        """Move `closed_ms` on and merge what outlived its tier; zones may have changed in between."""
        before, self.closed_ms = self._edges, closed_ms
        first, second, third = self._edges = self.edges_at(closed_ms)
        if first != before[0]:
            for start in [s for s in self.hot if s < first]:
                self._merge(0, start)
        if (second, third) != before[1:]:
            expired = self.ledger_start()
            for start in self._day_starts():
                if start < expired:
                    self._forget(DAY_TIER, start)
            for tier, old, edge in ((1, before[1], second), (2, before[2], third)):
                # While nothing was closed all was tier 0; and a zone that changed may have moved the edge of days back.
                for start in self._cold_starts(tier, old, edge) if old and (self.cold or self._thawed) else ():
                    self._merge(tier, start)

    def _merge(self, tier: int, start: int) -> None:
        pane = self._forget(tier, start)
        if pane is not None:
            self.pane(start).add(pane.cells(), pane.bins())

    def _forget(self, tier: int, start: int) -> Pane | None:
        if tier == 0:
            pane = self.hot.pop(start)
            written = pane.rows
        else:
            held = self._held(tier, start)
            if not held:
                return None
            pane = held if isinstance(held, Pane) else Pane(held)
            written = self._drop(tier, start)
            self._thawed.pop((tier, start), None)
        for chunk in range(written):
            self._changed[tier, start, chunk] = None
        return pane

    def __bool__(self) -> bool:
        """Whether anything is held at all."""
        return bool(self.hot or self.cold or self._days or self._thawed)

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call, thawed panes frozen again."""
        changed, self._changed = self._changed, {}
        for start in self.dirty:
            pane = self.hot.get(start)
            if pane is not None:
                pane.dirty = False
                pane.rows = _rewrite(changed, (0, start), pane.rows, pane.encoded())
        self.dirty.clear()
        for (tier, start), pane in self._thawed.items():
            written, chunks = self._drop(tier, start), pane.encoded()
            if _rewrite(changed, (tier, start), written, chunks):
                self._keep(tier, start, chunks)
        self._thawed.clear()
        for (tier, start, chunk), row in changed.items():
            yield self._key(tier, start, chunk), row

    def load_first(self, tier: int, stored: dict[bytes, bytes]) -> None:
        """Take the first rows of panes of a tier that is not that of days by their keys, in which starts have thirteen digits."""
        if tier:
            # Most of a million: their keys are not even taken apart.
            if self.cold:
                self.cold.update(stored)
            else:
                self.cold = stored
            return
        for key, value in stored.items():
            self.hot[int(key[-16:-3])] = Pane((value,))

    def load(self, key: bytes, value: bytes) -> None:
        """Take a stored row; chunks of a pane come in any order.

        Raises:
            ValueError: if the key is not that of a pane's row.
        """
        tier, start, chunk = map(int, key[len(self._prefix) + 1 : -1].split(b","))
        if tier == DAY_TIER:
            self._days[start] = (*self._days.get(start, ()), value)
            return
        if tier:
            self._chunked = self._chunked or chunk > 0
            self.cold[key] = value
            return
        pane = self.hot.get(start)
        if pane is None:
            self.hot[start] = Pane((value,))
        else:
            pane.store(value)

    def snapshot(self) -> dict[tuple[int, int], dict[Cell, tuple[int, ...]]]:
        """Every pane's vectors by (tier, start) and cell, for comparison."""
        panes = {at: pane.cells() for at, pane in self._all().items()}
        return {at: {cell: vector_of(cell.family, packed) for cell, packed in cells.items()} for at, cells in panes.items() if cells}

    def bins_snapshot(self) -> dict[tuple[int, int], CellBins]:
        """The same of bins."""
        panes = {at: {cell: bins for cell, bins in pane.bins().items() if bins} for at, pane in self._all().items()}
        return {at: cells for at, cells in panes.items() if cells}

    def _all(self) -> dict[tuple[int, int], Pane]:
        stored = {*((DAY_TIER, start) for start in self._days), *(tuple(rows.unpack_key(key)[2:4]) for key in self.cold)}
        return {(0, start): pane for start, pane in self.hot.items()} | {at: Pane(self._stored(*at)) for at in stored} | self._thawed


def _rewrite(changed: dict[tuple[int, int, int], bytes | None], at: tuple[int, int], written: int, chunks: tuple[bytes, ...]) -> int:
    """Have these chunks written in place of as many as were; how many there are now: fewer, where something was taken off."""
    for chunk, value in enumerate(chunks):
        changed[*at, chunk] = value
    for chunk in range(len(chunks), written):
        changed[*at, chunk] = None
    return len(chunks)
