"""Rotations at every edge of every zone that there is: zones that put their clocks alike are looked at once."""

from bisect import bisect_left
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest

from models.wall import local_of
from models.windows import DAY_MS, MINUTE_MS
from tests.property.test_oncall_properties import naive, shown
from tests.rotations import layer, ms, rotation

FORMS: tuple[tuple[str, int | None], ...] = (
    ("FREQ=DAILY", None),
    ("FREQ=DAILY", 8),
    ("FREQ=DAILY;BYHOUR=0,1,2,3,4", 1),
    ("FREQ=WEEKLY", 168),
    ("FREQ=MONTHLY", None),
)
PEOPLE = ["ana", "bo", "cy"]


def offset(at_ms: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at_ms // 1000, zone).utcoffset()


def edge(day_ms: int, zone: ZoneInfo) -> tuple[int, object, object]:
    """The minute of a day from which on another offset holds, the one before and the one after."""
    before, minutes = offset(day_ms, zone), range(day_ms, day_ms + DAY_MS + 1, MINUTE_MS)
    at_ms = minutes[bisect_left(minutes, x=True, key=lambda each: offset(each, zone) != before)]
    return at_ms, before, offset(at_ms, zone)


def edges(year: int, zone: ZoneInfo) -> list[tuple[int, object, object]]:
    """When the zone puts its clocks in a year."""
    offsets = [(day_ms, offset(day_ms, zone)) for day_ms in range(ms(f"{year}-01-01T00:00"), ms(f"{year + 1}-01-01T00:00"), DAY_MS)]
    return [edge(day_ms, zone) for (day_ms, before), (_, after) in pairwise(offsets) if before != after]


@pytest.mark.parametrize("year", [2011, 2026])  # in 2011 Samoa left a day out, and Newfoundland put its clocks at 00:01
def test_the_shift_at_a_moment_is_the_one_that_the_wall_clock_shows(year: int) -> None:
    draw, kinds = Random(year), dict[tuple[int, object, object], str]()
    for zone in sorted(available_timezones()):
        kinds |= dict.fromkeys(edges(year, ZoneInfo(zone)), zone)
    assert len(kinds) > 20
    for (edge_ms, _, _), zone in kinds.items():
        at, (rrule, hours) = ZoneInfo(zone), draw.choice(FORMS)
        begin = local_of(edge_ms - 20 * DAY_MS, at).replace(hour=draw.randrange(24), minute=draw.choice((0, 15, 30, 45)), second=0)
        starts = begin.isoformat(timespec="minutes")
        ops = rotation(layer(PEOPLE, rrule, starts, **({} if hours is None else {"lasts": f"{hours}h"})), zone=zone)
        for steps in (*range(-6, 7), -90, -48, 48, 90):
            at_ms = edge_ms + steps * 30 * MINUTE_MS + draw.randrange(30) * MINUTE_MS
            expected = naive(PEOPLE, rrule, starts, hours, shown(at_ms, at))
            assert ops.who(at_ms).people == (() if expected is None else (expected,)), (zone, starts, rrule, hours, at_ms)
