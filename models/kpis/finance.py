"""Money: what a reported period cost and brought, for each contact and against the in-house baseline.

A figure stands only on periods that reported amounts cover exactly, without gap or overlap; else it has no value and says why. Nothing
is converted: amounts in several currencies give no figure either, but stand beside it, each for itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

from models.definitions import Definition
from models.figures import Estimate, Kind, Live, Status
from models.kpis.kpi import Better, Kpi, Perspective, Unit, gauge, judged, never, proportion, unknown, words
from models.money import UNIT, Amount, Fact, Flow, Line, Period
from models.statistics import Z_REPORT, interval

__all__ = ["KPIS", "Baseline", "Facts", "Gap", "Statement", "amounts", "statement"]

Facts = Mapping[Period, Mapping[Line, Fact]]
"""What was reported, by period and line."""


class Gap(StrEnum):
    """Why a figure of a period has no value."""

    NOT_REPORTED = "not_reported"
    """No amount was reported."""
    PARTIAL = "partial"
    """The periods reported do not cover this one exactly: one reaches over its ends, or days are missing."""
    OVERLAPPING = "overlapping"
    """Two periods of one line have days in common, which would count twice."""
    CURRENCIES = "currencies"
    """Amounts in several currencies, or in another than the baseline's."""
    NOT_DAYS = "not_days"
    """The period does not begin and end at midnights of the contract's time zone, at which contacts are counted by day."""
    NOT_COUNTED = "not_counted"
    """Contacts were not counted yet when the period began."""
    NO_CONTACTS = "no_contacts"
    """Nothing was handled."""
    NO_BASELINE = "no_baseline"
    """The policy names no baseline that holds at the beginning of the period."""
    NO_PREVIOUS = "no_previous"
    """Nothing comparable is known of the period before."""
    NO_COST = "no_cost"
    """It cost nothing, or less."""
    NO_BENEFIT = "no_benefit"
    """Neither a baseline nor a revenue says what it was good for."""


class Baseline(NamedTuple):
    """What a contact costs in house."""

    cost: Amount
    currency: str
    since: str
    """The first day that it holds, such as 2026-01-01."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a period's figures are made of."""

    period: Period
    before: Period | None
    """The equal period before it; None where it is not made of whole days."""
    facts: Facts
    handled: int | Gap
    """Contacts in the period."""
    baseline: Baseline | None


class _Sum(NamedTuple):
    """All that was reported of a flow."""

    amount: Amount
    currency: str
    facts: int


def _told(facts: Facts, flow: Flow, period: Period) -> list[tuple[Line, Period, Fact]]:
    """What was reported of a flow in a period that touches this one, line by line, each in order of time."""
    found = [(line, of, fact) for of, lines in facts.items() if of.touches(period) for line, fact in lines.items() if line.flow == flow]
    return sorted(found, key=lambda each: ([part or "" for part in each[0]], each[1]))


def _sum(facts: Facts, flow: Flow, period: Period) -> _Sum | Gap:
    """All of a flow in the period, if it is covered exactly."""
    told = _told(facts, flow, period)
    if not told:
        return Gap.NOT_REPORTED
    if any(line == following and of.touches(next_of) for (line, of, _), (following, next_of, _) in pairwise(told)):
        return Gap.OVERLAPPING
    reached_ms = period.start_ms
    for of in sorted(of for _, of, _ in told):
        if of.start_ms < period.start_ms or of.start_ms > reached_ms:
            return Gap.PARTIAL
        reached_ms = max(reached_ms, of.end_ms)
    if reached_ms != period.end_ms:
        return Gap.PARTIAL
    if len({line.currency for line, _, _ in told}) > 1:
        return Gap.CURRENCIES
    return _Sum(sum(fact.amount for _, _, fact in told), told[0][0].currency, len(told))


def amounts(facts: Facts, period: Period) -> dict[str, dict[str, Amount]]:
    """By currency and flow, all amounts of periods within this one: whole ten-thousandths, each currency for itself."""
    found: dict[str, dict[str, Amount]] = {}
    for flow in Flow:
        for line, of, fact in _told(facts, flow, period):
            if period.start_ms <= of.start_ms and of.end_ms <= period.end_ms:
                flows = found.setdefault(line.currency, {})
                flows[flow.value] = flows.get(flow.value, 0) + fact.amount
    return found


