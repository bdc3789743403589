"""What rules see: the figures of one partner at one grid point, each window summed once and only when asked for."""

from collections.abc import Iterator, Sequence

from alerts.gate import Sample
from models.bins import Distributions
from models.figures import Estimate, Live
from models.forms import Balance, Drift, comparisons
from models.kpis import FEED_SILENCE, Kpi, of_offered, percentile, unknown
from models.rules import Rule
from models.windows import HOUR_MS, Scope
from streams.engine.cells import Cells
from streams.engine.lanes import unpack
from streams.engine.lives import Lives
from streams.engine.partner import Partner
from streams.engine.silence import described, silence
from streams.engine.totals import WindowTotal, blind_sides, flats

__all__ = ["Stretch", "View"]


class Stretch:
    """What was counted from one time to another, by scope."""

    __slots__ = ("_flats", "_unpacked", "_width", "blind", "end_ms", "rebased", "start_ms", "window")

    def __init__(self, partner: Partner, window: str, parts: list[Cells], start_ms: int, end_ms: int) -> None:
        lifted = partner.lifted(parts)
        self.window = window
        self.start_ms = start_ms
        self.end_ms = end_ms
        self.blind = blind_sides(found) if (found := flats(lifted)) and partner.policy.scopes else frozenset[str]()
        self.rebased = partner.rebased(lifted)
        self._flats = found
        self._width = partner.policy.customs.width
        self._unpacked: dict[Scope, tuple[int, ...]] = {}

    def flat(self, scope: Scope) -> tuple[int, ...]:
        """The measures of a scope."""
        found = self._unpacked.get(scope)
        if found is None:
            found = self._unpacked[scope] = unpack(self._flats.get(scope, 0), self._width)
        return found


class View:
    """The figures of one partner at one grid point."""

    def __init__(self, partner: Partner, at_ms: int) -> None:
        self.partner = partner
        self.at_ms = at_ms
        self._closed: dict[str, Stretch] = {}
        self._before: dict[str, Stretch] = {}
        self.kpis = partner.policy.customs.catalogue
        # Only rules over waiting contacts ask, and only theirs is the cost.
        live = any(self._is_live(rule.kpi) or (rule.form and self._looks_live(rule)) for rule in partner.policy.rules)
        self._lives = Lives(partner, at_ms) if live else None

    def _is_live(self, kpi: str) -> bool:
        return self.kpis[kpi].live and kpi != FEED_SILENCE

    def _looks_live(self, rule: Rule) -> bool:
        return any(map(self._is_live, rule.kpis))

    def closed(self, total: WindowTotal) -> Stretch:
        """The window up to this grid point."""
        found = self._closed.get(total.window.name)
        if found is None:
            parts = self.partner.totals.parts(total)
            found = self._closed[total.window.name] = Stretch(self.partner, total.window.name, parts, total.start_ms, self.at_ms)
        return found

    def before(self, total: WindowTotal) -> Stretch:
        """The equal window before it. At a full quarter of an hour all edges of windows are edges of panes, for up to two weeks."""
        found = self._before.get(total.window.name)
        if found is None:
            start_ms = total.window.start(total.start_ms, self.partner.totals.calendar)
            parts = [self.partner.panes.sum_between(start_ms, total.start_ms)]
            found = self._before[total.window.name] = Stretch(self.partner, total.window.name, parts, start_ms, total.start_ms)
        return found

    def present(self) -> tuple[Scope, ...]:
        """Where rules apply: the whole partner always, a part of it while it has figures in the last 24 hours, or anybody waits there."""
        scopes = self.partner.scopes()
        found = self._lives.found if self._lives else ()
        return tuple(sorted({*scopes, *(each for each in found if self.partner.keeps(each))})) if found else scopes

    def estimate(self, kpi: Kpi, total: WindowTotal, scope: Scope) -> Estimate:
        """What `kpi` is in the closed window of `scope`."""
        if kpi.id == FEED_SILENCE:
            return silence(self.partner, self.at_ms)
        stretch = self._closed.get(total.window.name) or self.closed(total)
        if kpi.quantile is not None:
            bins = self.partner.bins_of(scope).of(total).get(scope, {})
            return self.figure(kpi, stretch, scope, known=percentile(Distributions(bins), kpi.quantile))
        live = self._lives.of(scope) if self._lives and total.window.width_ms <= HOUR_MS else None
        return self.figure(kpi, stretch, scope, live)

    def figure(self, kpi: Kpi, stretch: Stretch, scope: Scope, live: Live | None = None, known: Estimate | None = None) -> Estimate:
        """What `kpi` is in a stretch of time, of whose quantiles that is `known`."""
        definition = self.partner.policy.scope_definition(scope)
        estimate = known or kpi.estimate(stretch.flat(scope), live, definition)
        if stretch.blind and scope.dimension in stretch.blind and kpi.id in of_offered(definition):
            estimate = unknown(estimate.kind)
        since = self.partner.since
        rescaled = kpi.scale and since.at_ms and since.holds_from(kpi.scale, scope) > stretch.start_ms
        if rescaled or stretch.rebased.get(scope, 0) >> kpi.counted_under & kpi.needs_basis(definition):
            # Part of the window was counted under another definition: there is a figure, but no sample to judge.
            estimate = estimate._replace(n=0)
        return estimate

    def narrowest(self, kpi: Kpi, among: Sequence[WindowTotal], scope: Scope, least: int) -> tuple[WindowTotal, Estimate]:
        """The first of the windows, which are sorted by their width, in which there are the samples that it takes; else the last."""
        for total in among:
            estimate = self.estimate(kpi, total, scope)
            if estimate.n >= least:
                break
        return total, estimate

    def sample(self, kpi: Kpi, total: WindowTotal, scope: Scope, estimate: Estimate) -> Sample:
        """The estimate in the closed window, with what says where it came from."""
        return self.told(kpi, self.closed(total), scope, estimate)

    def counted(self, rule: Rule, scope: Scope) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The measures of the windows that a rule looks at, by name; of an adaptive one, of all that were looked at."""
        named = (
            {rule.window}
            if rule.form is None or isinstance(rule.form, Balance | Drift)
            else {each.window for each in comparisons(rule.form)}
        )
        for total in self.partner.totals.windows:
            if total.window.name in named or total.window.name in self._closed:
                yield total.window.name, self.closed(total).flat(scope)

    def told(self, kpi: Kpi, stretch: Stretch, scope: Scope, estimate: Estimate) -> Sample:
        """The estimate, with what says where it came from."""
        definition = self.partner.policy.scope_definition(scope)
        said = described(self.partner, self.at_ms) if kpi.id == FEED_SILENCE else kpi.describe(definition)
        return Sample(estimate, said, kpi.unit.value, stretch.start_ms, stretch.end_ms, stretch.window)
