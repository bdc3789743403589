"""When a shift begins again: an RRULE of RFC 5545 over the wall clock, at a cost that is bounded.

Days are the finest frequency, so that a rule occurs at most 24 times a day. A rule by days or weeks has days of the week and hours only:
it is alike in every period of seven intervals, and its occurrences are counted by periods, however long ago it began. A rule by months
or years has no hours, so that at most one a day occurs; its occurrences are counted out once, from the year 2000 at the earliest. A rule
has no end of its own, neither UNTIL nor COUNT: that is `until` of its layer, which cuts a shift as well.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dateutil.rrule import rrule

__all__ = ["PARTS", "Recurrence", "check_rrule"]

_ANY: Final = ("FREQ", "INTERVAL", "BYDAY", "WKST")
_WEEKLY: Final = (*_ANY, "BYHOUR", "BYMINUTE")
_YEARLY: Final = (*_ANY, "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
PARTS: Final = {"DAILY": _WEEKLY, "WEEKLY": _WEEKLY, "MONTHLY": _YEARLY, "YEARLY": _YEARLY}
"""What a rule may say, by its frequency."""
_RANGES: Final = {
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}
"""Lists of whole numbers; where they may be negative, 0 is none of them. dateutil takes any, and stumbles over some when it counts."""
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,3}", re.ASCII)
_DAYS: Final = re.compile(r"[+-]?[1-5]?(?:MO|TU|WE|TH|FR|SA|SU)")
_INTERVAL_MAX: Final = 1000
_FAR: Final = datetime(2100, 1, 1)  # noqa: DTZ001 - wall-clock time
_AHEAD: Final = timedelta(days=800)
"""How far past what is asked for a rule that is no weekly one is counted out: past 29 February it is not looked for."""


def _parts(text: str) -> dict[str, str]:
    """The parts of a rule, whose form was checked."""
    return {name: value for name, _, value in (each.partition("=") for each in text.split(";"))}


def check_rrule(text: str) -> str:
    """The rule, if it is one that can be followed.

    Raises:
        ValueError: with what is wrong and, in brackets, what to write.
    """
    for problem in _problems(text):
        raise ValueError(problem)
    return text


def _problems(text: str) -> Iterator[str]:
    said = [each.partition("=") for each in text.split(";")]
    names = [name for name, _, _ in said]
    parts = {name: value for name, _, value in said}
    if not all(value for _, _, value in said) or len(set(names)) < len(names):
        yield f"{text!r} is no rule of RFC 5545 (write parts NAME=VALUE with semicolons between them, each once, such as FREQ=WEEKLY)"
    frequency = parts.get("FREQ", "")
    if frequency not in PARTS:
        yield f"FREQ={frequency} is no frequency of shifts (write {', '.join(PARTS)}; BYHOUR for several a day)"
    for name in names:
        if name in ("UNTIL", "COUNT"):
            yield f"{name} has no place here (write until: of the layer)"
        if name not in PARTS[frequency]:
            yield f"{name!r} is no part of a rule of shifts with FREQ={frequency} (write {', '.join(PARTS[frequency])})"
    yield from _value_problems(parts)
    if "," in parts.get("BYMINUTE", ""):
        yield "BYMINUTE names several minutes (write one)"
    if frequency == "DAILY" and "BYDAY" in parts and int(parts.get("INTERVAL", "1")) % 7 == 0:
        # dateutil looks for the first day to the year 9999 where the first is of another weekday.
        yield "days at intervals of weeks are all of one weekday (write FREQ=WEEKLY)"
    try:
        _rule(text, datetime(2000, 1, 1), None)  # noqa: DTZ001 - wall-clock time of a zone that is said elsewhere
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        yield f"{text!r} is no rule of RFC 5545: {str(error).replace(' (', ': ').replace(')', '')} (write such as FREQ=WEEKLY)"


def _value_problems(parts: dict[str, str]) -> Iterator[str]:
    if not (parts.get("INTERVAL", "1").isdecimal() and 1 <= int(parts.get("INTERVAL", "1")) <= _INTERVAL_MAX):
        yield f"INTERVAL={parts['INTERVAL']} is no whole number from 1 to {_INTERVAL_MAX} (write INTERVAL=1)"
    for name, (least, most) in _RANGES.items():
        for each in parts[name].split(",") if name in parts else ():
            if not _WHOLE.fullmatch(each) or not least <= int(each) <= most or (int(each) == 0 and least < 0):
                yield f"{name}={each[:20]} is no whole number from {least} to {most}{', and not 0' if least < 0 else ''} (correct it)"
    for each in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        if not _DAYS.fullmatch(each):
            yield f"BYDAY={each[:20]} is no day of the week (write MO, or -1SU for the last Sunday of a month)"


def _rule(text: str, begins: datetime, until: datetime | None) -> "rrule":
    from dateutil.rrule import rrule, rrulestr  # noqa: PLC0415 - some milliseconds, for policies that have rotations

    rule = rrulestr(text, dtstart=begins)
    if not isinstance(rule, rrule):
        msg = "it is several"
        raise TypeError(msg)
    return rule if until is None else rule.replace(until=until)


@dataclass(frozen=True)
class Recurrence:
    """The occurrences of a rule that was checked, from `begins` on."""

    text: str
    begins: datetime
    """Without a zone, as every time here."""
    _counted: list[tuple[datetime, list[datetime]]] = field(default_factory=list, repr=False, compare=False)
    """Of a rule that is not weekly, once it was looked for, up to when it was counted out, and its occurrences."""

    def between(self, low: datetime, high: datetime) -> list[tuple[int, datetime]]:
        """The occurrences in [low, high) with their numbers from 0 on, the last before them, and the first after them if it is near."""
        found = self._by_period(low, high) if self._period is not None else self._by_list(low, high)
        times = [at for _, at in found]
        return found[max(0, bisect_left(times, low) - 1) : bisect_left(times, high) + 1]

    def has(self, at: datetime) -> bool:
        """Whether it occurs at a time."""
        return any(each == at for _, each in self.between(at, at + timedelta(seconds=1)))

    def nth(self, number: int) -> datetime | None:
        """The occurrence of a number from 0 on, each before it being counted; None where there is none before the year 2100."""
        return next(islice(_rule(self.text, self.begins, _FAR), number, None), None)

    @cached_property
    def _period(self) -> timedelta | None:
        """After which a rule by days or weeks is as before; None of any other."""
        parts = _parts(self.text)
        if PARTS[parts["FREQ"]] is not _WEEKLY:
            return None
        return timedelta(days=7 * int(parts.get("INTERVAL", "1")))

    @cached_property
    def _per_period(self) -> int:
        assert self._period is not None
        return sum(1 for _ in _rule(self.text, self.begins, self.begins + self._period - timedelta(seconds=1)))

    def _by_period(self, low: datetime, high: datetime) -> list[tuple[int, datetime]]:
        period = self._period
        assert period is not None
        # A period before what is asked for, where the last occurrence before it lies; one after it for the next.
        skipped = max(0, (low - self.begins) // period - 1)
        if not self._per_period or high + period < self.begins:
            return []
        rule = _rule(self.text, self.begins + skipped * period, high + period)
        return list(enumerate(rule, skipped * self._per_period))

    def _by_list(self, low: datetime, high: datetime) -> list[tuple[int, datetime]]:
        until, counted = next(iter(self._counted), (self.begins, list[datetime]()))
        if not self._counted or until < high:
            counted = list(_rule(self.text, self.begins, high + _AHEAD))
            # Kept together and at once: several threads may lay out the same rotation.
            self._counted[:] = [(high + _AHEAD, counted)]
        first = max(0, bisect_left(counted, low) - 1)
        return list(enumerate(counted[first : bisect_left(counted, high) + 1], first))
