"""Forecasts: how many contacts were expected in an interval, and how many of those that it covers were offered.

A forecast names a queue, a channel, both or neither, and covers every contact of what it names. It counts, at the beginning of its
interval, once the interval has closed: what was offered is then summed from the panes, and corrected by whatever comes late, until
the interval's day is kept as a whole (49 hours). So a window holds it only as a whole, and any order gives the same figure.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple

from models.errors import FieldError
from models.measures import FAMILIES, OFFSETS, Family
from models.times import to_ms
from models.windows import DAY_MS, MINUTE_MS
from streams.engine import rows
from streams.engine.cells import Cell, SideCell
from streams.engine.lanes import pack
from streams.engine.panes import PaneStore

__all__ = ["Correction", "Forecast", "Plan", "Plans", "forecast_of", "offered"]

_GRAIN_MS: Final = 15 * MINUTE_MS
_LENGTHS_MS: Final = (_GRAIN_MS, 2 * _GRAIN_MS, 4 * _GRAIN_MS)
_LANE_BITS: Final = 64
_LANE: Final = (1 << _LANE_BITS) - 1
_I: Final = FAMILIES[Family.INTERACTIONS]
_OFFERED_AT: Final = tuple(_LANE_BITS * (OFFSETS[Family.INTERACTIONS] + _I.index(name)) for name in ("answered", "abandoned"))

Place = tuple[str | None, str | None]
"""The queue and channel that a forecast names."""


class Forecast(NamedTuple):
    """What is expected in an interval that ends at `end_ms`, and what was offered, once it has closed."""

    version_ms: int
    offered_milli: int
    end_ms: int
    actual: int | None = None
    """Contacts; None until the interval has closed."""

    def packed(self) -> int:
        """What it counts, packed as cells hold it."""
        return 0 if self.actual is None else pack(Family.FORECAST, (1, self.offered_milli, self.actual))


class Correction(NamedTuple):
    """That a forecast counts otherwise than it did."""

    start_ms: int
    cell: Cell
    old: int
    new: int
    """Packed measures."""


def forecast_of(event: Any) -> tuple[int, Forecast]:
    """When the interval of a `models.events.VolumeForecast`, or its struct, begins (ms), and what it says.

    Raises:
        FieldError: if the interval is none.
        TimeError: if a time cannot be read.
    """
    start_ms, end_ms = to_ms(event.interval_start), to_ms(event.interval_end)
    if start_ms % _GRAIN_MS:
        msg = "interval_start: begins at no full quarter of an hour (send intervals that begin at :00, :15, :30 or :45)"
        raise FieldError(msg)
    if end_ms - start_ms not in _LENGTHS_MS:
        msg = f"interval_end: {(end_ms - start_ms) / MINUTE_MS:g} min after interval_start (send intervals of 15, 30 or 60 minutes)"
        raise FieldError(msg)
    version_ms = to_ms(event.occurred_at if event.updated_at is None else event.updated_at)
    return start_ms, Forecast(version_ms, int(event.offered * 1000 + 0.5), end_ms)


def offered(packed: int) -> int:
    """The offered contacts in packed measures: answered and abandoned."""
    return sum(packed >> bits & _LANE for bits in _OFFERED_AT)


def _offered_between(panes: PaneStore, start_ms: int, end_ms: int) -> dict[Place, int]:
    """How many contacts were offered in [start_ms, end_ms), by the queue and channel that they came with."""
    found: dict[Place, int] = {}
    for cells in panes.cells_between(start_ms, end_ms):
        for cell, packed in cells.items():
            if cell.family == Family.INTERACTIONS and not isinstance(cell, SideCell):
                place = cell.queue, cell.channel
                found[place] = found.get(place, 0) + offered(packed)
    return found


def _covered(places: dict[Place, int], named: Place) -> int:
    return sum(count for place, count in places.items() if _covers(named, *place))


def _covers(place: Place, queue: str | None, channel: str | None) -> bool:
    return place[0] in (None, queue) and place[1] in (None, channel)


def _cell(place: Place) -> Cell:
    return Cell(Family.FORECAST, *place, 0, 0)


class Plan:
    """The forecasts of one partner."""

    __slots__ = ("_awaited", "_ends", "_kept_ms", "changed", "held", "partner_id", "size")

    def __init__(self, partner_id: str) -> None:
        self.partner_id = partner_id
        self.held: dict[int, dict[Place, Forecast]] = {}
        """By when the interval begins, and by what it names."""
        self.size = 0
        """How many are held."""
        self.changed: set[tuple[int, Place]] = set()
        """Days (UTC) and places whose row is to be written."""
        self._kept_ms = 0
        """What begins before this is not held any more."""
        self._ends: list[int] = []
        """A heap of when intervals end that have not closed."""
        self._awaited: set[int] = set()
        """The same: however often a forecast is restated, its end stands there once."""

    def __bool__(self) -> bool:
        """Whether any forecast is held."""
        return bool(self.held)

    def put(self, start_ms: int, place: Place, forecast: Forecast) -> None:
        """Hold a forecast as it is now."""
        places = self.held.setdefault(start_ms, {})
        self.size += place not in places
        places[place] = forecast
        if forecast.actual is None and forecast.end_ms not in self._awaited:
            self._awaited.add(forecast.end_ms)
            heappush(self._ends, forecast.end_ms)

    def mark(self, start_ms: int, place: Place) -> None:
        """Have a row written."""
        self.changed.add((start_ms - start_ms % DAY_MS, place))

    def next_end_ms(self) -> int | None:
        """When the next interval closes; None if none will."""
        return self._ends[0] if self._ends else None

    def close(self, closed_ms: int, panes: PaneStore) -> list[Correction]:
        """What counts from `closed_ms` on: the intervals that ended by then. Call before `panes` advances."""
        found: list[Correction] = []
        while self._ends and self._ends[0] <= closed_ms:
            end_ms = heappop(self._ends)
            self._awaited.discard(end_ms)
            for start_ms in (end_ms - length for length in _LENGTHS_MS):
                held = self.held.get(start_ms, {}).items()
                due = [(place, each) for place, each in held if each.end_ms == end_ms and each.actual is None]
                if due:
                    places = _offered_between(panes, start_ms, end_ms)
                    found += [self._recounted(start_ms, place, each, _covered(places, place)) for place, each in due]
        return found

    def late(self, cell: Cell, at_ms: int, more: int) -> list[Correction]:
        """What counts otherwise because `more` contacts of `cell` were offered at `at_ms`, which is closed already."""
        quarter_ms = at_ms - at_ms % _GRAIN_MS
        found: list[Correction] = []
        for start_ms in (quarter_ms - step * _GRAIN_MS for step in range(4)):
            for place, each in self.held.get(start_ms, {}).items():
                if each.actual is not None and each.end_ms > at_ms and _covers(place, cell.queue, cell.channel):
                    found.append(self._recounted(start_ms, place, each, each.actual + more))
        return found

    def tell(self, start_ms: int, place: Place, forecast: Forecast, panes: PaneStore) -> list[Correction]:
        """Hold a newer forecast; what counts otherwise for it where its interval has closed."""
        before = self.held.get(start_ms, {}).get(place)
        old = 0 if before is None else before.packed()
        if forecast.end_ms <= panes.closed_ms:
            forecast = forecast._replace(actual=_covered(_offered_between(panes, start_ms, forecast.end_ms), place))
        self.put(start_ms, place, forecast)
        self.mark(start_ms, place)
        new = forecast.packed()
        return [Correction(start_ms, _cell(place), old, new)] if old != new else []

    def _recounted(self, start_ms: int, place: Place, before: Forecast, actual: int) -> Correction:
        after = before._replace(actual=actual)
        self.held[start_ms][place] = after
        self.mark(start_ms, place)
        return Correction(start_ms, _cell(place), before.packed(), after.packed())

    def forget(self, before_ms: int) -> None:
        """Drop what begins before `before_ms`: its day is kept as a whole, and it counts as it stands."""
        if before_ms <= self._kept_ms:
            return
        self._kept_ms = before_ms
        gone = [start_ms for start_ms in self.held if start_ms < before_ms]
        for start_ms in gone:
            for place in self.held[start_ms]:
                self.mark(start_ms, place)
            self.size -= len(self.held.pop(start_ms))


class Plans:
    """The forecasts of one partition number. A row holds those of a partner's day (UTC) and queue and channel."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.by_partner: dict[str, Plan] = {}
        self._dropped = 0
        self._outdated = 0

    def of(self, partner_id: str) -> Plan:
        """The forecasts of a partner."""
        return self.by_partner.setdefault(partner_id, Plan(partner_id))

    def release(self, partner_id: str) -> None:
        """Hold nothing for a partner that is gone; call after `drain`."""
        if not self.by_partner[partner_id]:
            del self.by_partner[partner_id]

    def tell(self, plan: Plan, place: Place, start_ms: int, forecast: Forecast, panes: PaneStore) -> list[Correction]:
        """Take a forecast; what is to be counted otherwise than it was. One that is not newer changes nothing."""
        before = plan.held.get(start_ms, {}).get(place)
        # Of two of the same version one must win, whichever came first.
        if before is not None and before[:3] >= forecast[:3]:
            self._outdated += before[:3] > forecast[:3]
            return []
        if before is None and sum(each.size for each in self.by_partner.values()) >= self._limit:
            self._dropped += 1
            return []
        return plan.tell(start_ms, place, forecast, panes)

    def take_dropped(self) -> int:
        """How many forecasts the limit refused since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def take_outdated(self) -> int:
        """How many forecasts came after a newer one of their interval since the last call."""
        outdated, self._outdated = self._outdated, 0
        return outdated

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for plan in self.by_partner.values():
            for day_ms, place in sorted(plan.changed, key=str):
                quarters = range(day_ms, day_ms + DAY_MS, _GRAIN_MS)
                entries = [(at, *each) for at in quarters if (each := plan.held.get(at, {}).get(place)) is not None]
                key = rows.key("forecast", plan.partner_id, day_ms, *(name or "" for name in place))
                yield key, rows.pack(entries) if entries else None
            plan.changed.clear()

    def load(self, partner_id: str, place: tuple[str, str], entries: list[list[Any]]) -> None:
        """Take a stored row."""
        plan = self.of(partner_id)
        for start_ms, *values in entries:
            plan.put(start_ms, (place[0] or None, place[1] or None), Forecast(*values))

    def snapshot(self) -> dict[str, dict[int, dict[Place, Forecast]]]:
        """All forecasts by partner, for comparison."""
        return {partner_id: plan.held for partner_id, plan in self.by_partner.items() if plan}
