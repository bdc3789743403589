"""Rules that look at several figures, in words: the sentence of their alerts, and the reason of a change."""

from collections.abc import Sequence
from typing import Final

from alerts.composite import words
from alerts.condition import ChangeKind, Condition, Phase
from alerts.wording import clock, last, number, title
from models.forms import Balance, Drift, Form
from models.kpis import CATALOGUE
from models.records import Evidence, EvidencePart
from models.rules import Level, Rule

__all__ = ["figures", "reason", "standing"]

_LENGTH_MAX: Final = 110
"""Characters of the figures of a sentence, which is whole in 200; further figures are counted."""


def figures(parts: Sequence[EvidencePart], condition: Condition) -> str:
    """The figures that a sentence begins with: those that are in breach while the alert is, else those that no longer are."""
    wanted = ("breached",) if condition.phase in (Phase.PENDING, Phase.FIRING) else ("left", "between")
    shown = [part for part in parts if part.before is not None or part.state in wanted] or list(parts)
    told, windows = [_part(part) for part in shown], [_window(part) for part in shown]
    together = len(set(windows)) == 1
    if not together:
        told = [f"{each} {window}".rstrip() for each, window in zip(told, windows, strict=True)]
    count = len(told)
    while count > 1 and sum(map(len, told[:count])) > _LENGTH_MAX:
        count -= 1
    more = f" and {len(told) - count} more" if count < len(told) else ""
    joined = f"{', '.join(told[:count])}{more}" if more or count == 1 else f"{', '.join(told[: count - 1])} and {told[count - 1]}"
    return f"{joined} {windows[0]}".rstrip() if together else joined


def standing(condition: Condition, at_ms: int) -> str:
    """How the condition stands, after its figures."""
    start = clock(condition.started_ms, at_ms)
    match condition.phase:
        case Phase.PENDING | Phase.FIRING:
            return f", since {start} UTC"
        case Phase.RECOVERING:
            return f", no longer what it was at {start} UTC"
        case Phase.OK if condition.fired_ms is None:
            return ", no longer surely in breach"
        case _:
            return f", in breach from {start} to {clock(condition.ended_ms, at_ms)} UTC"


def reason(kind: ChangeKind, rule: Rule, level: Level, seen: Evidence, spans: tuple[str, str]) -> str:
    """Why a judged sample changed the condition; `spans` are how long it takes to enter and to leave."""
    assert rule.form is not None, "one figure has its own words"
    what, saw = _words(rule.form), ", ".join(_saw(part) for part in seen.parts or ())
    said = {
        ChangeKind.PENDING: f"{level.severity}, {what}",
        ChangeKind.FIRED: f"{level.severity}, {what} for {spans[0]}",
        ChangeKind.RECOVERING: f"not ({what})",
        ChangeKind.REFIRED: f"{what} again",
        ChangeKind.RESOLVED: f"not ({what}) for {spans[1]}",
        ChangeKind.CLEARED: f"no longer surely {what}",
    }
    return f"{said[kind]} ({saw})"


def _words(form: Form) -> str:
    if isinstance(form, Drift):
        return f"{form.kpi} drifts {'below' if form.below else 'above'} {form.reference:g}"
    return f"{form.efficiency} better and {form.quality} worse" if isinstance(form, Balance) else words(form)


def _saw(part: EvidencePart) -> str:
    value = "no data" if part.value is None else f"{part.value:.3g}"
    was = "" if part.before is None or part.before.value is None else f", was {part.before.value:.3g}"
    return f"{part.kpi} {value}{was}"


def _part(part: EvidencePart) -> str:
    if part.value is None:
        return f"no {title(part.kpi)}"
    told = f"{title(part.kpi)} {number(part.value, part.unit, avoid=part.enter)}"
    if part.before is not None and part.before.value is not None:
        return f"{told} ({number(part.before.value, part.unit, avoid=part.value)} before)"
    if part.reference is not None:
        return f"{told} (drifting {'under' if part.side == 'below' else 'over'} {number(part.reference, part.unit)})"
    if part.enter is None:
        return told
    return f"{told} ({'not ' * bool(part.negated)}{'under' if part.side == 'below' else 'over'} {number(part.enter, part.unit)})"


def _window(part: EvidencePart) -> str:
    kpi = CATALOGUE.get(part.kpi)
    return "" if kpi is not None and kpi.live else last(part.window)
