"""Alerts say where their figure's change came from, out of panes that are there anyway."""

from typing import Any

import pytest

from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR, MINUTE

LATE_MS = 10 * SECOND
"""By then the grid point of before is judged."""


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.policy(shared_part(rule(scopes=("partner", "partner/queue"), min_samples=10)), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    return rig


def calls(rig: Rig, at_ms: int, count: int, *, in_time: int, queue: str, channel: str = "voice") -> None:
    """Answered contacts of a queue, `in_time` of them within the threshold, 10 ms apart."""
    for number in range(count):
        wait = 5.0 if number < in_time else 90.0
        identity = f"{queue}-{channel}-{at_ms}-{number}"
        told = event("contact.answered", at_ms + 10 * number, identity, queue=queue, channel=channel, wait_seconds=wait)
        rig.send(told, at_ms=at_ms + 10 * number)


def fired(rig: Rig, scope: str = "all") -> dict[str, Any]:
    return next(each for each in rig.bodies(TOPICS.alerts) if (each["scope"], each["transition"]["kind"]) == (scope, "fired"))


def test_the_queue_whose_figure_fell_is_the_driver(rig: Rig) -> None:
    for minute in range(5):
        calls(rig, START_MS + minute * MINUTE, 20, in_time=19, queue="billing")
        calls(rig, START_MS + minute * MINUTE, 20, in_time=18, queue="sales")
    rig.to(START_MS + 5 * MINUTE + LATE_MS)
    for minute in range(5, 10):
        calls(rig, START_MS + minute * MINUTE, 20, in_time=2, queue="billing")
        calls(rig, START_MS + minute * MINUTE, 20, in_time=18, queue="sales")
        rig.to(START_MS + minute * MINUTE + 50 * SECOND)
    found = fired(rig)
    told, seen = found["attribution"], found["evidence"]
    (driver,) = told["drivers"]
    assert (driver["dimension"], driver["key"], driver["share"], driver["mix_effect"]) == ("queue", "billing", 1.0, 0.0)
    assert driver["effect"] == pytest.approx(told["change"])
    assert told["value_before"] + told["change"] == pytest.approx(seen["value"])
    assert (told["to"], told["to"] - told["from"]) == (seen["from"], seen["to"] - seen["from"])
    assert "queue billing, by its own figure" in told["text"]


def test_of_a_queue_its_channels_are_told_apart(rig: Rig) -> None:
    for minute in range(5):
        calls(rig, START_MS + minute * MINUTE, 20, in_time=19, queue="billing")
        calls(rig, START_MS + minute * MINUTE, 20, in_time=19, queue="billing", channel="chat")
    rig.to(START_MS + 5 * MINUTE + LATE_MS)
    for minute in range(5, 10):
        calls(rig, START_MS + minute * MINUTE, 20, in_time=19, queue="billing")
        calls(rig, START_MS + minute * MINUTE, 20, in_time=1, queue="billing", channel="chat")
        calls(rig, START_MS + minute * MINUTE, 50, in_time=50, queue="sales")
        rig.to(START_MS + minute * MINUTE + 50 * SECOND)
    (driver,) = fired(rig, "queue=billing")["attribution"]["drivers"]
    assert (driver["dimension"], driver["key"]) == ("channel", "chat")


def test_where_nothing_was_before_nothing_is_said(rig: Rig) -> None:
    calls(rig, START_MS + MINUTE, 40, in_time=2, queue="billing")
    rig.to(START_MS + 2 * MINUTE)
    assert fired(rig)["attribution"] is None


def test_what_was_said_when_it_fired_stays_while_it_is_open_and_over_a_restart(rig: Rig) -> None:
    for minute, in_time in [(0, 38), (1, 38), (6, 4), (7, 4)]:
        calls(rig, START_MS + minute * MINUTE, 40, in_time=in_time, queue="billing")
        calls(rig, START_MS + minute * MINUTE, 40, in_time=38, queue="sales")
        rig.to(START_MS + minute * MINUTE + 50 * SECOND)
    told = fired(rig)["attribution"]
    assert told["drivers"][0]["key"] == "billing"
    rig.crash()
    rig.to(START_MS + 9 * MINUTE)
    calls(rig, START_MS + 14 * MINUTE, 200, in_time=200, queue="billing")
    rig.to(START_MS + 16 * MINUTE)
    resolved = next(each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "resolved" and each["scope"] == "all")
    assert resolved["attribution"] == told
    rig.to(START_MS + HOUR)
    for minute, in_time in [(61, 38), (62, 38), (67, 38), (68, 4)]:
        calls(rig, START_MS + minute * MINUTE, 40, in_time=in_time, queue="sales")
        rig.to(START_MS + minute * MINUTE + 50 * SECOND)
    episodes = [each for each in rig.bodies(TOPICS.alerts) if each["scope"] == "all" and each["transition"]["kind"] == "fired"]
    assert episodes[-1]["episode"] != episodes[0]["episode"]
    assert episodes[-1]["attribution"] != told, "another episode has its own"


@pytest.mark.parametrize("kpi", ["wait_p90", "in_queue"])
def test_what_does_not_add_up_over_parts_is_not_taken_apart(kpi: str) -> None:
    levels = [{"severity": "warning", "enter": 1.0, "exit": 0.5, "for": 0}]
    rig = Rig()
    rig.policy(shared_part(rule(kpi=kpi, direction="above", levels=levels, min_samples=1)), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    for minute in range(10):
        calls(rig, START_MS + minute * MINUTE, 40, in_time=40 if minute < 6 else 2, queue="billing")
        for number in range(3):
            rig.send(
                event("contact.queued", START_MS + minute * MINUTE, f"q{minute}-{number}", queue="sales"), at_ms=START_MS + minute * MINUTE
            )
        rig.to(START_MS + minute * MINUTE + 50 * SECOND)
    assert fired(rig)["attribution"] is None


def test_sites_are_told_where_a_policy_counts_them_and_what_names_none_is_no_driver() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(min_samples=10), scopes=("site", "team")), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    for minute in range(10):
        for site, in_time in (("lisbon", 18), ("porto", 18 if minute < 5 else 3)):
            for number in range(20):
                at_ms = START_MS + minute * MINUTE + 10 * number
                # Queues fall alike, and only a few of the contacts name a team.
                places: dict[str, Any] = {"queue": "ab"[number % 2], "site": site, "team": "one" if number < 2 else None}
                told = event(
                    "contact.answered", at_ms, f"{site}-{minute}-{number}", wait_seconds=5.0 if number < in_time else 90.0, **places
                )
                rig.send(told, at_ms=at_ms)
        rig.to(START_MS + minute * MINUTE + 50 * SECOND)
    told = fired(rig)["attribution"]
    (driver,) = told["drivers"]
    assert (driver["dimension"], driver["key"]) == ("site", "porto")
    assert driver["effect"] == pytest.approx(told["change"])
