"""Totals over all partners: nothing is decided across partners, so they are summed here, where all of them pass. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from models.bins import Distributions, of_records
from models.definitions import DEFAULT
from models.figures import Estimate, Kind, Live, Status
from models.kpis import CATALOGUE, figures
from models.measures import flat_zero, from_names, to_names, total
from models.statistics import Z_REPORT, interval
from models.topics import BROADCAST
from models.windows import window as window_of

__all__ = ["Totals", "total_of"]

_PROPORTIONS: Final = frozenset(kpi.id for kpi in CATALOGUE.values() if kpi.estimate(flat_zero(), None, DEFAULT).kind is Kind.PROPORTION)
_OWN_DEFINITIONS: Final = "each partner by its own definition"

Figures = Mapping[str, Any]
"""A `models.records.KpiRecord`, as JSON gives it."""


class Totals:
    """The present figures of every partner, and the sums of those windows in which something changed."""

    def __init__(self) -> None:
        self._windows: dict[str, dict[str, Figures]] = {}
        self._configured: set[str] = set()
        self._changed: set[str] = set()

    def put(self, window: str, partner: str, record: Figures | None) -> None:
        """Take over the figures of a partner, or forget them."""
        partners = self._windows.setdefault(window, {})
        if record is None:
            partners.pop(partner, None)
        else:
            partners[partner] = record
        self._changed.add(window)

    def configure(self, partner: str, *, configured: bool) -> None:
        """Note whether the policy names a partner: one that it names is missing where it has no figures."""
        if configured != (partner in self._configured):
            (self._configured.add if configured else self._configured.discard)(partner)
            self._changed.update(self._windows)

    def drain(self) -> dict[str, bytes | None]:
        """The total of every window that changed since the last call, as JSON; None where no partner is left."""
        changed, self._changed = self._changed, set()
        return {window: self._total(window) for window in sorted(changed)}

    def _total(self, window: str) -> bytes | None:
        partners = self._windows[window]
        if not partners:
            return None
        return orjson.dumps({**total_of(partners.values(), window), "missing": len(self._configured - partners.keys())})


def total_of(records: Iterable[Figures], window: str) -> dict[str, Any]:
    """The sum of the figures of several partners, without who is missing: the fields of `models.view.Total`.

    Ratios are sums of numerators over sums of denominators, each counted under its partner's definition. Means and quantiles are computed
    from the summed measures, with their intervals. What waits now adds up, and the oldest is the oldest of all. A total has no target.
    """
    parts = list(records)
    flat = total(from_names(part["measures"]) for part in parts)
    durations = Distributions(of_records(part["measures"] for part in parts))
    kpis = figures(flat, _live(parts), DEFAULT, mixed_basis=False, durations=durations, width_ms=window_of(window).width_ms)
    for kpi in kpis.keys() & _PROPORTIONS:
        kpis[kpi].update(_proportion([part["kpis"][kpi] for part in parts if kpi in part["kpis"] and part["kpis"][kpi]["n"] is not None]))
    for kpi in sorted({kpi for part in parts for kpi in part["kpis"]} - CATALOGUE.keys()):
        kpis[kpi] = _own([part["kpis"][kpi] for part in parts if kpi in part["kpis"]])
    return {
        "partner": BROADCAST,
        "window": window,
        "partners": len(parts),
        "kpis": kpis,
        "measures": {**to_names(flat), **durations.to_names()},
        "start": min(part["from"] for part in parts),
        "to": max(part["to"] for part in parts),
        "as_of": min(part["as_of"] for part in parts),
        "frontier": min(part["frontier"] for part in parts),
    }


def _live(parts: list[Figures]) -> Live | None:
    """The contacts that wait, the tickets that are open and the agents who are there, anywhere; None in windows that do not carry them."""

    def values(kpi: str) -> list[float]:
        return [part["kpis"][kpi]["value"] for part in parts if kpi in part["kpis"] and part["kpis"][kpi]["value"] is not None]

    waiting, longest_seconds = values("in_queue"), values("longest_wait")
    if not waiting:
        return None
    longest_ms = round(max(longest_seconds) * 1000) if longest_seconds else None
    backlog = values("backlog")
    open_tickets = int(sum(backlog)) if backlog else None
    overdue = int(sum(values("backlog_overdue")))
    staffed, available = values("agents_staffed"), int(sum(values("agents_available")))
    agents = int(sum(staffed)) if staffed else None
    return Live(int(sum(waiting)), longest_ms, int(sum(values("waiting_past_threshold"))), open_tickets, overdue, agents, available)


def _own(parts: list[Figures]) -> dict[str, Any]:
    """A KPI of the policies' own: sums over sums. How its values spread is not known here, so that it has no interval."""
    numerator, denominator = (sum(part[name] for part in parts) for name in ("numerator", "denominator"))
    value = numerator / denominator if denominator else None
    nothing = dict.fromkeys(("ci_low", "ci_high", "target", "critical", "benchmark"))
    return {**nothing, "unit": parts[0]["unit"], **_told(parts, value, numerator, denominator)}


def _proportion(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    numerator, denominator = (sum(part[name] for part in parts) for name in ("numerator", "denominator"))
    value = numerator / denominator if denominator else None
    told = _told(parts, value, numerator, denominator)
    low, high = interval(Estimate(Kind.PROPORTION, value, numerator, denominator, told["n"]), Z_REPORT) or (None, None)
    return {**told, "ci_low": low, "ci_high": high}


def _told(parts: Sequence[Figures], value: float | None, numerator: float, denominator: float) -> dict[str, Any]:
    n = sum(part["n"] for part in parts)
    definitions = {part["definition"] for part in parts}
    status = Status.NOT_APPLICABLE if value is None else Status.NO_TARGET if n >= DEFAULT.min_samples else Status.INSUFFICIENT
    return {
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "n": n,
        "status": status,
        "definition": definitions.pop() if len(definitions) == 1 else _OWN_DEFINITIONS,
    }
