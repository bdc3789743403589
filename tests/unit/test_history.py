"""Stretches packed for the view come to the same figures as the records that they were packed from."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bins import Distributions, of_records
from models.definitions import DEFAULT
from models.history import KEPT_MS, Stretch, Tier, blocks, figures_of, pack, place_of, summed, unpack
from models.kpis import figures
from models.measures import NAMES, from_names, total
from models.topics import Topics
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.view_records import AT_MS, rollup

NAMED = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 10**12), max_size=20)
BINS = st.dictionaries(st.integers(0, 1500), st.integers(1, 1000), max_size=20)


@st.composite
def measures(draw: st.DrawFn) -> dict[str, Any]:
    said: dict[str, Any] = dict(draw(NAMED))
    for name in ("answered_wait_bins", "handle_bins", "resolution_bins"):
        bins = draw(BINS)
        if bins:
            said[name] = {"bins": sorted(bins), "counts": [bins[each] for each in sorted(bins)]}
    return said


@given(st.lists(measures(), max_size=4))
def test_packed_stretches_add_up_to_what_their_records_add_up_to(parts: list[dict[str, Any]]) -> None:
    found = summed(unpack(pack(rollup(each))) for each in parts)
    flat = total(from_names({name: value for name, value in each.items() if isinstance(value, int)}) for each in parts)
    assert (found.flat, found.bins, found.mixed) == (flat, of_records(parts), False)


def test_figures_of_packed_stretches_are_those_of_the_sums_of_their_records() -> None:
    parts: list[dict[str, Any]] = [
        {"answered": 9, "answered_within": 8, "abandoned": 1},
        {"answered": 1, "answered_wait_bins": {"bins": [0, 700], "counts": [1, 5]}},
    ]
    expected = figures(
        from_names({"answered": 10, "answered_within": 8, "abandoned": 1}),
        None,
        DEFAULT,
        mixed_basis=0,
        durations=Distributions(of_records(parts)),
    )
    assert expected["service_level"]["numerator"] == 8
    assert figures_of([unpack(pack(rollup(each))) for each in parts], DEFAULT) == expected


def test_a_stretch_says_when_it_was_and_what_may_still_change() -> None:
    body = rollup({"answered": 3}) | {"final": False, "mixed_basis": True}
    assert unpack(pack(body)) == Stretch(AT_MS, AT_MS + MINUTE_MS, False, True, [1, 3], [], {})
    assert unpack(pack(body | {"final": True, "mixed_basis": False}))[2:4] == (True, False)


def test_what_depends_on_limits_is_insufficient_over_stretches_counted_under_others() -> None:
    counted = {"answered": 90, "answered_within": 80, "abandoned": 10}
    plain = figures_of([unpack(pack(rollup(counted)))], DEFAULT)
    mixed = figures_of([unpack(pack(rollup(counted))), unpack(pack(rollup(counted) | {"mixed_basis": True}))], DEFAULT)
    assert plain["service_level"]["status"] != "insufficient"
    assert (mixed["service_level"]["status"], mixed["service_level"]["n"]) == ("insufficient", 200)
    assert mixed["abandon_rate"]["status"] != "insufficient"


def test_a_day_whose_definition_changed_within_it_is_mixed() -> None:
    day = {**rollup({"answered": 1}), "kpis": {"asa": {}, "service_level": {"holds_from": 5}}}
    del day["mixed_basis"]
    assert unpack(pack(day)).mixed
    del day["kpis"]["service_level"]["holds_from"]
    assert not unpack(pack(day)).mixed


def test_measures_of_the_policy_s_own_kpis_go_with_it_and_those_of_a_newer_release_do_not() -> None:
    body = rollup({"answered": 1, "mine@0123456789ab.counted": 7, "of_next_year": 9})
    assert unpack(pack(body)).customs == {"mine@0123456789ab.counted": 7}
    assert figures_of([unpack(pack(body))], DEFAULT) == figures_of([unpack(pack(rollup({"answered": 1})))], DEFAULT)


@pytest.mark.parametrize(
    ("tier", "last", "block", "field"),
    [
        (Tier.MINUTE, "20261122T2345Z", "20261122T23", "45"),
        (Tier.QUARTER, "20261122T2345Z", "20261122", "2345"),
        (Tier.DAY, "2026-11-22", "2026-11", "22"),
    ],
)
def test_a_stretch_has_a_place_by_its_key_alone(tier: Tier, last: str, block: str, field: str) -> None:
    assert place_of(tier, last)[1:] == (block, field)


@given(
    st.sampled_from(Tier),
    st.integers(0, 2 * 10**12),
    st.integers(0, 3 * DAY_MS),
    st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Adak"]),
)
def test_the_blocks_of_a_span_hold_every_stretch_in_it(tier: Tier, from_ms: int, length_ms: int, zone: str) -> None:
    """Also the days of zones far from UTC."""
    to_ms = from_ms + length_ms
    found = blocks(tier, from_ms, to_ms)
    assert found == sorted(set(found))
    for at_ms in (from_ms, to_ms - 1) if length_ms else ():
        at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone if tier is Tier.DAY else "UTC"))
        assert place_of(tier, at.strftime("%Y-%m-%d" if tier is Tier.DAY else "%Y%m%dT%H%MZ")).block in found


def test_the_view_reaches_as_far_back_as_the_topics() -> None:
    topics = Topics()
    kept = {spec.name: spec.retention_ms for spec in topics.specs("app")}
    assert {Tier.MINUTE: kept[topics.rollups_1m], Tier.QUARTER: kept[topics.rollups_15m], Tier.DAY: kept[topics.rollups_1d]} == KEPT_MS
    assert len(blocks(Tier.MINUTE, AT_MS - 48 * HOUR_MS, AT_MS)) <= 49
    assert len(blocks(Tier.QUARTER, AT_MS - 90 * DAY_MS, AT_MS)) == 91
    assert len(blocks(Tier.DAY, AT_MS - 760 * DAY_MS, AT_MS)) <= 27
    assert QUARTER_MS % MINUTE_MS == 0
