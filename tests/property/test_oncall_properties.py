"""Rotations against a naive second opinion: dateutil on the wall clock, at every edge at which a zone puts its clocks."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from models.notices import OverrideState
from models.oncall import Rotation
from models.recurrence import Recurrence, check_rrule
from models.wall import local_of, moment_ms
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS
from tests.rotations import layer, ms, override, rotation

ZONES = {
    "Europe/Lisbon": 2026,
    "America/New_York": 2026,
    "America/St_Johns": 2011,  # at 00:01
    "Australia/Lord_Howe": 2026,  # by half an hour
    "Antarctica/Troll": 2026,  # by two hours
    "Africa/Casablanca": 2026,  # around Ramadan
    "Pacific/Apia": 2011,  # a day is left out
    "Asia/Pyongyang": 2015,  # another offset for good
    "America/Caracas": 2016,
    "Europe/Volgograd": 2020,
    "Asia/Manila": 2026,  # never
}
RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;BYDAY=MO,WE,SA",
    "FREQ=DAILY;BYHOUR=0,1,2,3,12",
    "FREQ=DAILY;INTERVAL=2;BYDAY=TU;BYHOUR=2;BYMINUTE=30",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
    "FREQ=WEEKLY;BYDAY=SA,SU;BYHOUR=1,2,3",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1SU",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=MO,TU,WE,TH,FR,SA,SU",
    "FREQ=YEARLY;BYWEEKNO=13;BYDAY=SU",
]
PEOPLE = ("ana", "bo", "cy", "dee")


@cache
def edges(zone: str) -> list[int]:
    """The moments of a year at which the zone puts its clocks; its middle if it never does."""
    at = ZoneInfo(zone)
    begin = ms(f"{ZONES[zone]}-01-01T00:00")

    def offset(at_ms: int) -> timedelta:
        return local_of(at_ms, at) - datetime.fromtimestamp(at_ms // 1000, UTC).replace(tzinfo=None)

    hours = [each for each in range(begin, begin + 366 * DAY_MS, HOUR_MS) if offset(each) != offset(each + HOUR_MS)]
    found = [next(each for each in range(hour, hour + HOUR_MS + 1, MINUTE_MS) if offset(each) != offset(hour)) for hour in hours]
    return found or [begin + 180 * DAY_MS]


def shown(at_ms: int, zone: ZoneInfo) -> datetime:
    """The latest local time that the clocks have shown by a moment: in an hour that comes again, its end."""
    local = local_of(at_ms, zone)
    for back_ms in range(at_ms - at_ms % MINUTE_MS, at_ms - 3 * HOUR_MS, -MINUTE_MS):
        before = local_of(back_ms - 1000, zone)
        if before > local:
            return before
    return local


def counted(text: str, begins: datetime, until: datetime) -> list[datetime]:
    """Every occurrence up to a time, as dateutil counts them."""
    rule = rrulestr(text, dtstart=begins)
    assert isinstance(rule, rrule)
    return list(rule.replace(until=until))


def naive(turns: list[str], rule: str, starts: str, hours: int | None, local: datetime) -> str | None:
    """Who has a shift by the wall clock alone, every occurrence counted from the first on."""
    times = counted(rule, datetime.fromisoformat(starts), local)
    if not times or (hours is not None and local >= times[-1] + timedelta(hours=hours)):
        return None
    return turns[(len(times) - 1) % len(turns)]


@st.composite
def places(draw: st.DrawFn) -> tuple[str, int, str]:
    """A zone, a moment near one of its edges, and when layers start some weeks before, at times that edges touch."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    edge = draw(st.sampled_from(edges(zone)))
    at_ms = edge + draw(st.integers(-30 * 60, 30 * 60)) * MINUTE_MS
    begin = local_of(edge - draw(st.integers(1, 400)) * DAY_MS, ZoneInfo(zone))
    hour, minute = draw(st.sampled_from([(0, 0), (0, 1), (1, 30), (2, 0), (2, 15), (3, 0), (9, 0), (23, 45)]))
    return zone, at_ms, begin.replace(hour=hour, minute=minute, second=0).isoformat(timespec="minutes")


