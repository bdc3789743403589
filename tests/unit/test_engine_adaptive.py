"""Adaptive windows: as narrow as the volume allows, and what accrues goes on when another is judged."""

from typing import Any

import pytest

from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR, MINUTE

LEVELS = [{"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 300}]
ADAPTIVE = rule(window="adaptive", min_samples=20, levels=LEVELS)


def rigged(**fields: Any) -> Rig:
    rig = Rig()
    rig.policy(shared_part(ADAPTIVE, **fields), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    return rig


def late(rig: Rig, begin_ms: int, end_ms: int, every_ms: int, waited: float = 90.0) -> None:
    """One contact after another that was answered too late, judged after each."""
    for at_ms in range(begin_ms, end_ms, every_ms):
        rig.send(event("contact.answered", at_ms, f"c{at_ms}", wait_seconds=waited), at_ms=at_ms)
        rig.to(at_ms + SECOND)


def seen(rig: Rig) -> list[tuple[str, str, int]]:
    """Of every transition: its kind, the window that was judged, and how many contacts were in it."""
    told = rig.bodies(TOPICS.alerts)
    return [(each["transition"]["kind"], each["evidence"]["window"], each["evidence"]["n"]) for each in told]


@pytest.mark.parametrize(("every_ms", "window"), [(30 * SECOND, "15m"), (70 * SECOND, "30m"), (150 * SECOND, "1h"), (10 * MINUTE, "4h")])
def test_the_narrowest_window_with_enough_contacts_is_judged_and_named(every_ms: int, window: str) -> None:
    rig = rigged()
    late(rig, START_MS, START_MS + 4 * HOUR, every_ms)
    (kind, first, n), (_, fired, _) = seen(rig)[:2]
    assert (kind, n) == ("pending", 20)
    assert (first, fired) == (window, window)
    (told,) = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    assert told["evidence"]["to"] - told["evidence"]["from"] >= {"15m": 15, "30m": 30, "1h": 60, "4h": 240}[window] * MINUTE
    assert f"in the last {window.replace('m', ' min').replace('h', ' h')}" in told["explanation"]


def test_a_wider_window_is_judged_only_if_it_is_kept() -> None:
    rig = rigged(windows=("15m", "1h", "24h"))
    late(rig, START_MS, START_MS + HOUR, 70 * SECOND)
    assert {window for _, window, _ in seen(rig)} == {"1h"}


def test_too_few_contacts_in_the_widest_are_insufficient_and_never_fire() -> None:
    rig = rigged(windows=("15m", "30m", "24h"))
    late(rig, START_MS, START_MS + 4 * HOUR, 2 * MINUTE)
    assert seen(rig) == []


def test_what_accrues_goes_on_when_another_window_is_judged() -> None:
    rig = rigged()
    late(rig, START_MS, START_MS + 24 * MINUTE, 70 * SECOND)
    (pending,) = rig.bodies(TOPICS.alerts)
    late(rig, START_MS + 24 * MINUTE, START_MS + 30 * MINUTE, 10 * SECOND)
    _, fired = rig.bodies(TOPICS.alerts)
    assert [each["evidence"]["window"] for each in (pending, fired)] == ["30m", "15m"]
    assert fired["evaluated_at"] == pending["evaluated_at"] + 5 * MINUTE


def test_a_live_share_is_judged_in_windows_up_to_an_hour() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(kpi="service_level_now", window="adaptive", min_samples=20)), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    late(rig, START_MS, START_MS + 4 * HOUR, 10 * MINUTE)
    assert seen(rig) == []
