"""Windows and scopes by name, and the keys of records."""

from datetime import datetime
from typing import get_args, get_type_hints
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.days import day_start
from models.windows import GRID_MS, WINDOWS, Calendar, Edge, Scope, Window, parse_record_key, record_key, window
from streams.cli.status import status
from streams.engine.panes import LEDGER_MS

names = st.text("aé😀/%=+ &?#.-\x00\n", min_size=1, max_size=8)
scopes = st.just(Scope("all")) | st.builds(Scope, st.sampled_from(["queue", "channel"]), names)


NAMES = ("5m", "15m", "30m", "1h", "4h", "24h", "7d", "30d", "today", "month")
ROLLING = [each for each in WINDOWS if each.edge is not Edge.DAY]


def test_there_are_ten_windows_each_found_by_its_name() -> None:
    assert tuple(window(name).name for name in NAMES) == tuple(each.name for each in WINDOWS) == NAMES


def test_the_status_of_every_window_can_be_asked_for() -> None:
    option = get_type_hints(status, include_extras=False)["window"]
    assert get_args(option) == NAMES


def test_an_unknown_window_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        window("1w")


@pytest.mark.parametrize("each", ROLLING, ids=lambda each: each.name)
@given(grid=st.integers(min_value=170_000_000, max_value=180_000_000))
def test_a_window_is_never_narrower_than_its_width_and_its_edge_fine(each: Window, grid: int) -> None:
    end_ms = grid * GRID_MS
    start_ms = each.start(end_ms, Calendar())
    assert each.width_ms <= end_ms - start_ms < each.width_ms + each.edge_ms
    assert each.edge_ms == GRID_MS or each.edge_ms * 60 <= each.width_ms
    assert start_ms % each.edge_ms == 0


def test_a_window_that_ends_on_its_edge_is_exactly_as_wide_as_its_name() -> None:
    assert window("24h").start(1_714_521_600_000, Calendar()) == 1_714_521_600_000 - 86_400_000


def start_of(name: str, at: str, zone: str, month_starts_on: int = 1) -> str:
    """Where the window begins that ends at a local time, as local time."""
    end = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone))
    start_ms = window(name).start(round(end.timestamp() * 1000), Calendar(zone, month_starts_on))
    return datetime.fromtimestamp(start_ms / 1000, ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("name", "at", "zone", "start"),
    [
        ("today", "2025-06-16T10:00:00", "UTC", "2025-06-16T00:00:00+00:00"),
        ("today", "2025-06-16T00:00:00", "Asia/Kolkata", "2025-06-16T00:00:00+05:30"),
        ("today", "2025-06-16T23:59:50", "Asia/Kathmandu", "2025-06-16T00:00:00+05:45"),
        ("today", "2025-03-30T12:00:00", "Europe/Lisbon", "2025-03-30T00:00:00+00:00"),
        ("7d", "2025-06-16T10:00:00", "Asia/Kolkata", "2025-06-09T00:00:00+05:30"),
        ("7d", "2025-04-01T00:30:00", "Europe/Lisbon", "2025-03-25T00:00:00+00:00"),
        ("30d", "2025-11-01T00:30:00", "Europe/Lisbon", "2025-10-02T00:00:00+01:00"),
        ("30d", "2025-03-01T10:00:00", "UTC", "2025-01-30T00:00:00+00:00"),
        ("month", "2025-06-01T00:00:00", "UTC", "2025-06-01T00:00:00+00:00"),
        ("month", "2025-05-31T23:59:50", "UTC", "2025-05-01T00:00:00+00:00"),
        ("month", "2025-10-31T23:59:50", "Europe/Lisbon", "2025-10-01T00:00:00+01:00"),
    ],
)
def test_windows_of_days_begin_at_a_midnight_of_the_contracts_zone(name: str, at: str, zone: str, start: str) -> None:
    assert start_of(name, at, zone) == start


@pytest.mark.parametrize(
    ("at", "start"),
    [
        ("2025-06-16T00:00:00", "2025-06-16T00:00:00+05:45"),
        ("2025-06-15T23:59:50", "2025-05-16T00:00:00+05:45"),
        ("2025-01-10T10:00:00", "2024-12-16T00:00:00+05:45"),
    ],
)
def test_a_contract_month_may_begin_on_another_day(at: str, start: str) -> None:
    assert start_of("month", at, "Asia/Kathmandu", 16) == start


@pytest.mark.parametrize("each", [each for each in WINDOWS if each.edge is Edge.DAY], ids=lambda each: each.name)
@given(grid=st.integers(min_value=170_000_000, max_value=180_000_000), zone=st.sampled_from(["Asia/Kathmandu", "Europe/Lisbon"]))
def test_the_ledger_holds_every_window_whole(each: Window, grid: int, zone: str) -> None:
    end_ms = grid * GRID_MS
    assert day_start(end_ms - LEDGER_MS, zone) <= each.start(end_ms, Calendar(zone, 28)) <= end_ms


@given(scope=scopes)
def test_a_scope_is_read_as_it_is_written(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope


@pytest.mark.parametrize("text", ["", "all=", "all=x", "queue", "queue=", "channel=", "site=", "agent=ann", "Queue=x", "=x"])
def test_what_is_no_scope_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write all, or one of queue, channel, site"):
        Scope.parse(text)


def test_a_key_reads_as_partner_scope_and_window() -> None:
    assert record_key("acme", Scope("queue", "billing"), "15m") == "acme/queue=billing/15m"
    assert record_key("a/b", Scope("queue", "x/y=z"), "2024-05-01") == "a%2Fb/queue=x%2Fy=z/2024-05-01"


@given(partner=names, scope=scopes, last=names)
def test_a_key_is_taken_apart_into_what_it_was_made_of(partner: str, scope: Scope, last: str) -> None:
    key = record_key(partner, scope, last)
    assert key.count("/") == 2
    assert key.isascii()
    assert parse_record_key(key) == (partner, scope, last)