@settings(deadline=None, max_examples=200)
@given(places(), st.sampled_from(RULES), st.sampled_from([None, 1, 8, 24, 168]), st.integers(1, 4))
def test_a_shift_is_of_the_wall_clock_at_every_edge_of_every_zone(
    place: tuple[str, int, str], rule: str, hours: int | None, size: int
) -> None:
    zone, at_ms, starts = place
    turns = list(PEOPLE[:size])
    ops = rotation(layer(turns, rule, starts, **({} if hours is None else {"lasts": f"{hours}h"})), zone=zone)
    expected = naive(turns, rule, starts, hours, shown(at_ms, ZoneInfo(zone)))
    assert ops.who(at_ms).people == (() if expected is None else (expected,))


@given(st.sampled_from(RULES), st.integers(0, 20_000), st.integers(0, 3000), st.integers(0, 60))
@settings(deadline=None, max_examples=100)
def test_occurrences_are_numbered_as_if_they_were_counted_one_by_one(rule: str, begin: int, after: int, width: int) -> None:
    begins = datetime.fromisoformat("2001-01-01T00:30") + timedelta(hours=begin)
    low = begins + timedelta(days=after, hours=after % 24)
    high = low + timedelta(days=width)
    every = counted(rule, begins, high + timedelta(days=800))
    inside = [number for number, at in enumerate(every) if low <= at < high]
    first = inside[0] if inside else sum(at < low for at in every)
    last = first + len(inside)
    found = Recurrence(rule, begins).between(low, high)
    expected = list(enumerate(every))[max(0, first - 1) : last + 1]
    # What comes after is told where it is near: of a rule by days or weeks within one period.
    assert found == expected or (found == expected[:-1] and every[last] - high >= timedelta(days=7))


@st.composite
def rotations(draw: st.DrawFn) -> tuple[Rotation, list[OverrideState], int]:
    zone = draw(st.sampled_from(sorted(ZONES)))
    edge = draw(st.sampled_from(edges(zone)))
    begin = local_of(edge - 60 * DAY_MS, ZoneInfo(zone)).replace(minute=30, second=0).isoformat(timespec="minutes")
    members = st.lists(st.sampled_from(["ana", "bo", [], ["cy", "dee"]]), min_size=1, max_size=4)
    layers = [
        layer(draw(members), draw(st.sampled_from(RULES)), begin, **draw(st.sampled_from([{}, {"lasts": "3h"}, {"lasts": "36h"}])))
        for _ in range(draw(st.integers(1, 3)))
    ]
    overrides = []
    for number in range(draw(st.integers(0, 3))):
        from_ms = edge + draw(st.integers(-100, 100)) * HOUR_MS
        to_ms = from_ms + draw(st.integers(1, 60)) * HOUR_MS
        at = draw(st.integers(0, 2))
        made = override("eva", "2026-01-01T00:00", "2026-01-02T00:00", f"o{number}", at)
        overrides.append(made.model_copy(update={"from_": from_ms, "to": to_ms}))
    return rotation(*layers, zone=zone), overrides, edge


@settings(deadline=None, max_examples=60)
@given(rotations(), st.integers(-200, 100), st.integers(1, 400))
def test_segments_tile_a_span_and_each_is_who_is_on_call_in_it(
    drawn: tuple[Rotation, list[OverrideState], int], begin: int, width: int
) -> None:
    ops, overrides, edge = drawn
    from_ms = edge + begin * HOUR_MS
    to_ms = from_ms + width * HOUR_MS
    segments = list(ops.schedule(from_ms, to_ms, overrides))
    assert [segments[0].begin_ms, *(each.end_ms for each in segments)] == [*(each.begin_ms for each in segments), to_ms]
    assert segments[0].begin_ms == from_ms
    assert all(before.on_call != after.on_call for before, after in pairwise(segments))
    for segment in segments:
        middle = (segment.begin_ms + segment.end_ms) // 2
        for at_ms in (segment.begin_ms, middle, segment.end_ms - 1):
            assert ops.who(at_ms, overrides) == segment.on_call
    uncovered = sum(gap.end_ms - gap.begin_ms for gap in ops.gaps(from_ms, to_ms, overrides))
    assert uncovered == sum(each.end_ms - each.begin_ms for each in segments if not each.on_call.people)


