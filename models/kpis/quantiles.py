"""Quantiles of durations: what half, nine of ten and nineteen of twenty stay below, where a mean has a heavy tail."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Final

from models.bins import Distributions, Durations
from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import ANSWERED, FIRST_REPLIES, HANDLED, RESOLUTIONS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, never, unknown, words
from models.statistics import Z_REPORT, QuantileEstimate

__all__ = ["KPIS", "percentile", "reported"]

_NO_QUANTILE: Final = unknown(Kind.QUANTILE)
_UNREPORTED: Final = (None, 0, 0, None, None)
_TRAPS: Final = "within 1 %; of all durations together, never a mean of quantiles"


def percentile(durations: Distributions, which: tuple[Durations, int]) -> Estimate:
    """The quantile that a KPI names: numerator is its rank, denominator and n how many durations; no value where there is none."""
    kind, percent = which
    ordered = durations.of(kind)
    return QuantileEstimate.of(ordered, percent) if ordered.n else _NO_QUANTILE


def reported(durations: Distributions, which: tuple[Durations, int]) -> tuple[float | None, int, int, float | None, float | None]:
    """The same as records carry it, without a detour: (value, rank, n, ci_low, ci_high)."""
    kind, percent = which
    ordered = durations.of(kind)
    if not ordered.n:
        return _UNREPORTED
    rank, value, low, high = ordered.bounds(percent, Z_REPORT)
    return value, rank, ordered.n, low, None if high == inf else high


def _without_bins(_flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return _NO_QUANTILE


def _kpi(name: str, title: str, kind: Durations, percent: int, family: slice, attributed_to: str, of: str, traps: str = _TRAPS) -> Kpi:
    return Kpi(
        id=f"{name}_p{percent}",
        title=f"{title}, p{percent}",
        unit=Unit.SECONDS,
        better=Better.TWO_SIDED if kind is Durations.HANDLE else Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS if kind is Durations.HANDLE else Perspective.CUSTOMER,
        attributed_to=attributed_to,
        formula=f"{percent} % of {of} are at most this",
        family=family,
        estimate=_without_bins,
        describe=words(f"p{percent} of {of}, within 1 %"),
        needs_basis=never,
        traps=traps,
        quantile=(kind, percent),
    )


KPIS: Final = (
    *(
        _kpi("wait", "Wait", Durations.ANSWERED_WAIT, percent, ANSWERED, "answer", "queue waits of answered", f"zero waits count; {_TRAPS}")
        for percent in (50, 90, 95)
    ),
    *(
        _kpi("handle", "Handle time", Durations.HANDLE, percent, HANDLED, "end of wrap-up", "talk + hold + wrap of handled")
        for percent in (50, 90)
    ),
    # Every record would be the longer for it.
    replace(
        _kpi("handle", "Handle time", Durations.HANDLE, 95, HANDLED, "end of wrap-up", "talk + hold + wrap of handled"),
        published=False,
    ),
    *(
        _kpi(
            "first_response",
            "Time to first response",
            Durations.FIRST_RESPONSE,
            percent,
            FIRST_REPLIES,
            "first reply",
            "first reply - opening",
        )
        for percent in (50, 90)
    ),
    *(
        _kpi(
            "resolution_time",
            "Resolution time",
            Durations.RESOLUTION,
            percent,
            RESOLUTIONS,
            "solved",
            "solved - opening or reopening before it",
        )
        for percent in (50, 90)
    ),
)
