"""Money of a period, on numbers small enough to check by hand."""

from typing import Any

import pytest

from models.definitions import Definition, Target
from models.kpis.finance import Baseline, Facts, Gap, Statement, amounts, statement
from models.money import UNIT, Fact, Line, Period

OCTOBER, SEPTEMBER = Period(100, 200), Period(0, 100)
"""Whole days are the engine's to know; here any numbers do."""
COST, REVENUE = Line("cost", "EUR", None, None, None), Line("revenue", "EUR", None, None, None)
IN_HOUSE = Baseline(round(4.2 * UNIT), "EUR", "2026-01-01")


def of(amount: float, customers: int = -1, kept: int = -1) -> Fact:
    return Fact(1, round(amount * UNIT), customers, kept)


def figures(facts: Facts, handled: int | Gap = 10_000, baseline: Baseline | None = IN_HOUSE, definition: Definition | None = None) -> Any:
    return statement(Statement(OCTOBER, SEPTEMBER, facts, handled, baseline), definition or Definition())


def values(found: Any) -> dict[str, Any]:
    return {name: figure["value"] if figure["reason"] is None else figure["reason"] for name, figure in found.items()}


def test_the_vectors_of_a_month() -> None:
    # 10,000 contacts for 35,000 euros, which cost 4.20 each in house: 42,000. Revenue 21,000, a month before 20,000; 950 of 1,000 stayed.
    facts = {OCTOBER: {COST: of(35_000), REVENUE: of(21_000, 1000, 950)}, SEPTEMBER: {REVENUE: of(20_000)}}
    found = figures(facts)
    assert values(found) == {
        "cost_per_contact": 3.5,
        "savings": 7_000.0,
        "roi": (42_000 + 21_000 - 35_000) / 35_000,
        "revenue": 21_000.0,
        "revenue_growth": 0.05,
        "retention": 0.95,
    }
    per_contact = found["cost_per_contact"]
    assert (per_contact["unit"], per_contact["numerator"], per_contact["denominator"], per_contact["n"]) == (
        "EUR",
        35_000.0,
        10_000,
        10_000,
    )
    assert found["savings"]["definition"] == "4.2 EUR a contact in house"
    assert found["roi"]["definition"] == "benefit: cost avoided in house and revenue"
    assert (found["roi"]["numerator"], found["roi"]["denominator"], found["roi"]["unit"]) == (28_000, 35_000, "change")
    assert found["retention"]["ci_low"] == pytest.approx(0.9347, abs=5e-5)
    assert found["retention"]["ci_high"] == pytest.approx(0.9619, abs=5e-5)


def test_a_dearer_partner_saves_less_than_nothing() -> None:
    assert values(figures({OCTOBER: {COST: of(50_000)}})) == {"cost_per_contact": 5.0, "savings": -8_000.0, "roi": -0.16}


def test_the_return_takes_the_benefit_that_is_known() -> None:
    both = {OCTOBER: {COST: of(35_000), REVENUE: of(70_000)}}
    alone = figures(both, baseline=None)["roi"]
    assert (alone["value"], alone["definition"]) == (1.0, "benefit: revenue")
    avoided = figures({OCTOBER: {COST: of(35_000)}})["roi"]
    assert (avoided["value"], avoided["definition"]) == (0.2, "benefit: cost avoided in house")
    assert values(figures({OCTOBER: {COST: of(35_000)}}, baseline=None))["roi"] == Gap.NO_BENEFIT
    assert values(figures({OCTOBER: {COST: of(0)}}))["roi"] == Gap.NO_COST


def test_what_nobody_reported_has_no_figure_and_what_is_missing_says_so() -> None:
    assert figures({}) == {}
    assert figures({OCTOBER: {COST: of(1)}}).keys() == {"cost_per_contact", "savings", "roi"}
    assert values(figures({OCTOBER: {REVENUE: of(1)}})) == {"revenue": 1.0, "revenue_growth": Gap.NO_PREVIOUS}
    found = figures({OCTOBER: {COST: of(1)}}, handled=0)["cost_per_contact"]
    assert (found["value"], found["reason"], found["status"], found["n"], found["ci_low"]) == (
        None,
        "no_contacts",
        "not_applicable",
        0,
        None,
    )
    for gap in (Gap.NOT_DAYS, Gap.NOT_COUNTED):
        assert set(values(figures({OCTOBER: {COST: of(1)}}, handled=gap)).values()) == {gap}
    assert values(figures({OCTOBER: {COST: of(1)}}, baseline=None))["savings"] == Gap.NO_BASELINE


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        ([(100, 150), (150, 200)], 30.0),
        ([(100, 150), (160, 200)], Gap.PARTIAL),
        ([(110, 150), (150, 200)], Gap.PARTIAL),
        ([(100, 150), (150, 190)], Gap.PARTIAL),
        ([(90, 150), (150, 200)], Gap.PARTIAL),
        ([(100, 150), (150, 210)], Gap.PARTIAL),
        ([(50, 300), (400, 500)], Gap.PARTIAL),
        ([(100, 160), (150, 200)], Gap.OVERLAPPING),
        ([(100, 200), (120, 130)], Gap.OVERLAPPING),
        ([(0, 100), (200, 300)], Gap.NOT_REPORTED),
    ],
)
def test_periods_must_tile_the_window(periods: list[tuple[int, int]], expected: float | Gap) -> None:
    facts = {Period(*each): {REVENUE: of(10 * at)} for at, each in enumerate(periods, 1)}
    found = values(figures(facts))
    assert found.get("revenue", Gap.NOT_REPORTED) == expected


