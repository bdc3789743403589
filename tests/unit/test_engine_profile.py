"""The profile: the hours of the last weeks are kept as they were counted, late events of two days included."""

import pytest

from models.measures import M
from streams.engine.lanes import unpack
from streams.engine.partner import Partner
from streams.engine.profile import Profile, hour_start
from streams.engine.totals import ALL, flats
from tests.engines import Rig, partner_part, shared_part
from tests.stories import DAY, HOUR, MINUTE
from tests.unit.test_statistics_baseline import at
from tests.weeks import MONDAY_MS, SETTLED, contacts, live

WEEK = 7 * DAY


def lived(zone: str = "UTC") -> Rig:
    rig = Rig()
    rig.policy(shared_part(scopes=("site",)), partner_part(timezone=zone), at_ms=MONDAY_MS)
    rig.to(MONDAY_MS)
    return rig


def partner_of(rig: Rig) -> Partner:
    partner: Partner = rig.engine._state.partners["acme"]
    return partner


def answered(rig: Rig, start_ms: int) -> dict[int, int]:
    """Contacts of the same hour, by how many weeks before."""
    partner = partner_of(rig)
    known = partner.profile.weeks(start_ms, partner.panes.zone)
    return {week: unpack(flats([cells]).get(ALL, 0))[M.answered] for week, (_, cells) in known.items()}


def test_an_hour_is_kept_once_it_is_two_days_old_with_all_that_came_late_by_then() -> None:
    rig = lived()
    begin_ms = MONDAY_MS + 9 * HOUR
    live(rig, begin_ms, 1, lambda at_ms: contacts(at_ms, 5, queue="billing", site="lisbon"))
    rig.to(begin_ms + 47 * HOUR)
    rig.send(*contacts(begin_ms + MINUTE, 2, queue="sales"), at_ms=begin_ms + 47 * HOUR)
    rig.to(begin_ms + 49 * HOUR - MINUTE)
    assert not partner_of(rig).profile
    rig.to(begin_ms + 49 * HOUR + SETTLED)
    assert answered(rig, begin_ms + WEEK) == {1: 7}
    (cells,) = partner_of(rig).profile.snapshot()[9].values()
    assert {cell.queue for cell in cells} == {"billing", "sales"}, "a side is in none"


def test_an_hour_in_which_nothing_happened_is_known_from_the_first_one_on() -> None:
    rig = lived()
    live(rig, MONDAY_MS + 9 * HOUR, 24 * 16, lambda at_ms: contacts(at_ms, 2) if at_ms < MONDAY_MS + DAY else [])
    assert answered(rig, MONDAY_MS + 2 * WEEK + 10 * HOUR) == {1: 0, 2: 2}
    assert answered(rig, MONDAY_MS + 2 * WEEK + 8 * HOUR) == {1: 0}, "before there was anything, nothing is known"


def test_no_more_than_eight_weeks_are_kept_and_a_restart_brings_them_back() -> None:
    rig = lived("Europe/Lisbon")
    for week in range(11):
        at_ms = MONDAY_MS + week * WEEK + 9 * HOUR
        rig.to(at_ms + SETTLED)
        rig.send(*contacts(at_ms, week + 1), at_ms=at_ms + HOUR)
        rig.to(at_ms + HOUR + SETTLED)
        rig.to(at_ms + 49 * HOUR + SETTLED)
    expected = {week: 12 - week for week in range(1, 9)}
    assert answered(rig, MONDAY_MS + 11 * WEEK + 9 * HOUR) == expected
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before
    assert answered(rig, MONDAY_MS + 11 * WEEK + 9 * HOUR) == expected


def test_summer_time_moves_no_hour_of_the_week() -> None:
    rig = Rig()
    begin_ms = at("2026-03-24T09:00:00", "Europe/Berlin")
    rig.policy(shared_part(), partner_part(timezone="Europe/Berlin"), at_ms=begin_ms)
    rig.to(begin_ms)
    live(rig, begin_ms, 1, lambda at_ms: contacts(at_ms, 6))
    rig.to(begin_ms + 3 * DAY)
    assert answered(rig, at("2026-03-31T09:00:00", "Europe/Berlin")) == {1: 6}
    assert at("2026-03-31T09:00:00", "Europe/Berlin") - begin_ms == WEEK - HOUR


@pytest.mark.parametrize(("zone", "text"), [("Asia/Kathmandu", "2026-03-02T09:00:00"), ("Asia/Kolkata", "2026-03-02T23:00:00")])
def test_hours_begin_by_the_clock_on_the_wall(zone: str, text: str) -> None:
    assert hour_start(at(text, zone) + 59 * MINUTE, zone) == at(text, zone)


def test_a_partner_that_is_gone_leaves_no_rows() -> None:
    rig = lived()
    live(rig, MONDAY_MS, 2, lambda at_ms: contacts(at_ms, 2))
    rig.to(MONDAY_MS + 3 * DAY)
    assert any(key.startswith(b'["usual"') for key in rig.changelog)
    rig.drop("acme", MONDAY_MS + 3 * DAY)
    rig.to(MONDAY_MS + 40 * DAY)
    rig.to(MONDAY_MS + 40 * DAY + HOUR)
    assert not any(key.startswith(b'["usual"') for key in rig.changelog)


def test_a_row_that_has_no_room_for_all_weeks_loses_the_oldest_and_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.engine.profile._ROW_MAX", 150)
    rig = lived()
    for week in range(4):
        begin_ms = MONDAY_MS + week * WEEK
        live(rig, begin_ms, 1, lambda at_ms: [each for queue in "abcdefgh" for each in contacts(at_ms, 3, queue=queue)])
        rig.to(begin_ms + 50 * HOUR)
    dropped = rig.engine.counters["profile_weeks_dropped"]
    assert 0 < dropped < 4
    assert len(answered(rig, MONDAY_MS + 4 * WEEK)) == 4 - dropped


def test_a_profile_of_nothing_knows_no_week() -> None:
    assert Profile("acme").weeks(MONDAY_MS, "UTC") == {}
