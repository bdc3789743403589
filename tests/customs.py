"""KPIs of a policy's own as a file says them, and the same counted in the plainest way. Shares no code with the product."""

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["KPIS", "counted", "own_kpi"]

Json = dict[str, Any]


def own_kpi(identity: str = "hold_mean", **changes: Any) -> Json:
    """As YAML would give it: the mean hold of completed contacts, unless changed."""
    means: Json = {"numerator": {"sum": "hold_seconds", "of": "contact.completed"}, "denominator": {"count": "contact.completed"}}
    return {"id": identity, "unit": "s", "better": "lower", "perspective": "customer", **means, **changes}


def _share(identity: str, event: str, of: Json, to: Json | None = None, **on: Any) -> Json:
    terms = {"numerator": {"count": event, "where": {**(to or {}), **of}, **on}, "denominator": {"count": event, "where": to or {}, **on}}
    return own_kpi(identity, unit="ratio", **terms)


def _sums(identity: str, event: str, unit: str, part: str, whole: str, criterion: Any = None, **where: Any) -> Json:
    on = {"criterion": criterion} if criterion else {}
    terms = {name: {"sum": field, "of": event, "where": where, **on} for name, field in (("numerator", part), ("denominator", whole))}
    return own_kpi(identity, unit=unit, **terms)


KPIS: list[Json] = [
    own_kpi(),
    _share("long_voice", "contact.completed", {"handle_seconds": {"gt": 100}}, {"channel": "voice"}),
    _share("late_or_gone", "contact.abandoned", {"wait_seconds": {"gte": 5, "lt": 40}}, {"queue": {"exists": True}}),
    own_kpi(
        "transfers_an_answer",
        unit="ratio",
        numerator={"count": "contact.completed", "where": {"transferred": True}},
        denominator={"count": "contact.answered"},
    ),
    _sums("hold_share", "contact.completed", "ratio", "hold_seconds", "handle_seconds", queue=["billing", "sales"]),
    _share("promoters", "survey.response", {"score": {"gte": 9}}, {"survey": "nps"}),
    own_kpi(
        "score",
        unit="points",
        numerator={"sum": "score", "of": "survey.response", "where": {"survey": ["csat", "ces"]}},
        denominator={"count": "survey.response", "where": {"survey": ["csat", "ces"]}},
    ),
    _share("any_answer", "survey.response", {"score": {"lte": 3}}),
    _sums("points", "quality.evaluated", "ratio", "points", "points_possible"),
    _sums("script", "quality.evaluated", "ratio", "script_done", "script_required"),
    _share("left_by_choice", "contact.left", {"outcome": "left"}),
    _sums("tone", "quality.evaluated", "ratio", "points", "points_possible", criterion="a", channel={"exists": True}),
    _share("tone_kept", "quality.evaluated", {"critical_fail": False}, criterion=["b", "a"]),
    own_kpi(
        "tone_points",
        unit="points",
        numerator={"sum": "points", "of": "quality.evaluated", "criterion": "b", "where": {"points_possible": {"gt": 0.3}}},
        denominator={"count": "quality.evaluated", "criterion": ["b"]},
    ),
    own_kpi(
        "fails_of_tone",
        unit="ratio",
        numerator={"count": "quality.evaluated", "criterion": "a", "where": {"critical_fail": True}},
        denominator={"count": "quality.evaluated", "where": {"critical_fail": True}},
    ),
    own_kpi("solved_an_opening", unit="ratio", numerator={"count": "ticket.solved"}, denominator={"count": "ticket.opened"}),
]

_DEFAULTS: Json = {"hold_seconds": 0, "wrap_seconds": 0, "talk_seconds": 0, "wait_seconds": 0, "transferred": False, "escalated": False}
_MILLI = ("_seconds", "score", "points", "points_possible")


