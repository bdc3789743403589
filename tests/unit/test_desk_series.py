"""A KPI over time, out of the stretches of the view."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.series import POINTS_MAX, STEPS, Step, points, span_of, tiers
from models.history import KEPT_MS, Stretch, Tier, pack, unpack
from models.policy import compile_partner
from models.policy_spec import PartnerPart, SharedPart
from models.windows import DAY_MS, MINUTE_MS, QUARTER_MS, Scope
from tests.view_records import rollup

NOW_MS = round(datetime(2026, 11, 23, 12, 7, tzinfo=UTC).timestamp() * 1000)
ALL = Scope("all")
POLICY = compile_partner(
    SharedPart.model_validate({"definition": {"targets": {"service_level": {"target": 0.8}}}}),
    PartnerPart(id="acme", name="Acme", timezone="Europe/Lisbon"),
    "acme",
)


def at(hour: int, minute: int) -> int:
    return NOW_MS - (NOW_MS % DAY_MS) + (hour * 60 + minute) * MINUTE_MS


def stretch(from_ms: int, width_ms: int, *, final: bool = True, answered: int = 10) -> Stretch:
    counted = {"answered": answered, "answered_within": answered // 2, "abandoned": answered}
    return unpack(pack({**rollup(counted, at_ms=from_ms, width_ms=width_ms), "final": final}))


def told(step: Step, by_tier: dict[Tier, list[Stretch]], from_ms: int, frontier_ms: int = NOW_MS) -> list[tuple[int, float, bool]]:
    span = span_of(step, from_ms, None, NOW_MS, "Europe/Lisbon")
    assert span is not None
    return [(each["from"], each["denominator"], each["final"]) for each in points(span, "service_level", by_tier, ALL, POLICY, frontier_ms)]


def test_quarter_hours_come_first_and_minutes_tell_of_what_has_not_closed() -> None:
    quarters = [stretch(at(11, 30), QUARTER_MS), stretch(at(11, 45), QUARTER_MS, final=False)]
    minutes = [stretch(at(11, 44), MINUTE_MS), stretch(at(11, 50), MINUTE_MS), stretch(at(12, 0), MINUTE_MS), stretch(at(12, 1), MINUTE_MS)]
    found = told("15m", {Tier.QUARTER: quarters, Tier.MINUTE: minutes}, at(11, 30))
    assert found == [(at(11, 30), 20, True), (at(11, 45), 20, False), (at(12, 0), 40, False)]


def test_a_point_is_final_when_it_is_over_and_all_of_it_is() -> None:
    quarters = [stretch(at(11, 0), QUARTER_MS), stretch(at(11, 15), QUARTER_MS)]
    assert told("30m", {Tier.QUARTER: quarters}, at(11, 0)) == [(at(11, 0), 40, True)]
    assert told("1h", {Tier.QUARTER: quarters}, at(11, 0), frontier_ms=at(11, 59)) == [(at(11, 0), 40, False)]


def test_where_nothing_was_counted_there_is_no_point() -> None:
    minutes = [stretch(at(11, 0), MINUTE_MS), stretch(at(11, 5), MINUTE_MS)]
    assert [each[0] for each in told("1m", {Tier.MINUTE: minutes}, at(11, 0))] == [at(11, 0), at(11, 5)]
    assert told("1m", {Tier.MINUTE: []}, at(11, 0)) == []


def test_days_are_those_of_the_partner_s_zone_and_today_is_provisional() -> None:
    """On 29 March 2026 Lisbon has 23 hours."""
    midnight = round(datetime(2026, 3, 29, tzinfo=UTC).timestamp() * 1000)
    now_ms = midnight + 2 * DAY_MS
    days = [stretch(midnight, DAY_MS - 4 * QUARTER_MS)]
    quarters = [stretch(midnight + DAY_MS, QUARTER_MS)]
    span = span_of("1d", midnight, None, now_ms, "Europe/Lisbon")
    assert span is not None
    found = points(span, "service_level", {Tier.DAY: days, Tier.QUARTER: quarters}, ALL, POLICY, now_ms)
    assert [(each["from"], each["to"] - each["from"]) for each in found] == [
        (midnight, 23 * 3_600_000),
        (midnight + 23 * 3_600_000, DAY_MS),
    ]


def test_a_point_has_all_that_a_figure_has() -> None:
    span = span_of("15m", at(11, 0), at(11, 15), NOW_MS, "UTC")
    assert span is not None
    (point,) = points(span, "service_level", {Tier.QUARTER: [stretch(at(11, 0), QUARTER_MS, answered=30)]}, ALL, POLICY, NOW_MS)
    assert (point["value"], point["numerator"], point["denominator"], point["n"]) == (0.25, 15, 60, 60)
    assert 0 < point["ci_low"] < 0.25 < point["ci_high"]
    assert (point["target"], point["status"]) == (0.8, "warning")
    assert point["definition"]


@given(st.sampled_from(STEPS), st.one_of(st.none(), st.integers(0, 2**53)), st.one_of(st.none(), st.integers(0, 2**53)))
@example(step="15m", from_ms=NOW_MS - DAY_MS, to_ms=None)
@example(step="1d", from_ms=0, to_ms=NOW_MS)
def test_whatever_is_asked_the_points_are_bounded_and_within_what_is_kept(step: Step, from_ms: int | None, to_ms: int | None) -> None:
    span = span_of(step, from_ms, to_ms, NOW_MS, "Europe/Lisbon")
    if span is not None:
        assert span.from_ms <= span.to_ms <= NOW_MS
        width_ms = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "1d": DAY_MS}.get(step, QUARTER_MS)
        assert (span.to_ms - span.from_ms) <= POINTS_MAX * max(width_ms, 16 * QUARTER_MS)
        assert span.from_ms >= NOW_MS - KEPT_MS[Tier.DAY] - 2 * DAY_MS or to_ms is not None


def test_too_many_points_are_refused_and_without_a_beginning_there_are_96() -> None:
    assert span_of("1m", at(0, 0) - DAY_MS, None, NOW_MS, "UTC") is None
    span = span_of("15m", None, None, NOW_MS, "UTC")
    assert span is not None
    assert span.to_ms - span.from_ms == 96 * QUARTER_MS + NOW_MS % QUARTER_MS


@pytest.mark.parametrize(("step", "found"), [("1m", ()), ("4h", ()), ("1d", (Tier.DAY,))])
def test_of_parts_of_a_partner_there_are_days_alone(step: Step, found: tuple[Tier, ...]) -> None:
    assert tiers(step, Scope("queue", "billing")) == found
