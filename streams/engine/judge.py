"""Judging: which rules are looked at when a partner's grid point is closed, and what they see.

A rule is evaluated only where a figure of its window may have changed or its condition has something due; the reducer in `alerts` is
written so that this equals evaluating at every grid point.
"""

from collections.abc import Iterator
from typing import NamedTuple

from alerts.aside import NOTHING, Aside
from alerts.condition import Change, Condition
from alerts.gate import Sample
from alerts.reducer import at_rest, attributed, evaluate, forget, next_due_ms, retire, rises
from models.bins import Distributions
from models.figures import Estimate
from models.kpis import Kpi, of_offered, percentile, unknown
from models.rules import Rule
from models.windows import GRID_MS, HOUR_MS, Scope
from streams.engine.attribution import attribution
from streams.engine.lanes import unpack
from streams.engine.lives import Lives
from streams.engine.partner import Partner
from streams.engine.totals import WindowTotal, blind_sides, flats

__all__ = ["Judged", "due_ms", "judge"]


class Judged(NamedTuple):
    """What became of one condition: its changes at this grid point, if any."""

    rule: Rule | None
    """None where the rule is gone."""
    scope: Scope
    condition: Condition
    changes: tuple[Change, ...]
    aside: Aside = NOTHING
    """What stands beside it."""
    former: Aside = NOTHING
    """What stood there before."""


class _View:
    """The figures of one partner at one grid point, each window summed once and only when asked for."""

    def __init__(self, partner: Partner, at_ms: int) -> None:
        self._partner = partner
        self._at_ms = at_ms
        self._flats: dict[str, dict[Scope, int]] = {}
        self._blind: dict[str, frozenset[str]] = {}
        self._rebased: dict[str, dict[Scope, int]] = {}
        self._unpacked: dict[tuple[str, Scope], tuple[int, ...]] = {}
        # Only rules over waiting contacts ask, and only theirs is the cost.
        catalogue = partner.policy.customs.catalogue
        live = any(catalogue[rule.kpi].live for rule in partner.policy.rules)
        self._lives = Lives(partner, at_ms) if live else None

    def flats(self, total: WindowTotal) -> dict[Scope, int]:
        found = self._flats.get(total.window.name)
        if found is None:
            parts = self._partner.lifted(self._partner.totals.parts(total))
            found = self._flats[total.window.name] = flats(parts)
            if self._partner.policy.scopes:
                self._blind[total.window.name] = blind_sides(found)
            self._rebased[total.window.name] = self._partner.rebased(parts)
        return found

    def present(self) -> tuple[Scope, ...]:
        """Where rules apply: the whole partner always, a part of it while it has figures in the last 24 hours, or anybody waits there."""
        scopes = self._partner.scopes()
        found = self._lives.found if self._lives else ()
        return tuple(sorted({*scopes, *(each for each in found if self._partner.keeps(each))})) if found else scopes

    def estimate(self, kpi: Kpi, total: WindowTotal, scope: Scope) -> Estimate:
        """What `kpi` is in the closed window of `scope`."""
        definition = self._partner.policy.scope_definition(scope)
        at = (total.window.name, scope)
        flat = self._unpacked.get(at)
        if flat is None:
            flat = self._unpacked[at] = unpack(self.flats(total).get(scope, 0), self._partner.policy.customs.width)
        live = self._lives.of(scope) if self._lives and total.window.width_ms <= HOUR_MS else None
        if kpi.quantile is None:
            estimate = kpi.estimate(flat, live, definition)
        else:
            estimate = percentile(Distributions(self._partner.bins_of(scope).of(total).get(scope, {})), kpi.quantile)
        if self._blind and scope.dimension in self._blind[total.window.name] and kpi.id in of_offered(definition):
            estimate = unknown(estimate.kind)
        since = self._partner.since
        rescaled = kpi.scale and since.at_ms and since.holds_from(kpi.scale, scope) > total.start_ms
        if rescaled or self._rebased[total.window.name].get(scope, 0) >> kpi.counted_under & kpi.needs_basis(definition):
            # Part of the window was counted under another definition: there is a figure, but no sample to judge.
            estimate = estimate._replace(n=0)
        return estimate

    def sample(self, kpi: Kpi, total: WindowTotal, scope: Scope, estimate: Estimate) -> Sample:
        """The estimate, with what says where it came from."""
        definition = self._partner.policy.scope_definition(scope)
        return Sample(estimate, kpi.describe(definition), kpi.unit.value, total.start_ms, self._at_ms)


