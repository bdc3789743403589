"""Two conditions through any sequence of figures, gaps, reloads, crashes and rules that come and go."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from hypothesis.stateful import rule as step

from alerts import Change, Condition, Context, Phase, alert_event, evaluate, forget, retire
from models.figures import Estimate, Kind
from models.forms import Comparison, Form, Group
from models.rule_forms import CompositeSpec
from models.rules import Rule
from models.statistics import Z_WARN, wilson
from models.windows import GRID_MS
from tests.condition_rules import breached, estimates, held_ms, rules
from tests.conditions import START_MS, gauge, ratio, sample

NAMES: Final = ("one", "other")
CONTEXT: Final = Context("Delta", START_MS, START_MS, 1, late=False, trace={})
WHENS: Final = (
    {"all": [{"kpi": "csat", "below": 0.7, "exit": 0.8}, {"kpi": "in_queue", "above": 0.5, "exit": 0.2}]},
    {"any": [{"kpi": "csat", "below": 0.7, "exit": 0.8}, {"not": {"kpi": "in_queue", "below": 0.5, "exit": 0.8}}]},
)


def _composite(when: dict[str, Any], enter_seconds: int, recover_seconds: int) -> Rule:
    said = {"id": "r", "when": when, "window": "15m", "severity": "warning", "for": enter_seconds, "recover_for": recover_seconds}
    return CompositeSpec.model_validate(said).compiled


spans = st.sampled_from([0, 5, 20, 60])
drawn_rules = st.one_of(rules(), st.builds(_composite, st.sampled_from(WHENS), spans, spans))
names = st.sampled_from(NAMES)
counts = st.one_of(st.builds(gauge, st.sampled_from([0.0, 0.3, 0.75, 1.0])), st.none())
Figures = tuple[Estimate | None, Estimate | None]
Operation = tuple[str, Any, Any]


@dataclass
class World:
    """What an engine keeps of two rules, of which one is judged by the first figure, or both by both."""

    rules: dict[str, Rule | None] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=lambda: {name: Condition(name, "delta", "all") for name in NAMES})
    at_ms: int = START_MS
    changes: list[tuple[str, Rule | None, Change]] = field(default_factory=list)

    def apply(self, operation: Operation) -> None:
        kind, name, value = operation
        if kind == "reload":
            self.rules[name] = value
        elif kind == "crash":
            self.conditions = {key: Condition.from_row(orjson.loads(orjson.dumps(each.to_row()))) for key, each in self.conditions.items()}
        else:
            for key in NAMES:
                self._judge(key, value)
            self.at_ms += GRID_MS

    def _judge(self, name: str, figures: Figures) -> None:
        rule, condition = self.rules.get(name), self.conditions[name]
        if rule is None:
            condition, changes = retire(condition, self.at_ms)
            condition, more = forget(condition, self.at_ms)
            changes += more
        else:
            seen = sample(figures[0], self.at_ms)._replace(window="15m")
            if rule.form is not None:
                seen = seen._replace(parts=(seen, sample(figures[1], self.at_ms)._replace(window="15m", unit="count")))
            condition, changes = evaluate(rule, condition, seen, self.at_ms)
        self.conditions[name] = condition
        self.changes += [(name, rule, change) for change in changes]

    def events(self) -> list[bytes]:
        return [orjson.dumps(alert_event(rule, change, CONTEXT)) for _, rule, change in self.changes]


def _form_breached(rule: Rule, form: Form, figures: list[Estimate | None]) -> bool | None:
    """An oracle of whether comparisons together are surely breached; it takes the figures in their order."""
    if isinstance(form, Group):
        parts = [_form_breached(rule, part, figures) for part in form.parts]
        decides = not form.every
        return decides if decides in parts else None if None in parts else form.every
    assert isinstance(form, Comparison)
    estimate = figures.pop(0)
    if estimate is None or estimate.value is None or (estimate.kind is Kind.PROPORTION and estimate.n < rule.min_samples):
        return None
    low = high = estimate.value
    if estimate.kind is Kind.PROPORTION:
        low, high = wilson(estimate.numerator, estimate.n, Z_WARN)
    if form.negated:
        return low >= form.exit if form.below else high <= form.exit
    return high < form.enter if form.below else low > form.enter


def _without_owner(operation: Operation) -> list[Operation]:
    kind, name, value = operation
    return [(kind, name, replace(value, owner=None))] if kind == "reload" and value is not None else [operation]


class Conditions(RuleBasedStateMachine):
    """What holds at every step, and at the end of the story told over again."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.story: list[Operation] = []
        self.seen: dict[str, list[Figures]] = {name: [] for name in NAMES}
        """What each rule has seen since it came to mean what it does."""
        self.open = dict.fromkeys(NAMES, False)

    def tell(self, kind: str, name: str = "", value: object = None) -> None:
        told = len(self.world.changes)
        self.story.append((kind, name, value))
        self.world.apply(self.story[-1])
        for each, rule, change in self.world.changes[told:]:
            self.check(each, rule, change)

    def check(self, name: str, rule: Rule | None, change: Change) -> None:
        match change.kind:
            case "fired":
                assert not self.open[name], "two alerts of one fingerprint are open"
                self.open[name] = True
            case "resolved" | "retired" if change.before is not Phase.PENDING:
                assert self.open[name], "what did not fire is resolved"
                self.open[name] = False
        if change.kind in {"fired", "escalated"}:
            assert rule is not None
            level = next(index for index, level in enumerate(rule.levels) if level.severity is change.after.severity)
            readings = [self.breached(rule, level, figures) for figures in self.seen[name]]
            assert held_ms(readings) >= rule.levels[level].for_ms, change.reason

    @staticmethod
    def breached(rule: Rule, level: int, figures: Figures) -> bool | None:
        if rule.form is not None:
            return _form_breached(rule, rule.form, list(figures))
        return breached(rule, rule.levels[level], figures[0])

    @initialize(first=drawn_rules, second=drawn_rules)
    def begin(self, first: Rule, second: Rule) -> None:
        for name, rule in zip(NAMES, (first, second), strict=True):
            self.tell("reload", name, replace(rule, id=name))

    @step(share=estimates, count=counts, times=st.integers(1, 12))
    def stays(self, share: Estimate | None, count: Estimate | None, times: int) -> None:
        for _ in range(times):
            for name in NAMES:
                self.seen[name].append((share, count))
            self.tell("figures", value=(share, count))

    @step(times=st.integers(1, 12))
    def is_bad(self, times: int) -> None:
        self.stays(ratio(0.0, 400), gauge(1.0), times)

    @step(name=names, rule=drawn_rules)
    def means_something_else(self, name: str, rule: Rule) -> None:
        other = next(each for each in NAMES if each != name)
        before, untouched = self.world.rules[name], self.world.conditions[other]
        self.tell("reload", name, replace(rule, id=name))
        assert self.world.conditions[other] is untouched
        if before is None or before.revision != rule.revision:
            self.seen[name] = []

    @step(name=names, owner=st.sampled_from(["day shift", "night shift"]))
    def is_told_otherwise(self, name: str, owner: str) -> None:
        rule = self.world.rules[name]
        if rule is not None:
            self.tell("reload", name, replace(rule, owner=owner))

    @step(name=names)
    def is_removed(self, name: str) -> None:
        self.tell("reload", name, None)
        self.seen[name] = []

    @step()
    def crashes(self) -> None:
        self.tell("crash")

    @invariant()
    def what_was_told_is_what_stands(self) -> None:
        for name, condition in self.world.conditions.items():
            assert condition.open == self.open[name]

    def teardown(self) -> None:
        """End all, and tell the story again: as it was, with a crash at every step, and without what is told otherwise."""
        for name in NAMES:
            self.tell("reload", name, None)
        self.tell("figures", value=(None, None))
        assert not any(self.open.values()), "every firing has its resolve"
        fingerprints = [(change.after.fingerprint, change.after.episode, change.after.seq) for _, _, change in self.world.changes]
        assert len(set(fingerprints)) == len(fingerprints)
        again = self.again(lambda operation: [operation])
        assert again.events() == self.world.events()
        assert again.conditions == self.world.conditions
        crashing = self.again(lambda operation: [operation, ("crash", "", None)])
        assert crashing.events() == self.world.events()
        assert crashing.conditions == self.world.conditions
        untold = self.again(_without_owner)
        assert [(name, change) for name, _, change in untold.changes] == [(name, change) for name, _, change in self.world.changes]

    def again(self, told: Callable[[Operation], list[Operation]]) -> World:
        world = World()
        for operation in self.story:
            for each in told(operation):
                world.apply(each)
        return world


TestConditions = Conditions.TestCase
TestConditions.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
