"""Rules and figures as hypothesis draws them, and an oracle of the gate."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from models.figures import Estimate, Kind
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.statistics import Z_PAGE, Z_WARN, wilson
from models.windows import GRID_MS
from tests.conditions import gauge, ratio, revised

__all__ = ["breached", "estimates", "held_ms", "outside", "rules"]

spans_ms = st.sampled_from([0, 5_000, 10_000, 15_000, 30_000, 60_000])


@st.composite
def outside(draw: st.DrawFn) -> Rule:
    """Sound ladders with thresholds on both sides."""
    pairs = [((0.3, draw(st.sampled_from([0.3, 0.35]))), (0.8, 0.75)), ((0.1, 0.2), (0.95, draw(st.sampled_from([0.9, 0.95]))))]
    levels = [Level(severity, *below, draw(spans_ms), above) for severity, (below, above) in zip(Severity, pairs, strict=True)]
    return revised(
        direction=Direction.OUTSIDE,
        levels=tuple(draw(st.sampled_from([levels, levels[:1], levels[-1:]]))),
        recover_for_ms=draw(spans_ms),
        on_missing=draw(st.sampled_from(OnMissing)),
    )


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Sound ladders, as the linter lets through, in any direction."""
    if draw(st.integers(0, 3)) == 0:
        return draw(outside())
    below = draw(st.booleans())
    thresholds = sorted(draw(st.lists(st.sampled_from([0.2, 0.3, 0.5, 0.65, 0.7, 0.8]), min_size=2, max_size=2)), reverse=below)
    slack = 0.05 if below else -0.05
    levels = [
        Level(severity, enter, enter + draw(st.sampled_from([0, slack])), draw(spans_ms))
        for severity, enter in zip(Severity, thresholds, strict=True)
    ]
    if (levels[0].exit < levels[1].exit) if below else (levels[0].exit > levels[1].exit):
        levels = levels[:1]
    return revised(
        direction=Direction.BELOW if below else Direction.ABOVE,
        levels=tuple(draw(st.sampled_from([levels, levels[:1], levels[-1:]]))),
        recover_for_ms=draw(spans_ms),
        on_missing=draw(st.sampled_from(OnMissing)),
    )


estimates = st.one_of(
    st.builds(
        ratio, st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.65, 0.7, 0.72, 0.8, 0.83, 0.9, 1.0]), st.sampled_from([0, 5, 19, 20, 60, 400])
    ),
    st.builds(gauge, st.sampled_from([0.0, 0.3, 0.75, 1.0])),
    st.none(),
)


def breached(rule: Rule, level: Level, estimate: Estimate | None) -> bool | None:
    """An oracle of the gate: None in a gap."""
    if estimate is None or estimate.value is None:
        at_zero = level.enter < 0 if rule.direction is Direction.ABOVE else level.enter > 0
        return {OnMissing.ZERO: at_zero, OnMissing.BREACHING: True, OnMissing.OK: False}.get(rule.on_missing)
    if estimate.kind is Kind.PROPORTION and estimate.n < rule.min_samples:
        return None
    low = high = estimate.value
    if estimate.kind is Kind.PROPORTION:
        low, high = wilson(estimate.numerator, estimate.n, Z_WARN if level.severity is Severity.WARNING else Z_PAGE)
    if level.above is not None:
        return high < level.enter or low > level.above[0]
    return high < level.enter if rule.direction is Direction.BELOW else low > level.enter


def held_ms(readings: Sequence[bool | None]) -> int:
    """For how long the last point's breach has been seen: steps that both ends showed, since the last point that denied it."""
    steps = 0
    for newer, older in pairwise(reversed(readings)):
        if older is False:
            break
        steps += bool(newer) and bool(older)
    return steps * GRID_MS if readings[-1] else -1
