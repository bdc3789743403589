"""The explanation of a condition: one sentence a person would say, whole in 200 characters.

"Delta Assist: service level 41 % in the last 15 min, under 80 % since 10:32 UTC (26 of 63 contacts answered in time)"
"""

from typing import Final

from alerts import several
from alerts.condition import Condition, Phase
from alerts.evidence import side
from alerts.wording import clock, last, number, span, title
from models.kpis import CATALOGUE, FED, FEED_SILENCE, Unit
from models.records import Evidence, UsualFigure
from models.rules import Direction, Rule
from models.statistics import Compare
from models.windows import Scope

__all__ = ["LENGTH_MAX", "explain", "number", "plain"]

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


def explain(rule: Rule | None, condition: Condition, partner_name: str, at_ms: int, weighs: str | None = None) -> str:
    """Say how `condition` stands at `at_ms`, by what was seen at its last change; without a rule it is no longer watched.

    `weighs` says why it matters more than another, if it does.
    """
    seen = condition.evidence
    assert seen is not None, "what never changed needs no explanation"
    body = _figure(seen) if seen.parts is None else several.figures(seen.parts, condition)
    if rule is None:
        body += _unwatched(condition, at_ms)
    elif seen.parts is None and rule.form is None and any(level.severity is condition.severity for level in rule.levels):
        body += _standing(rule, condition, seen, at_ms)
    else:
        # What was seen may be of the time before the rule took another form, or lost its level, such as at the end of a day.
        body += several.standing(condition, at_ms)
    scope = Scope.parse(condition.scope)
    who = partner_name if scope.dimension == "all" else f"{partner_name}, {scope.dimension} {scope.value}"
    counts = _counts(seen)
    if len(who) + 2 + len(body) + len(counts) > LENGTH_MAX:
        counts = ""
    fires = condition.phase is Phase.FIRING
    for said in (weighs, condition.circumstances.text if condition.circumstances else None) if fires else ():
        if said is not None and len(who) + 2 + len(body) + len(counts) + 2 + len(said) <= LENGTH_MAX:
            counts += f"; {said}"
    room = LENGTH_MAX - 2 - len(body)
    if len(who) > room:
        who = who[: room - 1] + "…"
    return f"{who}: {body}{counts}"


def plain(condition: Condition, partner_name: str) -> str:
    """Say how `condition` stands where more cannot be said: of what is kept this asks nothing."""
    room = LENGTH_MAX // 2
    who = partner_name if len(partner_name) <= room else partner_name[: room - 1] + "…"
    whole = f"{who}: {condition.rule_id} is {condition.phase.value} in {condition.scope}, its sentence could not be written"
    return whole if len(whole) <= LENGTH_MAX else whole[: LENGTH_MAX - 1] + "…"


def _figure(seen: Evidence) -> str:
    kpi, usual = CATALOGUE.get(seen.kpi), seen.baseline
    if seen.kpi == FEED_SILENCE:
        whose = "feed" if seen.definition == FED else "feed or connector"
        return f"{whose} silent, no contact for {span(seen.numerator)}" if seen.value else "contacts come again"
    if usual is not None:
        return f"{title(seen.kpi)} {number(usual.figure, usual.unit)} {last(seen.window)}{_apart(seen.value, seen.unit, usual)}"
    what = f"no {title(seen.kpi)}" if seen.value is None else f"{title(seen.kpi)} {number(seen.value, seen.unit, avoid=seen.enter)}"
    return what if kpi is not None and kpi.live else f"{what} {last(seen.window)}"


def _apart(value: float | None, unit: str, usual: UsualFigure) -> str:
    """`, 48 % under the usual 79 %`; nothing where no scale was known."""
    if value is None:
        return ""
    by = number(abs(value), unit) if unit == Compare.CHANGE else f"{abs(value):.1f} deviations"
    return f", {by} {'under' if value < 0 else 'over'} the usual {number(usual.median, usual.unit)}"


def _standing(rule: Rule, condition: Condition, seen: Evidence, at_ms: int) -> str:
    # The mildest level is what has been so since the start; a severer one may have joined later.
    level, on = rule.levels[0], side(rule, seen)
    below, (entered, exited) = on is Direction.BELOW, level.edge(on)
    under, over, fell = ("under", "over", "falling under") if below else ("over", "under", "rising over")
    enter, left = number(entered, seen.unit), number(exited, seen.unit)
    start = clock(condition.started_ms, at_ms)
    if seen.kpi == FEED_SILENCE:
        return f", usually one in {span(seen.denominator)}" if seen.value else f", none from {start} to {clock(at_ms, at_ms)} UTC"
    match condition.phase:
        case Phase.PENDING | Phase.FIRING:
            if seen.value is None or (seen.value < entered if below else seen.value > entered):
                return f", {under} {enter} since {start} UTC"
            return f", not yet back {over} {left} after {fell} {enter} at {start} UTC"
        case Phase.RECOVERING:
            return f", past {left} again after {fell} {enter} at {start} UTC"
        case Phase.OK if condition.fired_ms is None:
            return f", no longer surely {under} {enter}"
        case _:
            return f", was {under} {enter} from {start} to {clock(condition.ended_ms, at_ms)} UTC"


def _unwatched(condition: Condition, at_ms: int) -> str:
    return f", no longer watched; in breach from {clock(condition.started_ms, at_ms)} to {clock(condition.ended_ms, at_ms)} UTC"


def _counts(seen: Evidence) -> str:
    if seen.n == 0 or seen.unit == Unit.COUNT or seen.parts is not None:
        return ""
    if seen.baseline is not None:
        return f" (of {seen.baseline.weeks} weeks)"
    if seen.unit == Unit.CHANGE:
        return f" ({seen.numerator + seen.denominator:g} against {seen.denominator:g})"
    if seen.unit == Unit.RATIO:
        return f" ({seen.numerator:g} of {seen.denominator:g} {_COUNTED.get(seen.kpi, '')}".rstrip() + ")"
    return f" (n {seen.n})"
