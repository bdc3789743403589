"""Tickets: what they count and how many are open, whatever the order of what is told about them."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from tests import naive
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, budget, event, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE

DUE = START_MS + 20 * SECOND
TOLD = [("opened", 0, {"due_at": DUE}), ("replied", 5, {}), ("solved", 10, {}), ("reopened", 12, {"due_at": DUE}), ("solved", 30, {})]


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.to(START_MS)
    return rig


def tell(rig: Rig, step: str, ticket: str, after_ms: int = 0, **fields: Any) -> None:
    at_ms = START_MS + after_ms
    body = event(f"ticket.{step}", at_ms, f"{step}-{ticket}-{after_ms}", contact_id=ticket, **fields)
    rig.send(body, at_ms=max(at_ms, rig.engine.frontier_ms))


def record(rig: Rig, scope: str = "all", after_ms: int = 40 * SECOND, window: str = "5m") -> dict[str, Any]:
    rig.to(START_MS + after_ms)
    found: dict[str, Any] = rig.figures()[f"acme/{scope}/{window}"]
    return found


def backlog(rig: Rig, scope: str = "all", after_ms: int = 40 * SECOND) -> tuple[int, int]:
    """Open and overdue, as published at that time."""
    kpis = record(rig, scope, after_ms)["kpis"]
    return kpis["backlog"]["value"], kpis["backlog_overdue"]["value"]


def test_gauges_stand_in_each_scope_of_windows_up_to_an_hour(rig: Rig) -> None:
    tell(rig, "opened", "a", queue="billing", channel="mail", due_at=DUE)
    tell(rig, "opened", "b", 1 * SECOND, queue="billing")
    assert backlog(rig) == backlog(rig, "queue=billing") == (2, 1)
    assert backlog(rig, "channel=mail") == (1, 1)
    assert "backlog" in record(rig, window="1h")["kpis"]
    assert "backlog" not in record(rig, window="24h")["kpis"]
    tell(rig, "solved", "a", 41 * SECOND, queue="billing")
    assert backlog(rig, "queue=billing", 46 * SECOND) == (1, 0)


def test_a_partner_without_tickets_has_no_backlog_rather_than_an_empty_one(rig: Rig) -> None:
    rig.send(event("contact.answered", START_MS, "e"), at_ms=START_MS)
    assert not {"backlog", "resolution_time_mean"} & record(rig)["kpis"].keys()
    tell(rig, "opened", "a", 41 * SECOND)
    tell(rig, "solved", "a", 42 * SECOND)
    assert backlog(rig, after_ms=43 * SECOND) == (0, 0)
    rig.crash()
    assert backlog(rig, after_ms=HOUR) == (0, 0), "and it stays one that has a backlog"


@pytest.mark.parametrize("order", list(permutations(range(len(TOLD))))[::7])
def test_the_order_of_delivery_changes_nothing(order: tuple[int, ...]) -> None:
    rig = Rig()
    rig.to(START_MS - MINUTE)
    for number, at in enumerate(order):
        step, seconds, fields = TOLD[at]
        tell(rig, step, "a", seconds * SECOND, queue="billing", **fields)
        rig.to(START_MS + (31 + 11 * number) * SECOND)  # each is late, and corrects what was closed
        rig.crash()
    found = record(rig, "queue=billing", 2 * MINUTE)
    naive.check_durations(found, {"wait": [], "handle": [], "first_response": [5_000], "resolution_time": [10_000, 18_000]})
    assert naive.counts(found) == {
        "opened": 1,
        "solved": 2,
        "reopened": 1,
        "resolutions": 2,
        "resolution_ms": 28_000,
        "resolution_s2": 424,
        "first_replies": 1,
        "first_response_ms": 5_000,
        "first_response_s2": 25,
        "solved_with_due": 2,
        "solved_within_due": 1,
    }
    assert (found["kpis"]["backlog"]["value"], found["kpis"]["turnaround_attainment"]["value"]) == (0, 0.5)
    assert rig.letters() == []


def test_what_is_counted_anew_in_another_queue_leaves_nothing_in_the_first(rig: Rig) -> None:
    tell(rig, "opened", "a", 10 * SECOND, queue="sales")
    rig.to(START_MS + 30 * SECOND)
    tell(rig, "opened", "a", queue="billing")
    rig.to(START_MS + 41 * SECOND)
    assert "acme/queue=sales/5m" not in rig.figures(), "nothing was ever there"
    assert backlog(rig, "queue=billing", 51 * SECOND) == (1, 0)
    assert rig.rebuilt().snapshot()["partners"] == rig.snapshot()["partners"], "no row of what was taken off is left"
    rig.to(START_MS + HOUR)
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_a_rule_over_the_overdue_fires_when_the_date_passes_though_nothing_happens() -> None:
    rig = Rig()
    now = {"severity": "warning", "enter": 0, "exit": 0, "for": 0}
    rig.policy(shared_part(rule(id="over", kpi="backlog_overdue", direction="above", levels=[now])), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    tell(rig, "opened", "a", due_at=START_MS + HOUR)
    rig.to(START_MS + HOUR)
    rig.crash()
    rig.to(START_MS + HOUR + 16 * SECOND)
    assert [each[1:3] for each in rig.alerts()] == [("fired", START_MS + HOUR + 10 * SECOND)]


def test_a_ticket_that_is_never_solved_expires_and_is_counted() -> None:
    rig = Rig()
    rig.policy(shared_part(ticket_expiry_seconds=10 * 86_400), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    tell(rig, "opened", "a", queue="billing", due_at=DUE)
    assert backlog(rig, after_ms=10 * DAY) == (1, 1)
    rig.crash()
    assert backlog(rig, after_ms=10 * DAY + 30 * SECOND) == (0, 0)
    assert record(rig, "queue=billing", 10 * DAY + 30 * SECOND)["measures"] == {"tickets_expired": 1}
    assert rig.engine.counters["tickets_expired"] == 1
    assert rig.snapshot()["tickets"] == {}
    rig.crash()
    assert rig.snapshot()["tickets"] == {}


def test_a_ticket_that_was_solved_is_forgotten_in_time(rig: Rig) -> None:
    tell(rig, "solved", "early", SECOND)
    tell(rig, "opened", "stays", SECOND)
    rig.to(START_MS + 2 * DAY)
    assert len(rig.snapshot()["tickets"]) == 2
    rig.to(START_MS + 2 * DAY + 2 * HOUR)
    assert list(rig.snapshot()["tickets"]) == [("acme", "stays")]
    rig.crash()
    assert list(rig.snapshot()["tickets"]) == [("acme", "stays")]


def test_tickets_beyond_the_limit_count_each_event_by_itself_and_are_counted() -> None:
    rig = Rig(limited(tickets=2))
    rig.to(START_MS)
    for ticket in "abc":
        tell(rig, "opened", ticket)
    tell(rig, "solved", "c", SECOND)
    found = record(rig)
    assert found["measures"] == {"opened": 3, "solved": 1}
    assert (found["kpis"]["backlog"]["value"], rig.engine.counters["tickets_dropped"]) == (2, 2)


def test_the_rows_of_tickets_are_rewritten_when_most_of_them_are_dead(rig: Rig) -> None:
    tell(rig, "opened", "stays", queue="q" * 128)
    for number in range(300):
        tell(rig, ("solved", "reopened")[number % 2], "changes", number * SECOND)
        rig.to(START_MS + number * SECOND)
    chunks = [key for key in rig.changelog if key.startswith(b'["tickets"')]
    assert len(chunks) < 256
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before


def test_many_tickets_are_written_in_chunks() -> None:
    rig = Rig()
    rig.idle(START_MS)
    for number in range(1200):
        tell(rig, "opened", f"{'t' * 100}{number}", queue="q" * 128, channel="v" * 128)
    rig.to(START_MS)
    assert len([key for key in rig.changelog if key.startswith(b'["tickets"')]) == 4
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before


def test_what_a_changed_zone_cuts_anew_is_not_taken_off_and_counted() -> None:
    rig = Rig()
    rig.policy(shared_part(), partner_part(timezone="UTC"), at_ms=START_MS)
    rig.to(START_MS)
    tell(rig, "opened", "a", 10 * SECOND)
    rig.to(START_MS + 4 * DAY)
    rig.policy(partner_part(timezone="Asia/Manila"), at_ms=START_MS + 4 * DAY + SECOND)
    rig.to(START_MS + 4 * DAY + MINUTE)
    tell(rig, "opened", "a", 0)
    rig.to(START_MS + 4 * DAY + 2 * MINUTE)
    assert rig.engine.counters["tickets_not_recounted"] == 1
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_what_cannot_be_counted_is_a_letter_and_leaves_the_ticket_as_it_was() -> None:
    rig = Rig(replace(CONFIG, clock_from_log=True))
    rig.send(event("ticket.opened", START_MS, "o", contact_id="a"), at_ms=START_MS)
    rig.poll()
    before = rig.snapshot()
    rig.send(event("ticket.solved", 2**53, "s", contact_id="a"), at_ms=START_MS)
    rig.to(START_MS + SECOND)
    assert rig.letters() == [("bug", 1)]
    assert rig.snapshot()["tickets"] == before["tickets"]
    assert rig.rebuilt().snapshot()["tickets"] == before["tickets"]


@pytest.mark.parametrize("fields", [{"due_at": "tomorrow"}, {"occurred_at": "2026-01-01"}])
def test_a_time_that_cannot_be_read_is_a_letter_and_leaves_nothing(rig: Rig, fields: dict[str, str]) -> None:
    rig.send(event("ticket.opened", START_MS, "e", contact_id="a") | fields, at_ms=START_MS)
    rig.to(START_MS + SECOND)
    assert rig.letters() == [("time", 0)]
    assert rig.snapshot()["tickets"] == {}


@pytest.mark.parametrize("crash", [False, True])
def test_a_day_of_which_all_was_taken_back_has_no_record_any_more(rig: Rig, *, crash: bool) -> None:
    tell(rig, "opened", "a", -26 * HOUR, queue="billing")
    rig.to(START_MS + 20 * SECOND)
    (day,) = {body["date"] for body in rig.compacted(TOPICS.rollups_1d).values()}
    tell(rig, "opened", "a", -60 * HOUR, queue="billing")
    if crash:
        rig.commit(budget(0))
        rig.crash()
    rig.to(START_MS + 40 * SECOND)
    left = rig.compacted(TOPICS.rollups_1d)
    assert {body["scope"] for body in left.values()} == {"all", "queue=billing"}
    assert day not in {body["date"] for body in left.values()}
    assert {body["measures"]["opened"] for body in left.values()} == {1}
