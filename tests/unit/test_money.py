"""Amounts are exact, and what makes no sense is refused with its field and a remedy."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import FieldError, TimeError
from models.events import CostReported, RevenueReported
from models.money import Fact, Flow, Line, Period, amount_of, fact_of
from models.windows import DAY_MS

COMMON = {"event_id": "e", "partner_id": "acme", "occurred_at": 1_700_000_000_000, "amount": 100, "currency": "EUR"}
PERIOD = {"period_start": "2026-10-01T00:00:00+02:00", "period_end": "2026-11-01T00:00:00+01:00"}


def cost(**fields: Any) -> CostReported:
    return CostReported.model_validate(COMMON | PERIOD | {"type": "cost.reported"} | fields)


def revenue(**fields: Any) -> RevenueReported:
    return RevenueReported.model_validate(COMMON | PERIOD | {"type": "revenue.reported"} | fields)


@pytest.mark.parametrize(
    ("value", "amount"),
    [(1, 10_000), (0.1, 1_000), ("0.1", 1_000), (1234.5678, 12_345_678), ("-12.30", -123_000), ("1e3", 10_000_000), (0, 0), (4.2, 42_000)],
)
def test_an_amount_is_what_its_producer_wrote(value: float | str, amount: int) -> None:
    assert amount_of(value) == amount


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_every_amount_survives_as_text_and_up_to_fifteen_digits_as_a_number(amount: int) -> None:
    whole, part = divmod(abs(amount), 10_000)
    text = f"{'-' * (amount < 0)}{whole}.{part:04d}"
    assert amount_of(text) == amount_of(float(text)) == amount


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (cost(amount="12,50"), "amount"),
        (cost(amount="EUR 12"), "amount"),
        (cost(amount="NaN"), "amount"),
        (cost(amount="1e12"), "amount"),
        (cost(amount=0.00001), "amount"),
        (cost(amount=0.1 + 0.2), "amount"),
        (cost(currency="eur"), "currency"),
        (cost(currency="EURO"), "currency"),
        (cost(currency="€"), "currency"),
        (cost(currency="ÄÖÜ"), "currency"),
        (cost(period_end=PERIOD["period_start"]), "period_end"),
        (cost(period_end="2026-09-01T00:00:00Z"), "period_end"),
        (cost(period_end="2028-09-01T00:00:00Z"), "period_end"),
        (revenue(customers=10), "customers_kept"),
        (revenue(customers_kept=10), "customers_kept"),
        (revenue(customers=10, customers_kept=11), "customers_kept"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_with_a_remedy(event: CostReported | RevenueReported, field: str) -> None:
    with pytest.raises(FieldError, match=rf"^{field}: .+ \(send .+\)$"):
        fact_of(event)


def test_a_period_needs_offsets() -> None:
    with pytest.raises(TimeError):
        fact_of(cost(period_start="2026-10-01"))


def test_a_fact_is_of_a_line_of_a_period_in_a_version() -> None:
    period, line, fact = fact_of(revenue(queue="sales", line="fees", customers=10, customers_kept=9, updated_at=1_700_000_000_001))
    assert period.end_ms - period.start_ms == 31 * DAY_MS + 3_600_000, "clocks went back in it"
    assert line == Line(Flow.REVENUE, "EUR", "sales", None, "fees")
    assert fact == Fact(1_700_000_000_001, 1_000_000, 10, 9)
    assert fact_of(cost())[2] == Fact(1_700_000_000_000, 1_000_000)


def test_periods_touch_where_they_have_a_moment_in_common() -> None:
    assert Period(0, 2).touches(Period(1, 3))
    assert not Period(0, 2).touches(Period(2, 3))
