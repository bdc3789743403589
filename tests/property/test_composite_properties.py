"""Composite rules: what cannot be told of a part decides only where logic says so, and skipping equals judging everywhere."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from alerts import Change, Condition, Sample, evaluate, next_due_ms
from alerts.composite import judge_composite
from alerts.gate import Quality, Side
from models.figures import Estimate
from models.rule_forms import AllSpec, AnySpec, ComparisonSpec, CompositeSpec, NotSpec, leaves
from models.rules import Rule
from models.windows import GRID_MS
from tests.conditions import START_MS, fresh, gauge, kinds, ratio, sample

Node = AllSpec | AnySpec | NotSpec | ComparisonSpec
Figures = Sequence[Estimate | None]

comparisons = st.builds(
    lambda below, at: ComparisonSpec(kpi="in_queue", **{"below" if below else "above": at}), st.booleans(), st.sampled_from([1.0, 2.0, 3.0])
)
trees: st.SearchStrategy[Node] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllSpec(all=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnySpec(any=tuple(parts))),
        inner.map(lambda part: NotSpec.model_validate({"not": part})),
    ),
    max_leaves=6,
)
estimates = st.one_of(st.builds(gauge, st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0])), st.none())


def composite(when: Node | dict[str, object], enter_seconds: int = 0, recover_seconds: int = 0) -> Rule:
    said = {"id": "r", "when": when, "window": "15m", "severity": "warning", "for": enter_seconds, "recover_for": recover_seconds}
    return CompositeSpec.model_validate(said).compiled


def seen(figures: Figures, at_ms: int) -> Sample:
    parts = tuple(sample(each, at_ms)._replace(window="15m", unit="count") for each in figures)
    return parts[0]._replace(parts=parts)


def kleene(node: Node, figures: list[Estimate | None]) -> bool | None:
    """An oracle in three-valued logic, of figures that are exact; it takes them in the order of the comparisons."""
    if isinstance(node, ComparisonSpec):
        estimate = figures.pop(0)
        if estimate is None or estimate.value is None:
            return None
        return estimate.value < node.below if node.below is not None else estimate.value > (node.above or 0.0)
    if isinstance(node, NotSpec):
        inner = kleene(node.not_, figures)
        return None if inner is None else not inner
    parts = [kleene(part, figures) for part in (node.all if isinstance(node, AllSpec) else node.any)]
    decides = isinstance(node, AnySpec)
    return decides if decides in parts else None if None in parts else not decides


@given(trees, st.data())
def test_exact_figures_are_judged_by_three_valued_logic(when: Node, data: st.DataObject) -> None:
    rule = composite(when)
    figures = data.draw(st.lists(estimates, min_size=(size := len(list(leaves(when)))), max_size=size))
    assert rule.form is not None
    reading = judge_composite(rule, rule.form, seen(figures, START_MS))  # type: ignore[arg-type]
    expected = {True: (Side.BREACHED,), False: (Side.LEFT,), None: None}[kleene(when, list(figures))]
    assert reading.sides == expected
    assert reading.quality is (Quality.MISSING if expected is None else Quality.GOOD)


WHENS = (
    {"all": [{"kpi": "csat", "below": 0.7, "exit": 0.8}, {"kpi": "in_queue", "above": 2, "exit": 1}]},
    {"any": [{"kpi": "csat", "below": 0.7, "exit": 0.8}, {"not": {"kpi": "in_queue", "below": 2, "exit": 3}}]},
    {"not": {"all": [{"kpi": "csat", "above": 0.7, "exit": 0.6}, {"kpi": "in_queue", "below": 2}]}},
)
spans = st.sampled_from([0, 10, 20, 60])
rules = st.builds(composite, st.sampled_from(WHENS), spans, spans)
points = st.tuples(
    st.one_of(st.none(), st.builds(ratio, st.sampled_from([0.0, 0.5, 0.65, 0.75, 1.0]), st.sampled_from([5, 20, 400]))),
    estimates,
)


@st.composite
def histories(draw: st.DrawFn) -> list[Figures]:
    runs = draw(st.lists(st.tuples(points, st.integers(1, 9)), min_size=1, max_size=10))
    return [figures for figures, times in runs for _ in range(times)]


def drive(rule: Rule, history: list[Figures], *, skipping: bool) -> tuple[list[Condition], list[Change]]:
    condition, conditions, changes = fresh(rule), list[Condition](), list[Change]()
    for at, figures in enumerate(history):
        at_ms = START_MS + at * GRID_MS
        due_ms = next_due_ms(rule, condition)
        if not skipping or at == 0 or figures != history[at - 1] or (due_ms is not None and due_ms <= at_ms):
            condition, new = evaluate(rule, condition, seen(figures, at_ms), at_ms)
            changes += new
        conditions.append(condition)
    return conditions, changes


@given(rules, histories())
def test_skipping_to_the_next_due_time_equals_judging_every_grid_point(rule: Rule, history: list[Figures]) -> None:
    assert drive(rule, history, skipping=False) == drive(rule, history, skipping=True)


@given(rules, histories())
def test_every_firing_is_resolved_once_the_whole_is_surely_left(rule: Rule, history: list[Figures]) -> None:
    form = rule.form
    assert form is not None
    calm = next(
        figures
        for figures in ([ratio(rate, 400), gauge(count)] for rate in (0.0, 1.0) for count in (0.0, 4.0))
        if judge_composite(rule, form, seen(figures, START_MS)).sides == (Side.LEFT,)  # type: ignore[arg-type]
    )
    conditions, changes = drive(rule, [*history, *([calm] * 200)], skipping=True)
    assert kinds(changes).count("fired") == kinds(changes).count("resolved")
    assert conditions[-1].blank
