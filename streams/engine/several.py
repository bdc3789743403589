"""Rules that look at several figures of a scope: when to look, and what they see."""

from collections.abc import Iterator, Mapping, Sequence

from alerts.gate import Sample
from models.adaptive import adaptive_windows
from models.forms import Balance, Comparison, Drift, Form, Group, at_quarters, comparisons
from models.kpis import Better, Kpi, Unit
from models.rules import ADAPTIVE, Rule
from models.windows import QUARTER_MS, Scope
from streams.engine.totals import WindowTotal
from streams.engine.view import View

__all__ = ["among", "changed", "higher", "on_grid", "sample"]

Totals = Mapping[str, WindowTotal]


def among(window: str, kpi: Kpi, totals: Totals) -> Sequence[WindowTotal]:
    """The windows in which a figure may be judged: one, or narrowest first those that an adaptive one chooses from."""
    return (totals[window],) if window != ADAPTIVE else [totals[each.name] for each in adaptive_windows(kpi, totals)]


def on_grid(form: Form, due_ms: int) -> int:
    """The first grid point from `due_ms` on at which the form is judged: a balance, or a drift, at full quarters of an hour."""
    return due_ms + -due_ms % QUARTER_MS if at_quarters(form) else due_ms


def changed(form: Form, view: View, totals: Totals) -> bool:
    """Whether a figure may have changed since the form was last judged, at a grid point at which it is."""
    return isinstance(form, Balance | Drift) or any(
        view.kpis[each.kpi].live or any(total.changed for total in among(each.window, view.kpis[each.kpi], totals))
        for each in comparisons(form)
    )


def sample(rule: Rule, form: Form, view: View, totals: Totals, scope: Scope) -> Sample:
    """All that is looked at: the figure that alerts are told by, with every part."""
    if isinstance(form, Balance):
        parts = tuple(_balance(form, view, totals[rule.window], scope))
        return parts[-1]._replace(parts=parts)
    if isinstance(form, Drift):
        kpi, total = view.kpis[form.kpi], totals[rule.window]
        return view.sample(kpi, total, scope, view.estimate(kpi, total, scope))
    parts = tuple(_composite(rule, form, view, totals, scope))
    return parts[0]._replace(parts=parts)


def _composite(rule: Rule, form: Comparison | Group, view: View, totals: Totals, scope: Scope) -> Iterator[Sample]:
    for each in comparisons(form):
        kpi = view.kpis[each.kpi]
        total, estimate = view.narrowest(kpi, among(each.window, kpi, totals), scope, rule.min_samples)
        yield view.sample(kpi, total, scope, estimate)


def _balance(form: Balance, view: View, total: WindowTotal, scope: Scope) -> Iterator[Sample]:
    for kpi in (view.kpis[form.efficiency], view.kpis[form.quality]):
        for stretch in (view.before(total), view.closed(total)):
            yield view.told(kpi, stretch, scope, view.figure(kpi, stretch, scope))._replace(higher=higher(kpi))


def higher(kpi: Kpi) -> bool:
    """Whether more of it is better for a balance: where neither side is good, shorter times and higher shares are the efficient ones."""
    return kpi.better is Better.HIGHER or (kpi.better is Better.TWO_SIDED and kpi.unit is not Unit.SECONDS)
