"""Closed calendar days on `outwatch.rollups.1d`, cut in the contract's zone, and whole contacts spread over them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import naive
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE


def epoch_ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def opened(zone: str, at_ms: int) -> Rig:
    rig = Rig()
    rig.policy(shared_part(), partner_part(timezone=zone), at_ms=at_ms)
    rig.to(at_ms)
    return rig


def days(rig: Rig) -> dict[str, dict[str, Any]]:
    return {body["date"]: body for body in rig.compacted(TOPICS.rollups_1d).values() if body["scope"] == "all"}


DATES = [
    ("UTC", "2025-06-15", 24),
    ("Asia/Kolkata", "2025-06-15", 24),
    ("Asia/Kathmandu", "2025-06-15", 24),
    ("Europe/Berlin", "2025-03-30", 23),
    ("Europe/Berlin", "2025-10-26", 25),
    ("Pacific/Chatham", "2025-09-28", 23),
    ("America/Havana", "2025-11-02", 25),
    ("America/Havana", "2025-03-09", 23),
]


@pytest.mark.parametrize(("zone", "date", "hours"), DATES)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_a_day_is_cut_at_the_zones_midnights(zone: str, date: str, hours: int, late: bool) -> None:
    start, end = naive.day_bounds(date, zone)
    assert end - start == hours * HOUR
    rig = opened(zone, start - 2 * HOUR)
    inside = [start, start + 14 * MINUTE, start + 12 * HOUR, end - 1]
    outside = [start - 1, end]
    for number, at_ms in enumerate(sorted(inside + outside)):
        rig.send(event("contact.abandoned", at_ms, f"e{number}"), at_ms=end + 3 * DAY if late else at_ms)
        if not late:
            rig.to(at_ms)
    rig.to(end + 3 * DAY + MINUTE)
    assert days(rig)[date]["measures"]["abandoned"] == len(inside)
    assert (days(rig)[date]["from"], days(rig)[date]["to"]) == (start, end)
    assert days(rig)[date]["timezone"] == zone


def test_a_day_is_provisional_then_corrected_then_final() -> None:
    midnight = epoch_ms("2025-06-16T00:00:00")
    rig = opened("UTC", midnight - HOUR)
    rig.send(event("contact.abandoned", midnight - MINUTE, "e", queue="billing"), at_ms=midnight - MINUTE)
    rig.to(midnight + 4 * SECOND)
    assert days(rig) == {}, "stragglers are waited for"
    rig.to(midnight + 11 * SECOND)
    first = days(rig)["2025-06-15"]
    assert (first["final"], first["measures"]["abandoned"]) == (False, 1)
    assert {body["scope"] for body in rig.bodies(TOPICS.rollups_1d)} == {"all", "queue=billing"}
    rig.send(event("contact.abandoned", midnight - HOUR, "late"), at_ms=midnight + 10 * HOUR)
    rig.to(midnight + 10 * HOUR)
    second = days(rig)["2025-06-15"]
    assert (second["final"], second["measures"]["abandoned"]) == (False, 2)
    assert second["revision"] > first["revision"]
    rig.to(midnight + 48 * HOUR)
    assert not days(rig)["2025-06-15"]["final"]
    rig.crash()
    rig.to(midnight + 3 * DAY + HOUR + MINUTE)
    assert days(rig)["2025-06-15"]["final"]
    rig.send(event("contact.abandoned", midnight - HOUR, "later"), at_ms=midnight + 20 * DAY)
    rig.to(midnight + 20 * DAY)
    assert (days(rig)["2025-06-15"]["final"], days(rig)["2025-06-15"]["measures"]["abandoned"]) == (True, 3)
    assert days(rig)["2025-06-15"]["revision"] > second["revision"]


def test_a_day_that_closed_is_written_once_and_by_whoever_comes_after_a_crash() -> None:
    midnight = epoch_ms("2025-06-16T00:00:00")
    rig = opened("UTC", midnight - HOUR)
    rig.send(event("contact.abandoned", midnight - MINUTE, "e"), at_ms=midnight - MINUTE)
    rig.to(midnight - MINUTE)
    rig.idle(midnight + 10 * SECOND)
    rig.commit(lands=False)
    rig.to(midnight + 10 * SECOND)
    rig.to(midnight + HOUR)
    rig.crash()
    rig.to(midnight + 2 * HOUR)
    assert len(rig.bodies(TOPICS.rollups_1d)) == 1


def test_what_is_late_for_yesterday_corrects_yesterday_and_raises_nothing() -> None:
    noon = epoch_ms("2025-06-16T12:00:00")
    rig = Rig()
    rig.policy(shared_part(rule(), rule(id="hour", window="1h")), partner_part(), at_ms=noon - DAY)
    rig.send(event("contact.answered", noon - DAY, "good", wait_seconds=1), at_ms=noon - DAY)
    rig.to(noon - DAY)
    rig.send(event("contact.answered", noon, "today", wait_seconds=1), at_ms=noon)
    rig.to(noon)
    for number in range(50):
        rig.send(event("contact.abandoned", noon - DAY - number, f"e{number}"), at_ms=noon)
    rig.to(noon + MINUTE)
    assert days(rig)["2025-06-15"]["measures"]["abandoned"] == 50
    assert rig.alerts() == []


def test_a_record_counts_each_measure_at_its_own_time_across_midnight() -> None:
    midnight = epoch_ms("2025-06-16T00:00:00")
    times: dict[str, Any] = {"queued_at": midnight - 90 * SECOND, "queue_exited_at": midnight - 30 * SECOND}
    whole = event("contact.record", midnight + 5 * MINUTE, "whole", wait_seconds=60.0, talk_seconds=300.0, hold_seconds=30.0, **times)
    rig = opened("UTC", midnight - HOUR)
    rig.send(whole, at_ms=midnight + 6 * MINUTE)
    rig.send(whole, at_ms=midnight + 6 * MINUTE)
    rig.to(midnight + 6 * MINUTE)
    rig.to(midnight + 2 * DAY)
    assert naive.counts(days(rig)["2025-06-15"]) == {"arrivals": 1, "answered": 1, "answered_wait_ms": 60_000, "answered_wait_s2": 3600}
    assert naive.counts(days(rig)["2025-06-16"]) == {"handled": 1, "talk_ms": 300_000, "hold_ms": 30_000, "held": 1} | {
        "handle_s2": 330**2,
        "hold_s2": 900,
    }


@pytest.mark.parametrize(
    ("outcome", "fields", "expected"),
    [
        ("answered", {}, {"arrivals": 1, "answered": 1, "answered_within": 1, "handled": 1, "talk_ms": 5000, "handle_s2": 25}),
        ("abandoned", {"wait_seconds": 3.0}, {"arrivals": 1, "abandoned": 1, "abandoned_within": 1, "abandoned_short": 1}),
        ("left", {}, {"arrivals": 1, "left": 1}),
        ("not_queued", {}, {"not_queued": 1}),
    ],
)
def test_what_a_record_counts_follows_from_its_outcome(outcome: str, fields: dict[str, Any], expected: dict[str, int]) -> None:
    at_ms = epoch_ms("2025-06-16T12:00:00")
    rig = opened("UTC", at_ms)
    rig.send(event("contact.record", at_ms, "e", outcome=outcome, talk_seconds=5.0, **({"wait_seconds": 0.0} | fields)), at_ms=at_ms)
    rig.to(at_ms + SECOND)
    found = naive.counts(rig.figures()["acme/all/5m"])
    assert {name: count for name, count in found.items() if "wait" not in name} == expected
    assert rig.figures()["acme/all/5m"]["kpis"]["in_queue"]["value"] == 0


def test_a_new_time_zone_holds_from_the_next_grid_point_also_after_a_crash() -> None:
    at_ms = epoch_ms("2025-06-16T12:00:00")
    rig = opened("UTC", at_ms)
    rig.policy(partner_part(timezone="Asia/Kathmandu"), at_ms=at_ms)
    rig.commit()
    rig.crash()
    rig.send(event("contact.abandoned", at_ms + HOUR, "e"), at_ms=at_ms + HOUR)
    rig.to(at_ms + HOUR)
    rig.to(epoch_ms("2025-06-17T00:00:10", "Asia/Kathmandu"))
    assert [body["timezone"] for body in rig.bodies(TOPICS.rollups_1d)] == ["Asia/Kathmandu"]
    assert datetime.fromtimestamp(days(rig)["2025-06-16"]["to"] / 1000, UTC).isoformat() == "2025-06-16T18:15:00+00:00"