def statement(of: Statement, definition: Definition) -> dict[str, dict[str, Any]]:
    """The figures of a period by KPI, each with the fields of `models.records.MoneyFigure`; those of what nobody reported are left out."""
    shown = {**_of_cost(of), **_of_revenue(of)}
    return {kpi.id: _figure(kpi, *shown[kpi.id], definition) for kpi in KPIS if kpi.id in shown}


_GROWTH: Final = "against the equal period before"
_CHANGE: Final = Unit.CHANGE.value
_UNKNOWN: Final = unknown(Kind.GAUGE)

_Shown = tuple[Estimate | Gap, str, str]
"""A figure before targets, its unit (of money the currency), and what it was computed from, in words."""


def _avoided(of: Statement, currency: str) -> Amount | Gap:
    """What the contacts would have cost in house."""
    if of.baseline is None:
        return Gap.NO_BASELINE
    if of.baseline.currency != currency:
        return Gap.CURRENCIES
    return of.handled if isinstance(of.handled, Gap) else of.baseline.cost * of.handled


def _of_cost(of: Statement) -> dict[str, _Shown]:
    cost = _sum(of.facts, Flow.COST, of.period)
    baseline = "no baseline" if of.baseline is None else f"{of.baseline.cost / UNIT:g} {of.baseline.currency} a contact in house"
    if isinstance(cost, Gap):
        if cost is Gap.NOT_REPORTED:
            return {}
        return {"cost_per_contact": (cost, "", "cost / handled"), "savings": (cost, "", baseline), "roi": (cost, _CHANGE, baseline)}
    avoided, handled = _avoided(of, cost.currency), of.handled
    savings = avoided if isinstance(avoided, Gap) else gauge((avoided - cost.amount) / UNIT, 1)
    per_contact: Estimate | Gap
    if isinstance(handled, Gap):
        per_contact = handled
    elif handled == 0:
        per_contact = Gap.NO_CONTACTS
    else:
        per_contact = Estimate(Kind.GAUGE, cost.amount / UNIT / handled, cost.amount / UNIT, handled, handled)
    return {
        "cost_per_contact": (per_contact, cost.currency, "cost / handled"),
        "savings": (savings, cost.currency, baseline),
        "roi": _roi(cost, avoided, _sum(of.facts, Flow.REVENUE, of.period)),
    }


def _roi(cost: _Sum, avoided: Amount | Gap, revenue: _Sum | Gap) -> _Shown:
    """The benefit is what the contacts would have cost in house and what they brought in, as far as either is known at all."""
    parts: dict[str, Amount] = {}
    gap = Gap.NO_COST if cost.amount <= 0 else None
    if isinstance(avoided, Gap):
        gap = gap or (None if avoided is Gap.NO_BASELINE else avoided)
    else:
        parts["cost avoided in house"] = avoided
    if isinstance(revenue, Gap):
        gap = gap or (None if revenue is Gap.NOT_REPORTED else revenue)
    elif revenue.currency != cost.currency:
        gap = gap or Gap.CURRENCIES
    else:
        parts["revenue"] = revenue.amount
    benefit = " and ".join(parts) or "no benefit known"
    if gap is None and parts:
        return _share(sum(parts.values()) - cost.amount, cost.amount), _CHANGE, f"benefit: {benefit}"
    return gap or Gap.NO_BENEFIT, _CHANGE, f"benefit: {benefit}"


def _of_revenue(of: Statement) -> dict[str, _Shown]:
    revenue = _sum(of.facts, Flow.REVENUE, of.period)
    if revenue is Gap.NOT_REPORTED:
        return {}
    found: dict[str, _Shown]
    if isinstance(revenue, Gap):
        found = {"revenue": (revenue, "", "revenue reported"), "revenue_growth": (revenue, _CHANGE, _GROWTH)}
    else:
        found = {
            "revenue": (gauge(revenue.amount / UNIT, revenue.facts), revenue.currency, "revenue reported"),
            "revenue_growth": (_growth(of, revenue), _CHANGE, _GROWTH),
        }
    told = [(period, fact) for _, period, fact in _told(of.facts, Flow.REVENUE, of.period) if fact.customers >= 0]
    if told:
        whole = all(period == of.period for period, _ in told)
        kept = proportion(sum(fact.customers_kept for _, fact in told), sum(fact.customers for _, fact in told)) if whole else Gap.PARTIAL
        found["retention"] = kept, Unit.RATIO.value, "customers kept / customers at the beginning"
    return found


