"""Books: the amounts that were reported of a partner's periods, and the contacts handled on days that the ledger forgot.

A period that is over has a record, which is owed whenever anything of it becomes different: an amount of it or of the equal period
before it, a contact of one of its days, the policy. What is owed stands in a row, so that no crash loses it. Days are cut as panes are;
what is handled today is in the panes, and what outlives them (35 days) is kept here, one number a day, as long as the periods (760 days).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.days import day_end, day_start
from models.kpis.finance import Gap
from models.measures import FAMILIES, OFFSETS, Family
from models.money import Fact, Line, Period
from models.windows import DAY_MS, GRID_MS
from streams.engine import rows
from streams.engine.cells import SideCell
from streams.engine.panes import PaneStore

__all__ = ["KEPT_MS", "Books", "before", "handled"]

KEPT_MS: Final = 760 * DAY_MS
"""Two years and a month: as long as the records of periods are kept."""
_LANE_BITS: Final = 64
_LANE: Final = (1 << _LANE_BITS) - 1
_HANDLED_AT: Final = _LANE_BITS * (OFFSETS[Family.INTERACTIONS] + FAMILIES[Family.INTERACTIONS].index("handled"))
_MONTHS: Final = 12
_LONGER_MS: Final = 4 * DAY_MS
"""No month, quarter or year is longer by more than the next one."""


def handled(packed: int) -> int:
    """The handled contacts in packed measures."""
    return packed >> _HANDLED_AT & _LANE


def _midnight(year: int, month: int, day: int, zone: str) -> int:
    return round(datetime(year, month, day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def before(period: Period, zone: str) -> Period | None:
    """The equal period before one of whole days: as many calendar months before one of whole months, else as many days; None of others."""
    if not _is_whole(period, zone):
        return None
    start, end = (datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)) for at in period)
    months = (end.year - start.year) * _MONTHS + end.month - start.month
    if start.day == end.day == 1:
        year, month = divmod(start.year * _MONTHS + start.month - 1 - months, _MONTHS)
        return Period(_midnight(year, month + 1, 1, zone), period.start_ms)
    first = start.date() - (end.date() - start.date())
    return Period(_midnight(first.year, first.month, first.day, zone), period.start_ms)


def _may_say(of: Period, told: Period) -> bool:
    """Whether the record of a period may say something of another: it, or the equal one before it, which may be longer by some days."""
    return told.start_ms < of.end_ms and 2 * of.start_ms - of.end_ms - _LONGER_MS < told.end_ms


def _is_whole(period: Period, zone: str) -> bool:
    """Whether a period begins and ends at midnights of the zone."""
    return all(day_start(at, zone) == at for at in period)


class Books:
    """Of one partner."""

    __slots__ = ("_changed", "_days_changed", "_oldest_ms", "_owed_changed", "days", "facts", "owed", "size")

    def __init__(self) -> None:
        self.facts: dict[Period, dict[Line, Fact]] = {}
        self.size = 0
        """How many facts are held."""
        self.days: dict[int, int] = {}
        """Contacts handled on days before the ledger begins, by when the day began; days without any are left out."""
        self.owed: set[Period] = set()
        """Periods whose record is to be written, once they are over."""
        self._changed: set[tuple[Period, Line]] = set()
        self._days_changed = False
        self._owed_changed = False
        self._oldest_ms: int | None = None
        """When the earliest period ends."""

    def __bool__(self) -> bool:
        """Whether any amount is held."""
        return bool(self.facts)

    def tell(self, period: Period, line: Line, fact: Fact) -> bool:
        """Take what was reported; false if it is no newer than what is held."""
        held = self.facts.get(period, {}).get(line)
        if held is not None and held >= fact:
            return False
        self._put(period, line, fact)
        self._changed.add((period, line))
        self._owe({each for each in self.facts if _may_say(each, period)})
        return True

    def _put(self, period: Period, line: Line, fact: Fact) -> None:
        lines = self.facts.setdefault(period, {})
        self.size += line not in lines
        lines[line] = fact
        self._oldest_ms = period.end_ms if self._oldest_ms is None else min(self._oldest_ms, period.end_ms)

    def corrected(self, at_ms: int) -> None:
        """Something that was handled at `at_ms` is counted otherwise."""
        self._owe({each for each in self.facts if each.start_ms <= at_ms < each.end_ms})

    def owe_all(self) -> None:
        """The policy became another."""
        self._owe(set(self.facts))

    def _owe(self, periods: set[Period]) -> None:
        if not periods <= self.owed:
            self.owed |= periods
            self._owed_changed = True

    def over(self, closed_ms: int) -> list[Period]:
        """The periods whose record is owed and which are over."""
        return sorted(each for each in self.owed if each.end_ms <= closed_ms)

    def paid(self, period: Period) -> None:
        """The record of a period is written."""
        self.owed.discard(period)
        self._owed_changed = True

    def next_end_ms(self, closed_ms: int) -> int | None:
        """When the next period is over whose record is owed, or is forgotten; None if none will be."""
        due = [each.end_ms for each in self.owed if each.end_ms > closed_ms]
        if self._oldest_ms is not None:
            due.append(self._oldest_ms + KEPT_MS + DAY_MS)
        return min((each + -each % GRID_MS for each in due), default=None)

    def keep_days(self, panes: PaneStore, closed_ms: int) -> None:
        """Keep what was handled on the days that the ledger loses at `closed_ms`. Call before `panes` advances."""
        at_ms, end_ms = panes.ledger_start(), panes.ledger_start(closed_ms)
        if at_ms in (0, end_ms):
            return
        days = {start_ms: count for start_ms, count in self.days.items() if start_ms >= closed_ms - KEPT_MS}
        while at_ms < end_ms:
            after_ms = day_end(at_ms, panes.zone)
            count = _handled_between(panes, at_ms, after_ms)
            if count:
                days[at_ms] = days.get(at_ms, 0) + count
            at_ms = after_ms
        if days != self.days:
            self.days, self._days_changed = days, True
        for period in [each for each in self.facts if each.end_ms < closed_ms - KEPT_MS]:
            lines = self.facts.pop(period)
            self._changed |= {(period, line) for line in lines}
            self.size -= len(lines)
            self.paid(period)
        self._oldest_ms = min((each.end_ms for each in self.facts), default=None)

    def handled(self, period: Period, panes: PaneStore) -> int | Gap:
        """Contacts handled in a period that is over."""
        if not _is_whole(period, panes.zone):
            return Gap.NOT_DAYS
        first_ms = min((start_ms for start_ms in (panes.first_ms(), *self.days) if start_ms is not None), default=None)
        if first_ms is None or day_start(first_ms, panes.zone) > period.start_ms:
            return Gap.NOT_COUNTED
        ledger_ms = panes.ledger_start()
        kept = sum(count for start_ms, count in self.days.items() if period.start_ms <= start_ms < period.end_ms)
        return kept + _handled_between(panes, max(period.start_ms, ledger_ms), period.end_ms)

    def drain(self, partner_id: str) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for period, line in sorted(self._changed, key=str):
            fact = self.facts.get(period, {}).get(line)
            yield rows.key("fact", partner_id, *period, *(part or "" for part in line)), None if fact is None else rows.pack([*fact])
        self._changed.clear()
        if self._days_changed:
            self._days_changed = False
            yield rows.key("handled", partner_id), rows.pack(sorted(self.days.items())) if self.days else None
        if self._owed_changed:
            self._owed_changed = False
            yield rows.key("owed", partner_id), rows.pack([[*each] for each in sorted(self.owed)]) if self.owed else None

    def load_fact(self, parts: list[Any], fact: list[int]) -> None:
        """Take a stored row."""
        start_ms, end_ms, flow, currency, *named = parts
        queue, channel, name = (each or None for each in named)
        self._put(Period(start_ms, end_ms), Line(flow, currency, queue, channel, name), Fact(*fact))

    def snapshot(self) -> dict[str, Any]:
        """All that rows must bring back."""
        return {"facts": self.facts, "days": self.days, "owed": self.owed}


def _handled_between(panes: PaneStore, start_ms: int, end_ms: int) -> int:
    cells = chain.from_iterable(each.items() for each in panes.cells_between(start_ms, end_ms))
    return sum(handled(packed) for cell, packed in cells if not isinstance(cell, SideCell))