def _parts(event: Json) -> Iterator[tuple[str, int]]:
    """The events that an event is, or stands for, and when each happened."""
    if event["type"] != "contact.record":
        yield event["type"], event["occurred_at"]
        return
    done_at: int = event["occurred_at"]
    left_at: int = event.get("queue_exited_at", done_at)
    yield f"contact.{event['outcome']}", left_at
    if event["outcome"] != "not_queued":
        yield "contact.queued", event.get("queued_at", left_at)
    if event["outcome"] == "answered":
        yield "contact.completed", done_at


def _on(event: Json, term: Json) -> Json | None:
    """What an event says of the criteria of a term; None where it says nothing of them."""
    named = term.get("criterion")
    if named is None:
        return event
    criteria = [named] if isinstance(named, str) else named
    lines = [each for each in event.get("items") or () if each["criterion"] in criteria and each["possible"] > 0]
    points = sum(min(each["points"], each["possible"]) for each in lines)
    about = {"points": points, "points_possible": sum(each["possible"] for each in lines), "items": lines, "automatic_fail": False}
    return event | about if lines else None


def _field(event: Json, name: str) -> Any:
    if name == "critical_fail":
        missed = [each for each in event.get("items") or () if each["critical"] and each["possible"] > 0 and each["points"] == 0]
        return bool(missed) or event.get("automatic_fail", False)
    if name == "handle_seconds":
        return _field(event, "talk_seconds") + _field(event, "hold_seconds") + _field(event, "wrap_seconds")
    return event.get(name, _DEFAULTS.get(name))


def _meets(event: Json, where: Json) -> bool:
    for name, said in where.items():
        condition = said if isinstance(said, dict) else {"in": said if isinstance(said, list) else [said]}
        value = _field(event, name)
        for how, bound in condition.items():
            if how == "exists":
                if (value is not None) is not bound:
                    return False
            elif value is None:
                return False
            elif how == "in":
                if value not in bound:
                    return False
            elif not {"gt": value > bound, "gte": value >= bound, "lt": value < bound, "lte": value <= bound}[how]:
                return False
    return True


def _whole(event: Json, name: str | None) -> int:
    """A summed field in thousandths, or as it is where it is a count; 1 of what is counted."""
    if name is None:
        return 1
    if name == "handle_seconds":
        return sum(_whole(event, f"{part}_seconds") for part in ("talk", "hold", "wrap"))
    return int(_field(event, name) * 1000 + 0.5) if name.endswith(_MILLI) else int(_field(event, name))


def _scale(term: Json) -> int:
    return 1000 if term.get("sum", "").endswith(_MILLI) else 1


def counted(kpi: Json, events: Iterable[Json], start_ms: int, end_ms: int) -> tuple[float, float, int] | None:
    """Numerator, denominator and n of a KPI over these events in [start_ms, end_ms); None where nothing was counted."""
    num, den = kpi["numerator"], kpi["denominator"]
    top, bottom, n, seen = 0, 0, 0, False
    paired = num.get("count", num.get("of")) == den.get("count", den.get("of"))
    for event in events:
        if event["type"].startswith("survey.") and event["survey"] in ("esat", "enps"):
            continue
        for name, at_ms in _parts(event):
            if not start_ms <= at_ms < end_ms:
                continue
            of, to = _on(event, num), _on(event, den)
            in_num = name == num.get("count", num.get("of")) and of is not None and _meets(of, num.get("where", {}))
            in_den = name == den.get("count", den.get("of")) and to is not None and _meets(to, den.get("where", {}))
            if paired and any(_field(event, each["sum"]) is None for each in (num, den) if "sum" in each):
                continue
            top += _whole(of, num.get("sum")) if of is not None and in_num else 0
            bottom += _whole(to, den.get("sum")) if to is not None and in_den else 0
            n += in_den
            seen = seen or in_num or in_den
    numerator, denominator = top / _scale(num), bottom / _scale(den)
    return (numerator, denominator, n) if seen else None
