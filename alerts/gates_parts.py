"""The gates of a rule that looks at several figures, or that adds one up: each of every part, as its evidence tells of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from alerts.composite import edges, together, words
from alerts.gate import Gate, Side
from alerts.wording import number
from models.forms import Balance, Drift, Form

__all__ = ["gates_of_parts", "whole"]

Json = Mapping[str, Any]
_ALARM: Final = "4"
"""Deviations (`models.statistics.Cusum`)."""


def gates_of_parts(parts: Sequence[Json], min_samples: int, unkept: Collection[str] = ()) -> Iterator[Gate]:
    """All of each part.

    Args:
        parts: `models.records.EvidencePart`s.
        min_samples: the rule's.
        unkept: KPIs of which nobody knows any more what they were.
    """
    for part in parts:
        yield from _figure(part, min_samples, unkept=part["kpi"] in unkept)
        if part.get("before") is not None:
            yield from _moved(part)
        elif part.get("reference") is not None:
            yield from _added(part)
        else:
            yield from _compared(part)


def whole(form: Form, parts: Sequence[Json]) -> Gate:
    """What the parts come to, before it is asked for how long."""
    if isinstance(form, Drift):
        side, said = {each.value: each for each in Side}.get(parts[0]["state"]), f"{form.kpi} drifts past {form.reference:g}"
    elif isinstance(form, Balance):
        states, said = [each["state"] for each in parts], f"{form.efficiency} better and {form.quality} worse, both beyond chance"
        side = None if "unknown" in states else Side.BREACHED if set(states) == {"breached"} else Side.NOT_BREACHED
    else:
        side, said = together(form, [each["state"] for each in parts]), words(form)
    return Gate("together", None, None if side in (None, Side.NOT_LEFT) else side is Side.BREACHED, said)


def _figure(part: Json, min_samples: int, *, unkept: bool) -> Iterator[Gate]:
    kpi, value, n, window = part["kpi"], part["value"], part["n"], part["window"]
    if unkept:
        yield Gate(f"{kpi} figure", None, None, "of who waits at one moment: it is kept where the alert changes, and nowhere else")
        return
    figure = f"the window {window} holds none" if value is None else f"{_number(part, value)} in the window {window}"
    counted = "" if value is None else f" ({part['numerator']:g} of {part['denominator']:g})"
    yield Gate(f"{kpi} figure", None, value is not None, f"{figure}{counted}")
    before = part.get("before")
    least = n if before is None else min(n, before["n"])
    # Of a figure whose state is known there was enough, also where a count of what is there now needs no samples.
    enough = least >= min_samples or part["state"] != "unknown"
    also = "" if before is None else f", and {before['n']} before"
    yield Gate(f"{kpi} samples", None, None if value is None else enough, f"n {n}{also}, {min_samples} are needed")


def _compared(part: Json) -> Iterator[Gate]:
    kpi, value, negated = part["kpi"], part["value"], bool(part.get("negated"))
    below = part["side"] == "below"
    lower, enter, leave, past = edges(below=below, enter=part["enter"], leave=part["exit"], negated=negated)
    entered, left = f"{'not ' * negated}{part['side']}", f"{'not ' * (not negated)}{part['side']}"
    asks = f"{entered} {_number(part, enter)}"
    if value is None:
        yield Gate(f"{kpi} enter", None, None, f"asks for {asks}")
        return
    yield Gate(f"{kpi} enter", None, past(value, enter), f"{_number(part, value, avoid=enter)}, asks for {asks}")
    limit, sure = part["ci_high"] if lower else part["ci_low"], {"breached": True, "unknown": None}.get(part["state"], False)
    which = "upper" if lower else "lower"
    said = "it is not known" if limit is None else f"even its {which} bound must be {asks}: it is {limit:.3g}"
    yield Gate(f"{kpi} bound", None, sure, said)
    yield Gate(f"{kpi} exit", None, not past(value, leave), f"{_number(part, value, avoid=leave)}, asks for {left} {_number(part, leave)}")


def _moved(part: Json) -> Iterator[Gate]:
    kpi, state, value, before = part["kpi"], part["state"], part["value"], part["before"]
    unknown = None if state == "unknown" else False
    now = "none" if value is None else _number(part, value)
    was = "none" if before["value"] is None else _number(part, before["value"], avoid=value)
    yield Gate(f"{kpi} moved", None, state in {"breached", "between"} or unknown, f"{now}, {was} in the equal window before")
    said = f"{_interval(before)} before and {_interval(part)} must not overlap"
    yield Gate(f"{kpi} bound", None, state == "breached" or unknown, said)


def _added(part: Json) -> Iterator[Gate]:
    kpi, state, total, value = part["kpi"], part["state"], part["total"] or 0.0, part["value"]
    reference, unknown = _number(part, part["reference"]), None if state == "unknown" else False
    past = None if value is None else (value < part["reference"] if part["side"] == "below" else value > part["reference"])
    yield Gate(f"{kpi} enter", None, past, f"asks for {part['side']} {reference}")
    added = "more than that has, and it begins anew" if state == "breached" else f"{total:.3g} has"
    yield Gate(f"{kpi} total", None, state == "breached" or unknown, f"more than {_ALARM} deviations must add up: {added}")
    yield Gate(f"{kpi} exit", None, state == "left" or unknown, "asks that nothing adds up")


def _interval(figure: Json) -> str:
    low, high = figure["ci_low"], figure["ci_high"]
    return f"{'?' if low is None else f'{low:.3g}'} to {'?' if high is None else f'{high:.3g}'}"


def _number(part: Json, value: float, *, avoid: float | None = None) -> str:
    return number(value, part["unit"], avoid=avoid)