def _growth(of: Statement, revenue: _Sum) -> Estimate | Gap:
    before = Gap.NOT_DAYS if of.before is None else _sum(of.facts, Flow.REVENUE, of.before)
    if isinstance(before, Gap) or before.amount <= 0:
        return Gap.NOT_DAYS if before is Gap.NOT_DAYS else Gap.NO_PREVIOUS
    if before.currency != revenue.currency:
        return Gap.CURRENCIES
    return _share(revenue.amount - before.amount, before.amount)


def _share(part: Amount, whole: Amount) -> Estimate:
    return Estimate(Kind.GAUGE, part / whole, part / UNIT, whole / UNIT, 1)


def _figure(kpi: Kpi, estimate: Estimate | Gap, unit: str, described: str, definition: Definition) -> dict[str, Any]:
    reason = estimate.value if isinstance(estimate, Gap) else None
    kind, value, numerator, denominator, n, _ = found = _UNKNOWN if isinstance(estimate, Gap) else estimate
    low, high = interval(found, Z_REPORT) or (None, None)
    aim = definition.targets.get(kpi.id)
    if value is None:
        status = Status.NOT_APPLICABLE.value
    elif n < definition.min_samples and kind is not Kind.GAUGE:
        status = Status.INSUFFICIENT.value
    elif aim is None:
        status = Status.NO_TARGET.value
    else:
        status = judged(value, aim.target, aim.critical, higher=kpi.better is Better.HIGHER)
    return {
        "value": value,
        "unit": unit or kpi.unit.value,
        "numerator": numerator,
        "denominator": denominator,
        "n": n,
        "ci_low": low,
        "ci_high": high,
        "status": status,
        "target": aim and aim.target,
        "critical": aim and aim.critical,
        "benchmark": None,
        "definition": described,
        "reason": reason,
    }


def _nothing(_flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    """Measures say nothing of money."""
    return _UNKNOWN


def _kpi(
    name: str, title: str, unit: Unit, better: Better, formula: str, traps: str, perspective: Perspective = Perspective.FINANCIAL
) -> Kpi:
    return Kpi(
        id=name,
        title=title,
        unit=unit,
        better=better,
        perspective=perspective,
        attributed_to="period",
        formula=formula,
        family=slice(0),
        estimate=_nothing,
        describe=words("of a reported period"),
        needs_basis=never,
        traps=traps,
        published=False,
        of_period=True,
    )


KPIS: Final = (
    _kpi(
        "cost_per_contact",
        "Cost per contact",
        Unit.MONEY,
        Better.LOWER,
        "cost of the period / handled",
        "handled contacts of the whole partner; a cost that reaches over the period is not spread, but leaves it without a figure",
    ),
    _kpi(
        "savings",
        "Savings against in house",
        Unit.MONEY,
        Better.HIGHER,
        "(baseline - cost per contact) x handled",
        "the baseline is the policy's, and holds from a day on; it says nothing of quality",
    ),
    _kpi(
        "roi",
        "Return on investment",
        Unit.CHANGE,
        Better.HIGHER,
        "(benefit - cost) / cost, of the cost avoided in house and the revenue",
        "with a baseline or a revenue alone the benefit is that one; `definition` says of what it was made",
    ),
    _kpi("revenue", "Revenue", Unit.MONEY, Better.HIGHER, "sum(revenue of the period)", "gross or net is the producer's to say"),
    _kpi(
        "revenue_growth",
        "Growth of revenue",
        Unit.CHANGE,
        Better.HIGHER,
        "(revenue - revenue of the equal period before) / the latter",
        "of calendar months as many months before, of other periods as many days: a season is not taken out",
    ),
    _kpi(
        "retention",
        "Customers kept",
        Unit.RATIO,
        Better.HIGHER,
        "customers kept / customers at the beginning",
        "from the revenue of exactly this period: shares of parts cannot be put together",
        Perspective.CUSTOMER,
    ),
)