@settings(deadline=None, max_examples=60)
@given(rotations(), st.integers(-200, 200))
def test_the_next_handover_is_the_first_moment_with_others(drawn: tuple[Rotation, list[OverrideState], int], begin: int) -> None:
    ops, overrides, edge = drawn
    after_ms = edge + begin * HOUR_MS
    people = ops.who(after_ms, overrides).people
    handover_ms = ops.next_handover_ms(after_ms, overrides)
    if handover_ms is not None:
        assert ops.who(handover_ms, overrides).people != people
    end_ms = handover_ms or after_ms + 390 * DAY_MS
    assert {each.on_call.people for each in ops.schedule(after_ms, end_ms, overrides)} == {people}


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(ZONES)), st.integers(-4000, 4000), st.integers(0, 4000), st.data())
def test_a_later_local_time_is_never_an_earlier_moment(zone: str, around: int, later: int, data: st.DataObject) -> None:
    at = ZoneInfo(zone)
    local = local_of(data.draw(st.sampled_from(edges(zone))), at) + timedelta(minutes=around)
    moment = moment_ms(local, at)
    assert moment <= moment_ms(local + timedelta(minutes=later), at)
    assert shown(moment, at) >= local > local_of(moment - 1000, at) or local_of(moment - 1000, at) > local_of(moment, at)


NUMBERS = st.sampled_from(["1", "-1", "5", "12", "13", "24", "31", "-31", "53", "54", "366", "0", "1,2,3", "x"])
DAYS = st.sampled_from(["MO", "MO,SA", "1MO", "-1SU", "5TU", "6TU", "XX"])
PARTS = st.one_of(
    st.tuples(st.sampled_from(["INTERVAL", "BYHOUR", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"]), NUMBERS),
    st.tuples(st.sampled_from(["BYDAY", "WKST"]), DAYS),
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), st.lists(PARTS, max_size=3, unique_by=lambda each: each[0]))
def test_a_rule_is_refused_or_can_be_followed(frequency: str, parts: list[tuple[str, str]]) -> None:
    """dateutil takes a thirteenth month, and stumbles over it when it counts."""
    rule = ";".join([f"FREQ={frequency}", *("=".join(each) for each in parts)])
    try:
        check_rrule(rule)
    except ValueError:
        return
    begins = datetime.fromisoformat("2024-02-29T01:30")
    found = [at for _, at in Recurrence(rule, begins).between(begins, begins + timedelta(days=800))]
    assert all(before < after for before, after in pairwise(found))


@settings(deadline=None, max_examples=60)
@given(places(), st.sampled_from(RULES), st.sampled_from([None, 8]), st.sets(st.integers(0, 30)))
def test_a_layer_is_as_it_is_but_for_the_shifts_that_it_leaves_out(
    place: tuple[str, int, str], rule: str, hours: int | None, left_out: set[int]
) -> None:
    zone, at_ms, starts = place
    span = at_ms - 15 * DAY_MS, at_ms + 15 * DAY_MS
    said = layer(["ana", "bo", "cy"], rule, starts, **({} if hours is None else {"lasts": f"{hours}h"}))
    (plain,) = rotation(said, zone=zone).layers
    local, end = (local_of(each, plain.zone) for each in span)
    begins = [at for _, at in plain.recurrence.between(local, end) if local <= at < end]
    out = {at for number, at in enumerate(begins) if number in left_out}
    holed = rotation(said | ({"except": [f"{at:%Y-%m-%dT%H:%M}" for at in sorted(out)]} if out else {}), zone=zone).layers[0]
    gone = {moment_ms(at, plain.zone) for at in out}
    assert list(holed.between(*span)) == [each for each in plain.between(*span) if each.begin_ms not in gone]
