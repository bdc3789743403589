"""Windows of days in the engine: zones and months that change, late events, restarts, and what lies idle."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from models.windows import WINDOWS, Edge
from streams.engine.engine import Engine
from tests.engines import SECOND, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE


def epoch_ms(local: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def lost(rig: Rig, at_ms: int, *, arrives_ms: int | None = None) -> None:
    """A contact that was abandoned."""
    rig.send(event("contact.abandoned", at_ms, f"e{at_ms}", queue="billing"), at_ms=arrives_ms or at_ms)


def counts(rig: Rig) -> dict[str, int]:
    """By window, how many were abandoned."""
    found = {key.rpartition("/")[2]: body for key, body in rig.figures().items() if key.startswith("acme/all/")}
    return {each.name: found[each.name]["measures"].get("abandoned", 0) for each in WINDOWS if each.edge is Edge.DAY}


def opened(at_ms: int, **fields: object) -> Rig:
    rig = Rig()
    rig.policy(shared_part(**fields), partner_part(), at_ms=at_ms)
    rig.to(at_ms)
    return rig


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Lisbon"])
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_windows_of_days_are_cut_at_midnight_and_the_month_at_its_day(zone: str, *, late: bool) -> None:
    begin, noon = epoch_ms("2025-03-16T00:00:00", zone), epoch_ms("2025-04-05T12:00:00", zone)
    week, today = epoch_ms("2025-03-29T00:00:00", zone), epoch_ms("2025-04-05T00:00:00", zone)
    inside = (begin - 1, begin, week - 1, week, today - 1, today)
    rig = opened(noon if late else begin - HOUR, timezone=zone, month_starts_on=16)
    for at_ms in inside:
        lost(rig, at_ms, arrives_ms=noon if late else at_ms)
        if not late:
            rig.to(at_ms)
    rig.to(noon)
    rig.to(noon + MINUTE)
    assert counts(rig) == {"7d": 3, "30d": 6, "today": 1, "month": 5}
    rig.crash()
    rig.to(noon + 2 * MINUTE)
    assert counts(rig) == {"7d": 3, "30d": 6, "today": 1, "month": 5}
    rig.to(noon + DAY)
    assert counts(rig) == {"7d": 2, "30d": 6, "today": 0, "month": 5}
    rig.to(epoch_ms("2025-04-16T00:01:00", zone))
    assert counts(rig) == {"7d": 0, "30d": 4, "today": 0, "month": 0}


@pytest.mark.parametrize("crashes", [False, True])
def test_a_month_that_begins_on_another_day_holds_from_the_next_grid_point(*, crashes: bool) -> None:
    noon = epoch_ms("2025-06-20T12:00:00")
    rig = opened(noon, timezone="UTC")
    for day in (1, 5, 18):
        lost(rig, epoch_ms(f"2025-06-{day:02}T09:00:00"), arrives_ms=noon)
    rig.to(noon + MINUTE)
    assert counts(rig)["month"] == 3
    rig.policy(shared_part(timezone="UTC", month_starts_on=5), at_ms=noon + MINUTE)
    rig.commit()
    if crashes:
        rig.crash()
    rig.to(noon + 3 * MINUTE)
    assert counts(rig)["month"] == 2
    assert rig.figures()["acme/all/month"]["from"] == epoch_ms("2025-06-05T00:00:00")


@pytest.mark.parametrize("crashes", [False, True])
def test_another_zone_cuts_today_anew(*, crashes: bool) -> None:
    at_ms = epoch_ms("2025-06-16T20:00:00")
    rig = opened(at_ms - 4 * HOUR, timezone="UTC")
    lost(rig, at_ms - 3 * HOUR)
    lost(rig, at_ms - 10 * SECOND)
    rig.to(at_ms)
    rig.to(at_ms + MINUTE)
    assert counts(rig)["today"] == 2
    rig.policy(shared_part(timezone="Asia/Kathmandu"), at_ms=at_ms + MINUTE)
    rig.commit()
    if crashes:
        rig.crash()
    rig.to(at_ms + 3 * MINUTE)
    body = rig.figures()["acme/all/today"]
    assert (body["from"], body["measures"]["abandoned"]) == (epoch_ms("2025-06-17T00:00:00", "Asia/Kathmandu"), 1)


def test_a_rule_may_name_a_window_of_days_and_sees_what_was_loaded() -> None:
    noon = epoch_ms("2025-06-20T12:00:00")
    rig = Rig()
    rig.policy(shared_part(rule(window="7d", min_samples=3)), partner_part(), at_ms=noon)
    rig.to(noon)
    for hours in (50, 60, 70):
        lost(rig, noon - hours * HOUR, arrives_ms=noon)
    rig.to(noon + SECOND)
    rig.crash()
    rig.to(noon + 16 * SECOND)
    assert rig.kinds() == ["fired"]
    rig.to(noon + 10 * DAY)
    assert rig.figures()["acme/all/7d"]["measures"] == {}


def test_days_stay_as_they_are_stored_until_somebody_asks() -> None:
    noon = epoch_ms("2025-06-20T12:00:00")
    rig = opened(noon)
    lost(rig, noon - 20 * DAY, arrives_ms=noon)
    rig.to(noon + MINUTE)
    rig.crash()
    (partner,) = rig.engine._state.partners.values()
    assert {each.window.name for each in partner.totals.windows if each.cells is None} == {"7d", "30d", "month"}
    rig.to(noon + 3 * MINUTE)
    assert counts(rig)["30d"] == 1


def test_a_partner_that_lies_idle_is_closed_only_where_something_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every ten seconds, nor every minute, although windows of minutes reach back to its event for four hours."""
    closed = 0
    close = Engine._close

    def counted(engine: Engine, partner: object) -> None:
        nonlocal closed
        closed += 1
        close(engine, partner)  # type: ignore[arg-type]

    at_ms = epoch_ms("2025-06-20T12:00:00")
    rig = opened(at_ms)
    lost(rig, at_ms)
    rig.to(at_ms + MINUTE)
    monkeypatch.setattr(Engine, "_close", counted)
    rig.to(at_ms + 5 * HOUR)
    assert closed <= 20 + 36 + 5, "quarter hours, the minutes of 35 minutes, and one for each window"
