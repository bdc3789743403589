"""The catalogue as a page: `python -m models.kpis.table` writes docs/kpis.md."""

from pathlib import Path
from typing import Final

from models.kpis.catalogue import CATALOGUE
from models.kpis.kpi import Kpi

__all__ = ["PATH", "page"]

PATH: Final = Path(__file__).parents[2] / "docs" / "kpis.md"
"""Where the page stands in a checkout."""

_INTRODUCTION: Final = """\
# KPIs

Written by `python -m models.kpis.table` from the catalogue in `models/kpis/`.

An event adds measures: whole numbers that are only ever summed. A KPI is a pure function of them, so the figure of a whole is that of
its summed measures; ratios are never averaged. Ratios are 0 to 1, times seconds, net scores points from -100 to 100, changes are of what
they are compared with (0.1: a tenth more). Without a denominator a figure has no value (`null`, n = 0, `not_applicable`): null is not 0.

**In a record** stands every KPI of whose family (interactions, tickets, evaluations, forecasts, invitations, time of agents, schedules,
courses, staff, known customers, or its own survey) anything was counted in the window, and a live one in windows up to 1 h: those of
tickets and of agents where any was ever told of. Kinds: *record*; *live*, made of the contacts that wait, the tickets that are open and
the agents who are there now; *on request*, for rules and explanations only; *period*, in the records of reported periods on
`outwatch.periods` and nowhere else, where `unit` is the currency and `reason` says why there is no value.

**Status** compares the plain value with the definition's `target` (missed: `warning`) and `critical` (missed: `critical`); meeting a
bound is enough. Fewer than `min_samples` observations are `insufficient`, except of a gauge, which is exact; so is what depends on the
limits X and S, on W or on a scale, in a window that reaches before a change of them; its `holds_from` says when that was
([windows.md](windows.md)). A KPI that is not better higher is held under its target: that of
the two-sided `aht` is an upper bound, and what is too low is a rule's to say.

**Intervals** (`ci_low`, `ci_high`) hold 95 %: Wilson's for shares, value ± 1.96 s/sqrt(n) for times, net scores and ratios of sums
(points of evaluations, items of scripts) from n = 2 on, that of a Poisson count for response rates and for deviations from a forecast;
of a quantile the durations of two ranks, with no upper end (`null`) where too few lie above; a gauge is its own.

**W** is the definition's `repeat_window_seconds`: unless one sets it nothing is kept of customers, and neither `repeat_rate` nor `fcr`
is there. A contact counts in them once its quarter hour is over, in windows of 24 hours and more. `fcr` has no value, and is
`insufficient`, until W and the 48 hours in which something late may come have passed and the day is over; then it is final.

A policy may define KPIs of its own, which stand beside these, as scores and compliance by criterion of the evaluations' form:
[custom-kpis.md](custom-kpis.md).

A = answered, A_X = answered within X seconds (inclusive), B = abandoned in queue, B_X = abandoned within X, B_S = abandoned within the
short-abandon limit S. X, S, the variant, the scales and the targets are the definition's: of the partner, its channel or its queue.
"""

_HEADERS: Final = ("id", "formula", "unit, better", "counted at", "kind", "scorecard", "mind")


def _kind(kpi: Kpi) -> str:
    if kpi.of_period:
        return "period"
    if not kpi.published:
        return "on request"
    return "live" if kpi.live else "record"


def _cells(kpi: Kpi) -> tuple[str, ...]:
    scorecard = f"{kpi.perspective.replace('_', ' ')}, {'leading' if kpi.leading else 'lagging'}"
    return (
        f"`{kpi.id}`<br>{kpi.title}",
        kpi.formula,
        f"{kpi.unit}, {kpi.better.replace('_', '-')}",
        kpi.attributed_to,
        _kind(kpi),
        scorecard,
        kpi.traps,
    )


def page() -> str:
    """The page as Markdown text."""
    rows = (_HEADERS, ("---",) * len(_HEADERS), *(_cells(kpi) for kpi in CATALOGUE.values()))
    return "\n".join((_INTRODUCTION, *(f"| {' | '.join(cells)} |" for cells in rows), ""))


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
