"""Hours of a week in a partner's own time: when it is open, and when it is being maintained.

    hours: {mon-fri: "08:00-20:00", sat: "09:00-13:00, 14:00-17:00"}

A span that ends by its beginning, or before, ends on the next day; it belongs to the day on which it begins. Where clocks are put forward
a time that is skipped means the moment as long after the change; where they are put back a span that ends in the doubled hour ends in
the second one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = ["Holidays", "Schedule", "Week", "compile_hours", "content"]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT: Final = 24 * 60
_DAY_TEXT: Final = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_TIME_TEXT: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_KEY: Final = re.compile(rf"{_DAY_TEXT}(-{_DAY_TEXT})?")
_TEXT: Final = rf"{_TIME_TEXT}-({_TIME_TEXT}|24:00)"
_PATTERN: Final = rf"^{_TEXT}(, ?{_TEXT})*$"
_AHEAD: Final = 2
"""Days after a moment in which its next turn is looked for; without one it is looked for again."""
_HELD_MAX: Final = 8

_Span = tuple[int, int]
_Spans = tuple[_Span, ...]


def _days(key: str) -> list[int]:
    """The days of `mon` or `fri-mon`; 0 is Monday."""
    first, _, last = key.partition("-")
    begin = _DAYS.index(first)
    return [(begin + step) % 7 for step in range((_DAYS.index(last or first) - begin) % 7 + 1)]


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        msg = f"{text!r} is no day of the week (write mon, or mon-fri)"
        raise ValueError(msg)
    return text


def _text(text: str) -> str:
    if not re.fullmatch(_PATTERN, text):
        msg = f"{text!r} is no span of a day (write 08:00-20:00, or several with commas between them)"
        raise ValueError(msg)
    return text


def _once(week: dict[str, str]) -> dict[str, str]:
    seen: set[int] = set()
    for key in week:
        twice = seen.intersection(_days(key))
        if twice:
            msg = f"{_DAYS[min(twice)]} stands there twice (name each day once; put several spans into one text, with commas)"
            raise ValueError(msg)
        seen.update(_days(key))
    return week


Week = Annotated[
    dict[Annotated[str, AfterValidator(_key)], Annotated[str, AfterValidator(_text), Field(json_schema_extra={"pattern": _PATTERN})]],
    Field(min_length=1, max_length=7),
    AfterValidator(_once),
]
"""By day, or first and last day: spans of the local clock."""


class Holidays(BaseModel):
    """On which days a partner is closed that is open on their weekday."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """A code of ISO 3166, such as PT: its public holidays."""
    subdivision: Annotated[str, Field(min_length=1, max_length=8)] | None = None
    """A part of the country, by the code behind the dash of ISO 3166-2."""
    dates: Annotated[tuple[date, ...], Field(max_length=1000)] = ()
    """Further days."""

    @model_validator(mode="after")
    def _known(self) -> "Holidays":
        if self.subdivision is not None and self.country is None:
            msg = "a subdivision needs its country (add country: and a code such as PT)"
            raise ValueError(msg)
        if self.country is not None:
            try:
                _public(self.country, self.subdivision)
            except NotImplementedError:
                what = self.country if self.subdivision is None else f"{self.country}-{self.subdivision}"
                msg = f"no holidays are known of {what} (write a code of ISO 3166, or list dates)"
                raise ValueError(msg) from None
        return self

    def off(self, day: date) -> bool:
        """Whether it is one of them."""
        return day in self.dates or (self.country is not None and day in _public(self.country, self.subdivision))


@lru_cache(maxsize=256)
def _public(country: str, subdivision: str | None) -> Mapping[date, str]:
    """The public holidays of a country, each year made when it is first asked for."""
    from holidays import country_holidays  # noqa: PLC0415 - a tenth of a second and some megabytes, for policies that name a country

    found: Mapping[date, str] = country_holidays(country, subdiv=subdivision)
    return found


def _never(_: date) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Schedule:
    """Spans of a week in a zone."""

    zone: ZoneInfo
    week: tuple[_Spans, ...]
    """By weekday: from and to in minutes of the local day, the latter maybe of the next."""
    off: Callable[[date], bool] = _never
    _held: dict[date, list[_Span]] = field(default_factory=dict, repr=False, compare=False)

    def holds(self, at_ms: int) -> bool:
        """Whether `at_ms` lies in a span."""
        day = self._day(at_ms)
        return any(begin <= at_ms < end for each in (day - timedelta(1), day) for begin, end in self._spans(each))

    def turns_ms(self, after_ms: int) -> int:
        """When that may become different next, or is to be looked for again."""
        day = self._day(after_ms)
        nearby = (day + timedelta(ahead) for ahead in range(-1, _AHEAD))
        turns = [turn for each in nearby for span in self._spans(each) for turn in span if turn > after_ms]
        return min(turns, default=_ms(self.zone, day + timedelta(_AHEAD), 0))

    def _day(self, at_ms: int) -> date:
        return datetime.fromtimestamp(at_ms // 1000, self.zone).date()

    def _spans(self, day: date) -> list[_Span]:
        found = self._held.get(day)
        if found is None:
            if len(self._held) >= _HELD_MAX:
                self._held.clear()
            spans = () if self.off(day) else self.week[day.weekday()]
            found = self._held[day] = [
                (_ms(self.zone, day, begin), max(_ms(self.zone, day, end), _ms(self.zone, day, end, fold=1))) for begin, end in spans
            ]
        return found


def _ms(zone: ZoneInfo, day: date, minutes: int, fold: int = 0) -> int:
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return round(local.replace(tzinfo=zone, fold=fold).timestamp()) * 1000


def compile_hours(week: Mapping[str, str] | None, zone: str, holidays: Holidays | None = None) -> Schedule | None:
    """The schedule of what a policy says; None where it says nothing."""
    if week is None:
        return None
    days: list[_Spans] = [()] * 7
    for key, text in week.items():
        for day in _days(key):
            days[day] = tuple(map(_span, re.split(", ?", text)))
    return Schedule(ZoneInfo(zone), tuple(days), holidays.off if holidays is not None else _never)


def _span(text: str) -> _Span:
    begin, end = (int(each[:2]) * 60 + int(each[3:]) for each in text.split("-"))
    return begin, end if end > begin else end + _MIDNIGHT


def content(week: Mapping[str, str] | None, holidays: Holidays | None, maintenance: Mapping[str, str] | None) -> dict[str, Any]:
    """What of a policy's content hours are: nothing of one that says nothing of them."""
    said = {"hours": week, "holidays": holidays and holidays.model_dump(mode="json"), "maintenance": maintenance}
    return {name: value for name, value in said.items() if value is not None}
