"""Judging: which rules are looked at when a partner's grid point is closed, and what they see.

A rule is evaluated only where a figure of its window may have changed or its condition has something due; the reducer in `alerts` is
written so that this equals evaluating at every grid point.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, Final, NamedTuple

from alerts.aside import NOTHING, Aside
from alerts.condition import Change, Condition
from alerts.gate import Sample
from alerts.reducer import at_rest, attributed, evaluate, forget, next_due_ms, retire, rises
from models.forms import Form
from models.kpis import FEED_SILENCE
from models.measures import to_names
from models.rules import Rule
from models.statistics import Compared
from models.windows import GRID_MS, Scope
from streams.engine import several
from streams.engine.attribution import attribution
from streams.engine.circumstances import circumstances
from streams.engine.failures import Place, Stage
from streams.engine.partner import Partner
from streams.engine.several import among, on_grid
from streams.engine.silence import decide
from streams.engine.silence import due_ms as silence_due_ms
from streams.engine.totals import ALL, WindowTotal
from streams.engine.usual import usual
from streams.engine.view import View

__all__ = ["Judged", "due_ms", "judge"]


_CHANGED: Final = attrgetter("changed")


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


def judge(partner: Partner, at_ms: int) -> Iterator[Judged]:
    """Evaluate what may have changed for `partner` at the grid point `at_ms`; yields every condition that became another."""
    view = View(partner, at_ms)
    present = view.present() if partner.policy.rules or partner.conditions else ()
    rules = partner.policy.rules_at(at_ms)
    if partner.feed.watched:
        _listen(view, rules)
    yield from _end_gone(partner, rules, present, at_ms)
    totals = {total.window.name: total for total in partner.totals.windows}
    for rule in rules:
        try:
            yield from (
                _judge_ladder(view, rule, totals, present) if rule.form is None else _judge_form(view, rule, rule.form, totals, present)
            )
        except Exception as error:  # noqa: BLE001 - whatever a rule raises, the others are judged
            _note(view, rule, None, error)
    for total in partner.totals.windows:
        total.changed = False


def _end_gone(partner: Partner, judged: Sequence[Rule], present: tuple[Scope, ...], at_ms: int) -> Iterator[Judged]:
    """End the conditions whose rule is gone, or whose scope."""
    rules = {rule.id: rule for rule in judged}
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


def _judge_ladder(view: View, rule: Rule, totals: Mapping[str, WindowTotal], present: tuple[Scope, ...]) -> Iterator[Judged]:
    # Nearly all of what is judged is at rest: this is written out for what it costs there.
    kpi, scopes, conditions, at_ms = view.kpis[rule.kpi], rule.scopes, view.partner.conditions, view.at_ms
    windows = among(rule.window, kpi, totals)
    total = windows[0]
    # What is usual moves on from grid point to grid point.
    changed = total.changed or kpi.live or rule.compare is not None or any(map(_CHANGED, windows))
    for scope in present:
        if scope.dimension not in scopes:
            continue
        condition = conditions.get((rule.id, scope)) or Condition(rule.id, view.partner.id, str(scope))
        try:
            if not changed and ((due := next_due_ms(rule, condition)) is None or due > at_ms):
                continue
            if len(windows) == 1:
                estimate = view.estimate(kpi, total, scope)
            else:
                total, estimate = view.narrowest(kpi, windows, scope, rule.min_samples)
            if rule.compare is not None and estimate.value is not None:
                known = usual(view.partner, kpi, scope, total.start_ms, at_ms)
                estimate = Compared.of(estimate, known, rule.compare, counts=kpi.adds_up)
            if not at_rest(rule, condition, estimate):
                yield from _evaluated(view, rule, scope, condition, view.sample(kpi, total, scope, estimate), total)
        except Exception as error:  # noqa: BLE001 - as above, of its other scopes
            _note(view, rule, scope, error)


def _judge_form(view: View, rule: Rule, form: Form, totals: Mapping[str, WindowTotal], present: tuple[Scope, ...]) -> Iterator[Judged]:
    if on_grid(form, view.at_ms) != view.at_ms:
        return
    changed = several.changed(form, view, totals)
    for scope in present:
        if scope.dimension not in rule.scopes:
            continue
        condition = view.partner.conditions.get((rule.id, scope)) or Condition(rule.id, view.partner.id, str(scope))
        try:
            if changed or ((due := next_due_ms(rule, condition)) is not None and due <= view.at_ms):
                sample = several.sample(rule, form, view, totals, scope)
                yield from _evaluated(view, rule, scope, condition, sample, totals[sample.window])
        except Exception as error:  # noqa: BLE001 - as above
            _note(view, rule, scope, error)


def _evaluated(view: View, rule: Rule, scope: Scope, condition: Condition, sample: Sample, total: WindowTotal) -> Iterator[Judged]:
    result = evaluate(rule, condition, sample, view.at_ms)
    if rises(result[1]):
        try:
            found = attribution(view.partner, view.kpis[rule.kpi], total, scope, view.at_ms, rule.min_samples)
            result = attributed(*result, found, circumstances(view.partner, total, scope, view.at_ms))
        except Exception as error:  # noqa: BLE001 - what it is put down to is no reason to keep an alert back
            _note(view, rule, scope, error)
    yield from _keep(view.partner, rule, scope, condition, result)


def _listen(view: View, rules: Sequence[Rule]) -> None:
    """See whether the feed is silent."""
    try:
        decide(view.partner, view.at_ms)
    except Exception as error:  # noqa: BLE001 - as above
        for rule in rules:
            if rule.kpi == FEED_SILENCE:
                _note(view, rule, ALL, error)


def _note(view: View, rule: Rule, scope: Scope | None, error: Exception) -> None:
    """Judging a rule raised, in one scope or, None, before it came to any."""

    def saw() -> dict[str, Any]:
        condition = None if scope is None else view.partner.conditions.get((rule.id, scope))
        measures = {} if scope is None else {name: to_names(flat) for name, flat in view.counted(rule, scope)}
        return {"window": rule.window, "condition": condition and condition.to_row(), "measures": measures}

    place = Place(Stage.JUDGE, rule.id, rule.revision, "" if scope is None else str(scope))
    view.partner.failures.note(view.partner.id, place, view.at_ms, saw, error)


def due_ms(partner: Partner) -> int | None:
    """The next grid point at which a condition changes by itself; None if none will."""
    policy, closed_ms = partner.policy, partner.panes.closed_ms
    rules = {rule.id: rule for rule in policy.rules_at(closed_ms)}
    due = [_due_ms(partner, rules.get(of), each) for (of, _), each in partner.conditions.items()]
    if policy.outside is not None and policy.hours is not None:
        turns_ms = policy.hours.turns_ms(closed_ms)
        due.append(turns_ms + -turns_ms % GRID_MS)
    if partner.feed.watched:
        with suppress(Exception):  # What raises here is told of where it is judged.
            due.append(silence_due_ms(partner))
    return min((each for each in due if each is not None), default=None)


def _due_ms(partner: Partner, rule: Rule | None, condition: Condition) -> int | None:
    due = next_due_ms(rule, condition)
    if due is None or rule is None or rule.form is None:
        return due
    return on_grid(rule.form, max(due, partner.panes.closed_ms + GRID_MS))


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
