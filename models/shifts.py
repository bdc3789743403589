"""The shifts of one layer of a rotation, as spans of moments."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.recurrence import Recurrence
from models.rotations import LayerSpec
from models.wall import local_of, moment_ms
from models.windows import DAY_MS

__all__ = ["Layer", "Shift", "compile_layer"]

_BLOCK_MS: Final = 32 * DAY_MS
_HELD_MAX: Final = 16
_MARGIN: Final = timedelta(days=2)
"""A zone may leave out a whole day, and clocks are put by less than that."""
_LAST: Final = datetime(2100, 1, 1)  # noqa: DTZ001 - wall-clock time


class Shift(NamedTuple):
    """Of one layer: [begin, end), and who has it."""

    begin_ms: int
    end_ms: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that was checked; a shift ends when the next one begins, at the latest."""

    zone: ZoneInfo
    recurrence: Recurrence
    lasts: timedelta | None
    turns: tuple[tuple[str, ...], ...]
    from_: datetime
    until: datetime
    except_: frozenset[datetime] = frozenset()
    """When shifts would begin that it does not have."""
    _held: dict[int, tuple[list[int], list[Shift]]] = field(default_factory=dict, repr=False, compare=False)
    """By number of the block of 32 days: when the shifts that touch it begin, and they."""

    def at(self, at_ms: int) -> Shift | None:
        """The shift at a moment; None where there is none."""
        begins, shifts = self._block(at_ms // _BLOCK_MS)
        found = bisect_right(begins, at_ms) - 1
        return shifts[found] if found >= 0 and at_ms < shifts[found].end_ms else None

    def between(self, from_ms: int, to_ms: int) -> Iterator[Shift]:
        """The shifts that touch [from, to), in their order."""
        last = -1
        for number in range(from_ms // _BLOCK_MS, -(-to_ms // _BLOCK_MS)):
            for shift in self._block(number)[1]:
                if shift.begin_ms > last and shift.end_ms > from_ms and shift.begin_ms < to_ms:
                    last = shift.begin_ms
                    yield shift

    def overlap(self, from_ms: int, to_ms: int) -> datetime | None:
        """The first local time in the span at which a shift begins although the one before is not over."""
        if self.lasts is None:
            return None
        starts = self._starts(from_ms, to_ms)
        held = [start for _, start in starts if start not in self.except_]
        return next((later for earlier, later in pairwise(held) if earlier + self.lasts > later), None)

    def _starts(self, from_ms: int, to_ms: int) -> list[tuple[int, datetime]]:
        low, high = local_of(from_ms, self.zone) - _MARGIN, local_of(to_ms, self.zone) + _MARGIN
        return self.recurrence.between(low, high) if high > self.from_ and low < self.until else []

    def _block(self, number: int) -> tuple[list[int], list[Shift]]:
        found = self._held.get(number)
        if found is None:
            if len(self._held) >= _HELD_MAX:
                self._held.clear()
            shifts = list(self._made(number * _BLOCK_MS, (number + 1) * _BLOCK_MS))
            found = self._held[number] = [each.begin_ms for each in shifts], shifts
        return found

    def _made(self, from_ms: int, to_ms: int) -> Iterator[Shift]:
        starts = self._starts(from_ms, to_ms)
        # Past the last that was looked for nothing of this span changes any more.
        for (number, start), (_, following) in pairwise([*starts, (0, _LAST)]):
            if start in self.except_:
                continue
            end = following if self.lasts is None else min(start + self.lasts, following)
            begin_ms = moment_ms(max(start, self.from_), self.zone)
            end_ms = moment_ms(min(end, self.until), self.zone)
            if begin_ms < end_ms and begin_ms < to_ms and end_ms > from_ms:
                yield Shift(begin_ms, end_ms, self.turns[number % len(self.turns)])


def compile_layer(spec: LayerSpec, zone: str) -> Layer:
    """The layer of what a policy says."""
    starts = datetime.fromisoformat(spec.starts)
    return Layer(
        ZoneInfo(zone),
        Recurrence(spec.rrule, starts),
        None if spec.lasts is None else timedelta(seconds=spec.lasts),
        spec.turns,
        datetime.fromisoformat(spec.from_ or spec.starts),
        datetime.fromisoformat(spec.until) if spec.until else _LAST,
        frozenset(map(datetime.fromisoformat, spec.except_ or ())),
    )