def test_lines_add_up_and_may_lie_over_each_other() -> None:
    fees = REVENUE._replace(name="fees")
    once = REVENUE._replace(queue="sales")
    facts = {OCTOBER: {REVENUE: of(10), fees: of(20.5)}, Period(120, 130): {once: of(-0.25)}}
    assert values(figures(facts))["revenue"] == 30.25


def test_currencies_are_kept_apart() -> None:
    dollars = REVENUE._replace(currency="USD")
    mixed = {OCTOBER: {COST: of(35_000), REVENUE: of(5), dollars: of(7)}, SEPTEMBER: {REVENUE: of(4)}}
    found = figures(mixed)
    assert values(found) | {"cost_per_contact": 0, "savings": 0} == {
        "cost_per_contact": 0,
        "savings": 0,
        "roi": Gap.CURRENCIES,
        "revenue": Gap.CURRENCIES,
        "revenue_growth": Gap.CURRENCIES,
    }
    assert amounts(mixed, OCTOBER) == {"EUR": {"cost": 35_000 * UNIT, "revenue": 5 * UNIT}, "USD": {"revenue": 7 * UNIT}}
    abroad = {OCTOBER: {COST._replace(currency="PHP"): of(1), dollars: of(7)}, SEPTEMBER: {REVENUE: of(4)}}
    assert values(figures(abroad)) == {
        "cost_per_contact": 0.0001,
        "savings": Gap.CURRENCIES,
        "roi": Gap.CURRENCIES,
        "revenue": 7.0,
        "revenue_growth": Gap.CURRENCIES,
    }


def test_a_return_is_made_of_one_currency_though_savings_are_known() -> None:
    dollars = REVENUE._replace(currency="USD")
    found = values(figures({OCTOBER: {COST: of(35_000), dollars: of(7)}}))
    assert (found["savings"], found["roi"], found["revenue"]) == (7_000.0, Gap.CURRENCIES, 7.0)


def test_nothing_grows_from_nothing() -> None:
    found = values(figures({OCTOBER: {REVENUE: of(5)}, SEPTEMBER: {REVENUE: of(0)}}))
    assert found == {"revenue": 5.0, "revenue_growth": Gap.NO_PREVIOUS}


def test_customers_of_parts_of_a_period_are_not_those_of_the_whole() -> None:
    facts = {Period(100, 150): {REVENUE: of(1, 10, 9)}, Period(150, 200): {REVENUE: of(1, 9, 8)}}
    assert values(figures(facts))["retention"] == Gap.PARTIAL
    lines = {OCTOBER: {REVENUE: of(1, 10, 9), REVENUE._replace(queue="b"): of(1, 30, 21), REVENUE._replace(queue="c"): of(1)}}
    assert values(figures(lines))["retention"] == 0.75
    assert "retention" not in figures({OCTOBER: {REVENUE: of(1)}})
    assert figures({OCTOBER: {REVENUE: of(1, 0, 0)}})["retention"]["status"] == "not_applicable"


def test_figures_are_held_against_targets() -> None:
    aims = Definition(
        targets={"cost_per_contact": Target(target=3.4, critical=4), "roi": Target(target=0.1), "retention": Target(target=0.9)}
    )
    found = figures({OCTOBER: {COST: of(35_000), REVENUE: of(1, 10, 9)}}, definition=aims)
    statuses = {name: each["status"] for name, each in found.items()}
    assert statuses == {
        "cost_per_contact": "warning",
        "savings": "no_target",
        "roi": "ok",
        "revenue": "no_target",
        "revenue_growth": "not_applicable",
        "retention": "insufficient",
    }
