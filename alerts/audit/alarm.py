"""The alarm: what of the breaches holds long enough to be told, and who is told of it when. Pure: the time is an argument."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from alerts.audit.breach import AuditReason, Breach, Terms

__all__ = ["Alarm", "Bell", "Ring"]

RETRY_MS: Final = 60_000
"""Until a receiver that did not take it is tried again."""


class Ring(StrEnum):
    """Why somebody is told."""

    BEGINS = "begins"
    WORSE = "worse"
    """Something else fails, too."""
    GOES_ON = "goes_on"
    ENDS = "ends"


class Alarm:
    """Begins with the first breach that holds for its time, and ends when nothing was found for a while."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._first_ms: dict[tuple[AuditReason, str], int] = {}
        """When what is found now was found first, without a look between that did not."""
        self._found_ms = 0
        """When anything was found last."""
        self.found: tuple[Breach, ...] = ()
        """All of the last look."""
        self.failing: tuple[Breach, ...] = ()
        """Of these what held for its time."""
        self.last: tuple[Breach, ...] = ()
        """What fails, or failed last."""
        self.began_ms: int | None = None
        self.ended_ms: int | None = None

    def look(self, found: Iterable[Breach], at_ms: int) -> None:
        """Take what was found at `at_ms`."""
        self.found = tuple(found)
        self._first_ms = {each.key: self._first_ms.get(each.key, at_ms) for each in self.found}
        self.failing = tuple(each for each in self.found if at_ms - self._first_ms[each.key] >= self._terms.hold_ms)
        if self.found:
            self._found_ms = at_ms
        if self.failing:
            self.last = self.failing
            if self.began_ms is None:
                self.began_ms, self.ended_ms = at_ms, None
        elif self.began_ms is not None and not self.found and at_ms - self._found_ms >= self._terms.recover_ms:
            self.began_ms, self.ended_ms = None, at_ms

    @property
    def reasons(self) -> frozenset[AuditReason]:
        """Of what fails now, or failed last while it is not known to be over."""
        return frozenset(each.reason for each in self.last)


class _Rung(NamedTuple):
    at_ms: int
    began_ms: int
    reasons: frozenset[AuditReason]


class Bell:
    """What one receiver was told.

    Args:
        again_ms: between two times that it is told of the same.
    """

    def __init__(self, again_ms: int) -> None:
        self._again_ms = again_ms
        self._rung: _Rung | None = None
        self._not_before_ms = 0

    @property
    def began_ms(self) -> int | None:
        """When the alarm began that it was told of last, and not the end of."""
        return None if self._rung is None else self._rung.began_ms

    def due(self, alarm: Alarm, at_ms: int) -> Ring | None:
        """Whether it is to be told something now."""
        if at_ms < self._not_before_ms:
            return None
        rung = self._rung
        if alarm.began_ms is None:
            return None if rung is None else Ring.ENDS
        if rung is None:
            return Ring.BEGINS
        if not alarm.reasons <= rung.reasons:
            return Ring.WORSE
        return Ring.GOES_ON if at_ms - rung.at_ms >= self._again_ms else None

    def rang(self, ring: Ring, alarm: Alarm, at_ms: int, *, taken: bool) -> None:
        """It was told, or did not take it."""
        if not taken:
            self._not_before_ms = at_ms + RETRY_MS
        elif ring is Ring.ENDS:
            self._rung = None
        else:
            before = frozenset[AuditReason]() if self._rung is None else self._rung.reasons
            assert alarm.began_ms is not None, "there is an alarm to tell"
            self._rung = _Rung(at_ms, self.began_ms or alarm.began_ms, before | alarm.reasons)
