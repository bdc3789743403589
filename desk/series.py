"""A KPI over time: points of a width, each the figure of the closed stretches within it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from models.days import day_end, day_start
from models.history import KEPT_MS, Stretch, Tier, figures_of
from models.policy import PartnerPolicy
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, Scope

__all__ = ["POINTS_MAX", "STEPS", "Span", "Step", "horizons", "points", "span_of", "tiers"]

Step = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
_WIDTH_MS: Final[dict[Step, int]] = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": QUARTER_MS,
    "30m": 2 * QUARTER_MS,
    "1h": HOUR_MS,
    "4h": 4 * HOUR_MS,
    "1d": DAY_MS,
}
POINTS_MAX: Final = 800
"""A figure takes 0.1 ms: more points than a screen has pixels are nobody's."""
_POINTS: Final = 96
"""Where nobody says from when on."""


class Span(NamedTuple):
    """What is asked for, on the edges of points."""

    step: Step
    from_ms: int
    """Inclusive."""
    to_ms: int
    """Exclusive."""


def horizons(now_ms: int) -> dict[str, int]:
    """How far back stretches of each length are kept, as epoch ms."""
    return {tier.value: now_ms - kept_ms for tier, kept_ms in KEPT_MS.items()}


def tiers(step: Step, scope: Scope) -> tuple[Tier, ...]:
    """Which stretches points of a width are made of, the longest first; the shorter ones tell of what has not closed yet."""
    if scope.dimension != "all":
        return (Tier.DAY,) if step == "1d" else ()
    if step == "1d":
        return (Tier.DAY, Tier.QUARTER, Tier.MINUTE)
    return (Tier.QUARTER, Tier.MINUTE) if _WIDTH_MS[step] >= QUARTER_MS else (Tier.MINUTE,)


def span_of(step: Step, from_ms: int | None, to_ms: int | None, now_ms: int, zone: str) -> Span | None:
    """The points that are asked for, as far back as there are any; None if they are too many."""
    width_ms = _WIDTH_MS[step]
    reach_ms = KEPT_MS[Tier.DAY if step == "1d" else Tier.QUARTER if width_ms >= QUARTER_MS else Tier.MINUTE]
    until_ms = min(now_ms if to_ms is None else to_ms, now_ms)
    begin_ms = max(until_ms - _POINTS * width_ms if from_ms is None else from_ms, now_ms - reach_ms, 0)
    begin_ms = _edge(step, min(begin_ms, until_ms), zone)
    span = Span(step, begin_ms, max(until_ms, begin_ms))
    return None if (span.to_ms - span.from_ms) // width_ms > POINTS_MAX else span


def _edge(step: Step, at_ms: int, zone: str) -> int:
    return day_start(at_ms, zone) if step == "1d" else at_ms - at_ms % _WIDTH_MS[step]


def points(
    span: Span, kpi: str, by_tier: Mapping[Tier, Sequence[Stretch]], scope: Scope, policy: PartnerPolicy, frontier_ms: int
) -> list[dict[str, Any]]:
    """The points at which something was counted, in order; each with the fields of `desk.shapes.Point`.

    Args:
        span: as `span_of` made it.
        kpi: which figure.
        by_tier: stretches within the span, the longest first.
        scope: of the partner.
        policy: the partner's, under whose definition the figures are computed and judged now.
        frontier_ms: a point that ends later is not over yet.
    """
    buckets: dict[int, list[Stretch]] = {}
    covered_ms = span.from_ms
    for stretches in by_tier.values():
        # A shorter stretch tells only of what no longer one does: the end, which has not closed.
        fresh = [each for each in stretches if each.from_ms >= covered_ms]
        for each in fresh:
            buckets.setdefault(_edge(span.step, each.from_ms, policy.timezone), []).append(each)
        covered_ms = max((each.to_ms for each in fresh), default=covered_ms)
    definition, found = policy.scope_definition(scope), list[dict[str, Any]]()
    for start_ms, parts in sorted(buckets.items()):
        figure = figures_of(parts, definition, policy.customs).get(kpi)
        if figure is None:
            continue
        end_ms = day_end(start_ms, policy.timezone) if span.step == "1d" else start_ms + _WIDTH_MS[span.step]
        final = end_ms <= frontier_ms and all(each.final for each in parts)
        found.append({"from": start_ms, "to": end_ms, "final": final, **figure})
    return found
