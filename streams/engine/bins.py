"""Bins of a partner: what cells of panes add up to by scope, and the windows, which are brought up to date when they are asked for.

Few windows are asked for at every grid point, and nothing is asked for while a worker catches up: a window that was not is behind, and
takes what closed since and loses what fell out when it is asked for next, or is summed anew where that is too long ago.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from models.bins import Bins
from models.statistics import merge_bins, subtract_bins
from models.windows import MINUTE_MS, Scope
from streams.engine.cells import Cell, CellBins, SideCell
from streams.engine.panes import PaneStore
from streams.engine.totals import ALL, WindowTotal, parts_in

__all__ = ["WindowBins", "by_scope"]

ScopeBins = dict[Scope, Bins]
_BEHIND_MAX_MS: Final = 5 * MINUTE_MS
"""What is farther behind is summed anew: until then the panes at either end are as fine as they were."""


def by_scope(parts: Iterable[CellBins]) -> ScopeBins:
    """The sums of cells in all their scopes."""
    cells = list(parts)
    return {**_whole(cells), **_places(cells)}


def _whole(parts: Iterable[CellBins]) -> ScopeBins:
    summed: Bins = {}
    for part in parts:
        for cell, bins in part.items():
            if not isinstance(cell, SideCell):
                merge_bins(summed, bins)
    return {ALL: summed}


def _places(parts: Iterable[CellBins]) -> ScopeBins:
    summed: ScopeBins = {}
    for part in parts:
        for cell, bins in part.items():
            for scope in parts_in(cell):
                merge_bins(summed.setdefault(scope, {}), bins)
    return summed


class _Span(NamedTuple):
    """The sums of the panes of [start_ms, end_ms)."""

    start_ms: int
    end_ms: int
    sums: ScopeBins


class WindowBins:
    """Of one partner: of the whole of it, or of its other scopes, which are asked for less often."""

    def __init__(self, panes: PaneStore, *, whole: bool) -> None:
        self._panes = panes
        self._sum = _whole if whole else _places
        self._windows: dict[str, _Span] = {}
        self._closed = _Span(0, 0, {})
        """What closed last: windows ask for the same one after the other."""

    def of(self, total: WindowTotal) -> ScopeBins:
        """The bins of the closed panes of a window; not to be changed, and good until more is counted."""
        start, end = total.start_ms, self._panes.closed_ms
        span = self._windows.get(total.window.name)
        if span is not None and span.start_ms == start and span.end_ms == end:
            return span.sums
        if span is None or start >= span.end_ms or start < span.start_ms or end - span.end_ms > _BEHIND_MAX_MS:
            sums = self._anew(start, end)
        else:
            sums = span.sums
            if start > span.start_ms:
                for scope, bins in self._between(span.start_ms, start).items():
                    if bins:  # A pane from which all was taken back may name a scope that nothing was summed of.
                        subtract_bins(sums[scope], bins)
            if self._closed[:2] != (span.end_ms, end):
                self._closed = _Span(span.end_ms, end, self._between(span.end_ms, end))
            _merge(sums, self._closed.sums)
        self._windows[total.window.name] = _Span(start, end, sums)
        return sums

    def _between(self, start_ms: int, end_ms: int) -> ScopeBins:
        return self._sum(self._panes.bins_between(start_ms, end_ms))

    def _anew(self, start_ms: int, end_ms: int) -> ScopeBins:
        """From the panes, but for what the widest narrower window has summed already."""
        inside = [each for each in self._windows.values() if each.end_ms == end_ms and each.start_ms >= start_ms]
        widest = min(inside, key=lambda each: each.start_ms, default=_Span(end_ms, end_ms, {}))
        sums = self._between(start_ms, widest.start_ms)
        _merge(sums, widest.sums)
        return sums

    def with_open(self, total: WindowTotal, scope: Scope, opened: ScopeBins) -> Bins:
        """Those of a scope in a window and in the open panes; not to be changed."""
        bins, more = self.of(total).get(scope, {}), opened.get(scope)
        if more:
            bins = dict(bins)
            merge_bins(bins, more)
        return bins

    def opened(self, end_ms: int) -> ScopeBins:
        """The bins of the open panes up to `end_ms`."""
        return self._between(self._panes.closed_ms, end_ms)

    def recount(self, at_ms: int, cell: Cell, gone: Bins, come: Bins) -> None:
        """Count what is late, or corrected, in every window that has summed its pane already."""
        self._closed = _Span(0, 0, {})
        corrected = self._sum([{cell: come}])
        for start_ms, end_ms, sums in self._windows.values():
            if start_ms <= at_ms < end_ms:
                _merge(sums, corrected)
                for scope in corrected:
                    subtract_bins(sums[scope], gone)


def _merge(into: ScopeBins, sums: ScopeBins) -> None:
    for scope, bins in sums.items():
        merge_bins(into.setdefault(scope, {}), bins)
