"""The explanation of a condition: one sentence a person would say, whole in 200 characters.

"Delta Assist: service level 41 % in the last 15 min, under 80 % since 10:32 UTC (26 of 63 contacts answered in time)"
"""

from datetime import UTC, datetime
from typing import Final

from alerts.condition import Condition, Phase
from models.kpis import CATALOGUE, Unit
from models.records import Evidence
from models.rules import Direction, Rule
from models.windows import MINUTE_MS, Scope, window

__all__ = ["LENGTH_MAX", "explain", "number"]

LENGTH_MAX: Final = 200
"""Characters: what a pager, a phone's lock screen and a chat's preview show whole."""

_COUNTED: Final = {
    "service_level": "contacts answered in time",
    "service_level_now": "contacts answered in time",
    "abandon_rate": "contacts abandoned",
    "transfer_rate": "contacts transferred",
    "escalation_rate": "contacts escalated",
    "fcr_reported": "contacts resolved",
    "csat": "ratings good",
    "ces": "answers easy",
}
"""What the numerator of a ratio counts, after "26 of 63"."""

_DECIMAL_BELOW: Final = 10.0


def explain(rule: Rule | None, condition: Condition, partner_name: str, at_ms: int) -> str:
    """Say how `condition` stands at `at_ms`, by what was seen at its last change; without a rule it is no longer watched."""
    seen = condition.evidence
    assert seen is not None, "what never changed needs no explanation"
    body = _figure(seen) + (_unwatched(condition, at_ms) if rule is None else _standing(rule, condition, seen, at_ms))
    scope = Scope.parse(condition.scope)
    who = partner_name if scope.dimension == "all" else f"{partner_name}, {scope.dimension} {scope.value}"
    counts = _counts(seen)
    if len(who) + 2 + len(body) + len(counts) > LENGTH_MAX:
        counts = ""
    room = LENGTH_MAX - 2 - len(body)
    if len(who) > room:
        who = who[: room - 1] + "…"
    return f"{who}: {body}{counts}"


def _figure(seen: Evidence) -> str:
    kpi = CATALOGUE.get(seen.kpi)
    # A KPI of the policy's own is called by its id; it may be gone while what was seen of it is still told.
    title = seen.kpi.replace("_", " ") if kpi is None else kpi.title[0].lower() + kpi.title[1:]
    what = f"no {title}" if seen.value is None else f"{title} {number(seen.value, seen.unit, avoid=seen.enter)}"
    return what if kpi is not None and kpi.live else f"{what} in the last {_minutes(window(seen.window).width_ms)}"


def _standing(rule: Rule, condition: Condition, seen: Evidence, at_ms: int) -> str:
    # The mildest level is what has been so since the start; a severer one may have joined later.
    level, below = rule.levels[0], rule.direction is Direction.BELOW
    under, over, fell = ("under", "over", "falling under") if below else ("over", "under", "rising over")
    enter, left = number(level.enter, seen.unit), number(level.exit, seen.unit)
    start = _time(condition.started_ms, at_ms)
    match condition.phase:
        case Phase.PENDING | Phase.FIRING:
            if seen.value is None or (seen.value < level.enter if below else seen.value > level.enter):
                return f", {under} {enter} since {start} UTC"
            return f", not yet back {over} {left} after {fell} {enter} at {start} UTC"
        case Phase.RECOVERING:
            return f", past {left} again after {fell} {enter} at {start} UTC"
        case Phase.OK if condition.fired_ms is None:
            return f", no longer surely {under} {enter}"
        case _:
            return f", was {under} {enter} from {start} to {_time(condition.ended_ms, at_ms)} UTC"


def _unwatched(condition: Condition, at_ms: int) -> str:
    return f", no longer watched; in breach from {_time(condition.started_ms, at_ms)} to {_time(condition.ended_ms, at_ms)} UTC"


def _counts(seen: Evidence) -> str:
    if seen.n == 0 or seen.unit == Unit.COUNT:
        return ""
    if seen.unit == Unit.CHANGE:
        return f" ({seen.numerator + seen.denominator:g} against {seen.denominator:g})"
    if seen.unit == Unit.RATIO:
        return f" ({seen.numerator:g} of {seen.denominator:g} {_COUNTED.get(seen.kpi, '')}".rstrip() + ")"
    return f" (n {seen.n})"


def number(value: float, unit: str, *, avoid: float | None = None) -> str:
    """A value as a person writes it: with a decimal where it is small, or where it would otherwise read like `avoid`, which it is not."""
    if unit in {Unit.RATIO, Unit.CHANGE}:
        value, avoid = 100 * value, None if avoid is None else 100 * avoid
    close = avoid is not None and value != avoid and round(value) == round(avoid)
    text = f"{value:.1f}" if abs(value) < _DECIMAL_BELOW or close else f"{value:.0f}"
    text = text.removesuffix(".0")
    percent = f"{text} %"
    return {Unit.RATIO: percent, Unit.CHANGE: percent, Unit.SECONDS: f"{text} s", Unit.POINTS: f"{text} points"}.get(Unit(unit), text)


def _minutes(width_ms: int) -> str:
    minutes = width_ms // MINUTE_MS
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _time(ms: int | None, at_ms: int) -> str:
    """The clock in UTC, with the day where it is not that of `at_ms`."""
    assert ms is not None, "an explained condition has begun"
    moment, now = (datetime.fromtimestamp(each / 1000, UTC) for each in (ms, at_ms))
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment.day} {moment:%b %H:%M}"
