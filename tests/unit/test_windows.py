"""Windows and scopes by name, and the keys of records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows import GRID_MS, WINDOWS, Scope, Window, parse_record_key, record_key, window

names = st.text("aé😀/%=+ &?#.-\x00\n", min_size=1, max_size=8)
scopes = st.just(Scope("all")) | st.builds(Scope, st.sampled_from(["queue", "channel"]), names)


@pytest.mark.parametrize("name", ["5m", "15m", "1h", "24h"])
def test_each_window_is_found_by_its_name(name: str) -> None:
    assert window(name).name == name


def test_an_unknown_window_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        window("1w")


@pytest.mark.parametrize("each", WINDOWS, ids=lambda each: each.name)
@given(grid=st.integers(min_value=170_000_000, max_value=180_000_000))
def test_a_window_is_never_narrower_than_its_width_and_its_edge_fine(each: Window, grid: int) -> None:
    end_ms = grid * GRID_MS
    start_ms = each.start(end_ms)
    assert each.width_ms <= end_ms - start_ms < each.width_ms + each.edge_ms
    assert each.edge_ms == GRID_MS or each.edge_ms * 60 <= each.width_ms
    assert start_ms % each.edge_ms == 0


def test_a_window_that_ends_on_its_edge_is_exactly_as_wide_as_its_name() -> None:
    assert window("24h").start(1_714_521_600_000) == 1_714_521_600_000 - 86_400_000


@given(scope=scopes)
def test_a_scope_is_read_as_it_is_written(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope


@pytest.mark.parametrize("text", ["", "all=", "all=x", "queue", "queue=", "channel=", "site=lisbon", "Queue=x", "=x"])
def test_what_is_no_scope_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write all, queue=NAME or channel=NAME"):
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
