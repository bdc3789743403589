"""Small lines of all partners, out of packed stretches."""

import pytest

from desk.sparks import lines
from models.history import Tier, fields, figures_of, pack, place_of, unpack, value_of
from models.kpis import CATALOGUE
from models.measures import FAMILIES
from models.policy import compile_partner
from models.policy_spec import PartnerPart, SharedPart
from models.windows import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.view_records import AT_MS, rollup

FROM_MS = AT_MS - AT_MS % HOUR_MS
POLICIES = {name: compile_partner(SharedPart(), PartnerPart(id=name, name=name), name) for name in ("acme", "boreal")}


def minute(at: int, answered: int) -> bytes:
    return pack(rollup({"answered": answered, "answered_within": 8}, at_ms=FROM_MS + at * MINUTE_MS))


def test_a_point_is_the_sum_of_its_stretches_and_what_was_not_counted_is_null() -> None:
    packed = {"acme": [minute(0, 10), minute(1, 30), minute(5, 16)], "boreal": []}
    made = lines("service_level", FROM_MS, 2 * MINUTE_MS, 2, packed, POLICIES)
    assert made.values == {"acme": [None, 0.5], "boreal": [None, None]}
    assert made.from_ms == FROM_MS + 2 * MINUTE_MS, "the first of one point more than is asked for"


def test_a_last_point_that_nobody_has_yet_is_left_out() -> None:
    made = lines("service_level", FROM_MS, MINUTE_MS, 2, {"acme": [minute(0, 10)], "boreal": [minute(1, 16)]}, POLICIES)
    assert made.values == {"acme": [0.8, None], "boreal": [None, 0.5]}
    assert made.from_ms == FROM_MS


def test_a_kpi_that_a_policy_does_not_know_has_no_values() -> None:
    made = lines("upsell", FROM_MS, MINUTE_MS, 2, {"acme": [minute(0, 10)]}, POLICIES)
    assert made.values == {"acme": [None, None]}


@pytest.mark.parametrize("kpi", [each.id for each in CATALOGUE.values() if each.published and not each.live])
def test_the_value_of_one_kpi_is_that_of_its_figure(kpi: str) -> None:
    counted = {name: 50 for names in FAMILIES[:-1] for name in names}
    stretches = [unpack(pack(rollup(counted, at_ms=FROM_MS + at * MINUTE_MS))) for at in range(3)]
    definition = POLICIES["acme"].base
    figure = figures_of(stretches, definition).get(kpi)
    assert value_of(stretches, CATALOGUE[kpi], definition) == (None if figure is None else figure["value"])


def test_the_fields_of_a_span_are_where_its_stretches_stand() -> None:
    assert fields(Tier.MINUTE, FROM_MS, FROM_MS + 2 * MINUTE_MS) == [
        place_of(Tier.MINUTE, "20270115T0800Z"),
        place_of(Tier.MINUTE, "20270115T0801Z"),
    ]
    assert [each.block for each in fields(Tier.QUARTER, FROM_MS - QUARTER_MS, FROM_MS)] == ["20270115"]
