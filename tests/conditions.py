"""What the tests of conditions share: a rule, samples, and drivers over grid points."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerts import Change, Condition, Sample, evaluate, next_due_ms
from models.figures import Estimate, Kind
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.windows import GRID_MS, MINUTE_MS

START_MS = 1_750_000_200_000
"""2025-06-15 15:10:00 UTC, a grid point."""

LADDER = (Level(Severity.WARNING, 0.80, 0.83, MINUTE_MS), Level(Severity.CRITICAL, 0.65, 0.70, MINUTE_MS))

RULE = Rule(
    id="service_level_low",
    kpi="service_level",
    scopes=frozenset({"all"}),
    window="15m",
    direction=Direction.BELOW,
    levels=LADDER,
    recover_for_ms=2 * MINUTE_MS,
    min_samples=20,
    on_missing=OnMissing.HOLD,
    owner="realtime",
    runbook="https://runbooks.example/service-level",
    suggested_action="call the partner",
)


def revised(rule: Rule = RULE, **changes: object) -> Rule:
    """The rule with fields changed, and the revision that follows from them."""
    return replace(rule, **changes)  # type: ignore[arg-type]


def fresh(rule: Rule = RULE) -> Condition:
    return Condition(rule.id, "delta", "all")


def sample(estimate: Estimate | None, at_ms: int) -> Sample:
    return Sample(estimate, "abandons_count_against, 20 s", "ratio", at_ms - 15 * MINUTE_MS, at_ms)


def ratio(value: float | None, n: int = 100) -> Estimate:
    """The proportion of `n` that comes nearest to `value`."""
    if value is None or n == 0:
        return Estimate(Kind.PROPORTION, None, 0, 0, 0)
    hits = round(value * n)
    return Estimate(Kind.PROPORTION, hits / n, hits, n, n)


def gauge(value: float) -> Estimate:
    return Estimate(Kind.GAUGE, value, value, 1, int(value))


def drive(rule: Rule | Sequence[Rule], estimates: Sequence[Estimate | None]) -> tuple[list[Condition], list[Change]]:
    """Evaluate at every grid point, one estimate (and one rule, where they differ) each: the conditions after each, and all changes."""
    return _drive(rule, estimates, skipping=False)


def drive_when_due(rule: Rule | Sequence[Rule], estimates: Sequence[Estimate | None]) -> tuple[list[Condition], list[Change]]:
    """The same, as the engine does it: only where the estimate changed or a due time is reached."""
    return _drive(rule, estimates, skipping=True)


def _drive(rule: Rule | Sequence[Rule], estimates: Sequence[Estimate | None], *, skipping: bool) -> tuple[list[Condition], list[Change]]:
    rules = [rule] * len(estimates) if isinstance(rule, Rule) else rule
    condition = fresh(rules[0])
    conditions: list[Condition] = []
    changes: list[Change] = []
    for index, (now, estimate) in enumerate(zip(rules, estimates, strict=True)):
        at_ms = START_MS + index * GRID_MS
        due_ms = next_due_ms(now, condition)
        if not skipping or index == 0 or estimate != estimates[index - 1] or (due_ms is not None and due_ms <= at_ms):
            condition, new = evaluate(now, condition, sample(estimate, at_ms), at_ms)
            changes += new
        conditions.append(condition)
    return conditions, changes


def kinds(changes: Iterable[Change]) -> list[str]:
    return [change.kind.value for change in changes]