def judge(partner: Partner, at_ms: int) -> Iterator[Judged]:
    """Evaluate what may have changed for `partner` at the grid point `at_ms`; yields every condition that became another."""
    view = _View(partner, at_ms)
    present = view.present() if partner.policy.rules or partner.conditions else ()
    totals = {total.window.name: total for total in partner.totals.windows}
    catalogue = partner.policy.customs.catalogue
    rules = {rule.id: rule for rule in partner.policy.rules_at(at_ms)}
    ends: list[tuple[str, Scope, str]] = []
    for rule_id, scope in partner.conditions:
        rule_of = rules.get(rule_id)
        if rule_of is None or scope.dimension not in rule_of.scopes:
            ends.append((rule_id, scope, "its rule or partner is gone"))
        elif scope not in present:
            ends.append((rule_id, scope, "it has been silent for a day"))
    # Conditions come back from rows in another order than they came about in.
    for rule_id, scope, why in sorted(ends):
        condition = partner.conditions[rule_id, scope]
        yield from _keep(partner, rules.get(rule_id), scope, condition, _ended(condition, at_ms, why), gone=True)
    for rule in rules.values():
        total, kpi = totals[rule.window], catalogue[rule.kpi]
        changed = total.changed or kpi.live
        for scope in present:
            if scope.dimension not in rule.scopes:
                continue
            condition = partner.conditions.get((rule.id, scope)) or Condition(rule.id, partner.id, str(scope))
            if not changed and ((due := next_due_ms(rule, condition)) is None or due > at_ms):
                continue
            estimate = view.estimate(kpi, total, scope)
            if not at_rest(rule, condition, estimate):
                result = evaluate(rule, condition, view.sample(kpi, total, scope, estimate), at_ms)
                found = attribution(partner, kpi, total, scope, at_ms, rule.min_samples) if rises(result[1]) else None
                if found is not None:
                    result = attributed(*result, found)
                yield from _keep(partner, rule, scope, condition, result)
    for total in partner.totals.windows:
        total.changed = False


def due_ms(partner: Partner) -> int | None:
    """The next grid point at which a condition changes by itself; None if none will."""
    policy, closed_ms = partner.policy, partner.panes.closed_ms
    rules = {rule.id: rule for rule in policy.rules_at(closed_ms)}
    due = [next_due_ms(rules.get(of), each) for (of, _), each in partner.conditions.items()]
    if policy.outside is not None and policy.hours is not None:
        turns_ms = policy.hours.turns_ms(closed_ms)
        due.append(turns_ms + -turns_ms % GRID_MS)
    return min((each for each in due if each is not None), default=None)


def _ended(condition: Condition, at_ms: int, why: str) -> tuple[Condition, tuple[Change, ...]]:
    retired, changes = retire(condition, at_ms, why)
    forgotten, more = forget(retired, at_ms)
    return forgotten, changes + more


def _keep(
    partner: Partner,
    rule: Rule | None,
    scope: Scope,
    before: Condition,
    result: tuple[Condition, tuple[Change, ...]],
    *,
    gone: bool = False,
) -> Iterator[Judged]:
    condition, changes = result
    key = (before.rule_id, scope)
    if gone and condition.blank:
        partner.conditions.pop(key, None)
    elif condition is not before or key not in partner.conditions:
        # A blank one has no row, but remembers that it was judged: it is not due again before something changes.
        partner.conditions[key] = condition
    if changes or (condition is not before and not (condition.blank and before.blank)):
        yield Judged(rule, scope, condition, changes)
