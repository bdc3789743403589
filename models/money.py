"""Money: what was reported of a period, exactly.

Amounts are whole ten-thousandths of the currency's unit, so that sums are exact in any order. Nothing is ever converted, and amounts of
two currencies are never added.
"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, NamedTuple

from models.errors import FieldError
from models.events import CostReported, RevenueReported
from models.times import to_ms
from models.windows import DAY_MS

__all__ = ["UNIT", "Amount", "Fact", "Flow", "Line", "Period", "amount_of", "fact_of"]

UNIT: Final = 10_000
"""Amounts in one unit of a currency."""
_AMOUNT_MAX: Final = 10**11 * UNIT
_LONGEST_MS: Final = 400 * DAY_MS
_CODE_LENGTH: Final = 3

Amount = int


class Flow(StrEnum):
    """Which way money goes."""

    COST = "cost"
    REVENUE = "revenue"


class Period(NamedTuple):
    """[start, end) in epoch milliseconds."""

    start_ms: int
    end_ms: int

    def touches(self, other: "Period") -> bool:
        """Whether the two have a moment in common."""
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms


class Line(NamedTuple):
    """What is reported of a period once: amounts of one line and period replace each other, those of two add up."""

    flow: str
    currency: str
    queue: str | None
    channel: str | None
    name: str | None


class Fact(NamedTuple):
    """What a line says of a period; of two the greater is the newer."""

    version_ms: int
    amount: Amount
    customers: int = -1
    """Those that there were at its beginning; -1 where nobody said."""
    customers_kept: int = -1
    """Those of them that were left at its end."""


def amount_of(value: float | str) -> Amount:
    """An amount from a number, or from decimal text.

    Raises:
        FieldError: if it is none, too large, or finer than a ten-thousandth.
    """
    try:
        # The shortest text of a number is what its producer wrote.
        scaled = Decimal(value if isinstance(value, str) else repr(value)) * UNIT
    except InvalidOperation:
        msg = 'amount: not a decimal number (send 1234.56 or "1234.56", without a currency or thousands separators)'
        raise FieldError(msg) from None
    if not scaled.is_finite() or abs(scaled) > _AMOUNT_MAX:
        msg = "amount: over 100 billion (send it in units of the currency)"
        raise FieldError(msg)
    if scaled != int(scaled):
        msg = "amount: finer than a ten-thousandth (send at most 4 decimals, as text where a number cannot say them)"
        raise FieldError(msg)
    return int(scaled)


def fact_of(event: CostReported | RevenueReported) -> tuple[Period, Line, Fact]:
    """What an event, or its struct, says.

    Raises:
        FieldError: if a field makes no sense.
        TimeError: if a time cannot be read.
    """
    period = Period(to_ms(event.period_start), to_ms(event.period_end))
    if not 0 < period.end_ms - period.start_ms <= _LONGEST_MS:
        msg = "period_end: not after period_start, or over 400 days after (send the first moment that is not of the period any more)"
        raise FieldError(msg)
    code = event.currency
    if not (len(code) == _CODE_LENGTH and code.isascii() and code.isalpha() and code.isupper()):
        msg = "currency: not a code of ISO 4217 (send three capital letters such as EUR)"
        raise FieldError(msg)
    flow, customers, kept = Flow.COST, None, None
    if event.type == "revenue.reported":
        flow, customers, kept = Flow.REVENUE, event.customers, event.customers_kept
    if (customers is None) != (kept is None) or (customers or 0) < (kept or 0):
        msg = "customers_kept: without customers, or more than them (send both: how many there were, and how many of these stayed)"
        raise FieldError(msg)
    version_ms = to_ms(event.occurred_at if event.updated_at is None else event.updated_at)
    line = Line(flow.value, code, event.queue, event.channel, event.line)
    fact = Fact(version_ms, amount_of(event.amount))
    return period, line, fact if customers is None or kept is None else fact._replace(customers=customers, customers_kept=kept)
