"""Totals over all partners."""

import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.definitions import Definition, ServiceLevel
from models.figures import Live
from models.view import Total
from models.windows import WINDOWS
from streams.projector.totals import Totals, total_of
from tests import naive
from tests.conditions import START_MS
from tests.stories import MINUTE, QUICK, SLIGHTLY_LATE, played, seeded
from tests.view_records import AT_MS, kpi_record

ACME = {"arrivals": 100, "answered": 90, "answered_within": 81, "answered_wait_ms": 900_000, "answered_wait_s2": 20_000, "abandoned": 10}
BOREAL = {"arrivals": 10, "answered": 10, "answered_within": 2, "answered_wait_ms": 700_000, "answered_wait_s2": 60_000}


def figures_of(partner: str, measures: dict[str, int], **more: Any) -> dict[str, Any]:
    _, value = kpi_record(partner, measures, **more)
    return dict(json.loads(value))


def test_a_ratio_is_the_sum_of_numerators_over_the_sum_of_denominators() -> None:
    total = total_of([figures_of("acme", ACME), figures_of("boreal", BOREAL)], "15m")
    level = total["kpis"]["service_level"]
    assert (level["numerator"], level["denominator"], level["n"]) == (83, 110, 110)
    assert level["value"] == pytest.approx(83 / 110)
    assert level["ci_low"] < level["value"] < level["ci_high"]
    assert total["measures"]["answered"] == 100


def test_a_mean_is_that_of_all_contacts_with_its_interval() -> None:
    asa = total_of([figures_of("acme", ACME), figures_of("boreal", BOREAL)], "15m")["kpis"]["asa"]
    assert (asa["value"], asa["n"]) == (pytest.approx(16.0), 100)
    assert asa["ci_low"] < asa["value"] < asa["ci_high"]


def test_each_partner_counts_under_its_own_definition_and_the_total_says_so() -> None:
    lenient = Definition(service_level=ServiceLevel(variant="answered_only", threshold_seconds=60))
    level = total_of([figures_of("acme", ACME), figures_of("boreal", BOREAL | {"abandoned": 10}, definition=lenient)], "15m")["kpis"][
        "service_level"
    ]
    assert (level["numerator"], level["denominator"]) == (83, 110)
    assert level["definition"] == "each partner by its own definition"


def test_who_waits_adds_up_and_the_oldest_is_the_oldest_of_all() -> None:
    parts = [
        figures_of("acme", ACME, live=Live(3, 12_000, 0)),
        figures_of("boreal", BOREAL, live=Live(2, 95_500, 1)),
        figures_of("cascade", BOREAL, live=Live(0, None, 0)),
    ]
    kpis = total_of(parts, "15m")["kpis"]
    assert [kpis[kpi]["value"] for kpi in ("in_queue", "longest_wait", "waiting_past_threshold")] == [5, 95.5, 1]


def test_open_tickets_add_up_and_stand_there_only_where_a_partner_has_any() -> None:
    parts = [figures_of("acme", ACME, live=Live(0, None, 0)), figures_of("boreal", BOREAL, live=Live(0, None, 0, 7, 2))]
    kpis = total_of([*parts, figures_of("cascade", BOREAL, live=Live(0, None, 0, 5, 1))], "15m")["kpis"]
    assert (kpis["backlog"]["value"], kpis["backlog_overdue"]["value"]) == (12, 3)
    assert "backlog" not in total_of(parts[:1], "15m")["kpis"]


def test_where_nobody_waits_there_is_no_oldest() -> None:
    kpis = total_of([figures_of("acme", ACME, live=Live(0, None, 0))], "15m")["kpis"]
    assert (kpis["in_queue"]["value"], kpis["longest_wait"]["value"]) == (0, None)


def test_a_window_without_live_figures_has_none_in_the_total() -> None:
    assert "in_queue" not in total_of([figures_of("acme", ACME, window_name="24h")], "24h")["kpis"]


def test_the_oldest_as_of_and_the_lowest_frontier_hold_for_all() -> None:
    total = total_of([figures_of("acme", ACME, at_ms=AT_MS), figures_of("boreal", BOREAL, at_ms=AT_MS - 40_000)], "15m")
    assert (total["as_of"], total["frontier"], total["to"]) == (AT_MS - 40_000, AT_MS - 40_000, AT_MS)


def test_a_total_is_what_the_view_declares() -> None:
    totals = Totals()
    totals.put("15m", "acme", figures_of("acme", ACME, live=Live(1, 1_000, 0)))
    (value,) = totals.drain().values()
    total = Total.model_validate_json(value or b"")
    assert (total.partner, total.partners, total.missing) == ("*", 1, 0)


def test_a_partner_that_leaves_the_policy_is_no_longer_missing() -> None:
    totals = Totals()
    totals.put("15m", "acme", figures_of("acme", ACME))
    totals.configure("boreal", configured=True)
    assert json.loads(totals.drain()["15m"] or b"")["missing"] == 1
    totals.configure("boreal", configured=False)
    assert json.loads(totals.drain()["15m"] or b"")["missing"] == 0


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=6))
def test_the_total_of_one_definition_equals_one_partner_with_all_contacts(counts: list[tuple[int, int, int]]) -> None:
    parts = [
        {"answered": within + over, "answered_within": within, "abandoned": abandoned, "answered_wait_ms": 1000 * over}
        for within, over, abandoned in counts
    ]
    together = {name: sum(part[name] for part in parts) for name in parts[0]}
    total = total_of([figures_of(f"p{number}", part) for number, part in enumerate(parts)], "15m")
    whole = figures_of("all", together)
    assert total["kpis"].keys() == whole["kpis"].keys()
    for kpi, figure in whole["kpis"].items():
        assert total["kpis"][kpi] == pytest.approx(figure), kpi


def test_the_total_of_every_window_has_every_measure_and_every_kpi_of_its_partners() -> None:
    rig, _ = played(seeded(Random(7), 80, QUICK, SLIGHTLY_LATE), START_MS)
    for _ in range(2):
        rig.now_ms += 6 * MINUTE
        rig.commit()
    view = rig.figures()
    for window in WINDOWS:
        parts = [view[f"{partner}/all/{window.name}"] for partner in ("acme", "bolt", "core")]
        found, expected = total_of(parts, window.name), Counter[str]()
        for part in parts:
            expected.update(naive.counts(part))
        assert naive.counts(found) == dict(expected)
        assert found["kpis"].keys() == {kpi for part in parts for kpi, figure in part["kpis"].items() if figure["n"] is not None}
        level = found["kpis"]["service_level"]
        assert level["numerator"] == sum(part["kpis"]["service_level"]["numerator"] for part in parts)
        assert level["definition"] == "each partner by its own definition"
    assert {name.partition("_")[0] for name in expected} >= {"answered", "csat", "opened", "evaluated"}
