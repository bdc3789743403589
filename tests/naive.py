"""The figures computed again in the plainest way: from the list of events, by looking at each of them. Shares no code with the engine."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import dropwhile
from math import ceil
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

__all__ = [
    "WINDOWS",
    "Repeats",
    "check_durations",
    "counts",
    "day_bounds",
    "distinct",
    "durations",
    "happens",
    "history_measures",
    "in_scope",
    "measures",
    "window_start",
]

Event = dict[str, Any]
Limits = Callable[[Event], tuple[int, int]]
"""event -> (answered within ms, short abandon ms)."""

WINDOWS = ("5m", "15m", "30m", "1h", "4h", "24h", "7d", "30d", "today", "month")
_MINUTES = {"5m": (5, 1 / 6), "15m": (15, 1 / 6), "30m": (30, 1 / 6), "1h": (60, 1), "4h": (240, 1), "24h": (1440, 15)}
"""Width, and the granularity of the trailing edge."""
_QUARTER_MS = 900_000
_DAYS = {"7d": 7, "30d": 30, "today": 0}


def usual(_: Event) -> tuple[int, int]:
    return 20_000, 5_000


def distinct(events: Iterable[Event]) -> list[Event]:
    """The first delivery of each id of each partner."""
    return list({(each["partner_id"], each["event_id"]): each for each in reversed(list(events))}.values())


def _ms(seconds: float) -> int:
    return int(seconds * 1000 + 0.5)


def _answered(event: Event, limits: tuple[int, int]) -> dict[str, int]:
    wait = _ms(event.get("wait_seconds", 0))
    return {"answered": 1, "answered_wait_ms": wait, "answered_wait_s2": wait**2 // 10**6, "answered_within": int(wait <= limits[0])}


def _abandoned(event: Event, limits: tuple[int, int]) -> dict[str, int]:
    wait = _ms(event.get("wait_seconds", 0))
    return {
        "abandoned": 1,
        "abandoned_wait_ms": wait,
        "abandoned_wait_s2": wait**2 // 10**6,
        "abandoned_within": int(wait <= limits[0]),
        "abandoned_short": int(wait <= limits[1]),
    }


def _handled(event: Event) -> dict[str, int]:
    talk, hold, wrap = (_ms(event.get(f"{part}_seconds", 0)) for part in ("talk", "hold", "wrap"))
    return {
        "handled": 1,
        "talk_ms": talk,
        "hold_ms": hold,
        "wrap_ms": wrap,
        "handle_s2": (talk + hold + wrap) ** 2 // 10**6,
        "hold_s2": hold**2 // 10**6,
        "held": int(hold > 0 or event.get("holds", 0) > 0),
        "transferred": int(event.get("transferred", False)),
        "escalated": int(event.get("escalated", False)),
        "resolved": int(event.get("resolved") is True),
        "resolved_answers": int(event.get("resolved") is not None),
    }


def _survey(event: Event) -> dict[str, int]:
    survey, score = event["survey"], event["score"]
    scales = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "esat": (1, 5), "enps": (0, 10)}
    low, high = scales[survey]
    if score != int(score) or not low <= score <= high or event.get("scale_max") not in (None, high):
        return {f"{survey}_off_scale": 1}
    return {f"{survey}_{int(score)}": 1}


def _evaluation(event: Event) -> dict[str, int]:
    possible, required = _ms(event["points_possible"]), event.get("script_required") or 0
    points = 0 if event.get("automatic_fail") else min(_ms(event["points"]), possible)
    done = min(event.get("script_done") or 0, required)
    missed = [item for item in event.get("items") or () if item.get("critical") and item["possible"] and not item["points"]]
    counted = {"evaluated": 1, "critical_fails": int(bool(missed) or event.get("automatic_fail", False))}
    if possible:
        counted |= {"scored": 1, "qa_points_milli": points, "qa_possible_milli": possible, "qa_points_milli2": points**2}
        counted |= {"qa_points_possible_milli2": points * possible, "qa_possible_milli2": possible**2}
    if required:
        counted |= {"scripted": 1, "script_done": done, "script_required": required, "script_done_squares": done**2}
        counted |= {"script_done_required_squares": done * required, "script_required_squares": required**2}
    return counted


def happens(event: Event, limits: Limits = usual) -> list[tuple[int, dict[str, int]]]:
    """When the event counts, and what."""
    if event["type"] == "contact.record":
        return _record(event, limits)
    counts: dict[str, Callable[[], dict[str, int]]] = {
        "contact.queued": lambda: {"arrivals": 1},
        "contact.answered": lambda: _answered(event, limits(event)),
        "contact.abandoned": lambda: _abandoned(event, limits(event)),
        "contact.completed": lambda: _handled(event),
        "contact.left": lambda: {"left": 1},
        "survey.response": lambda: _survey(event),
        "survey.invited": lambda: {f"{event['survey']}_invited": 1},
        "quality.evaluated": lambda: _evaluation(event),
    }
    return [(event["occurred_at"], counts[event["type"]]())]


def ticket_measures(events: Iterable[Event]) -> Iterator[tuple[Event, int, dict[str, int]]]:
    """What each event of a ticket counts, knowing all that was ever told of it."""
    tickets: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if event["type"].startswith("ticket."):
            tickets.setdefault((event["partner_id"], event["contact_id"]), []).append(event)
    for told in tickets.values():
        told.sort(key=_order)
        replies = [event for event in told if event["type"] == "ticket.replied"]
        openings = [event for event in told if event["type"] == "ticket.opened"]
        if replies and openings:
            took = max(0, replies[0]["occurred_at"] - openings[0]["occurred_at"])
            what = {"first_replies": 1, "first_response_ms": took, "first_response_s2": took**2 // 10**6}
            yield replies[0], replies[0]["occurred_at"], what
        yield from _stretches([event for event in told if event["type"] != "ticket.replied"])


def _order(event: Event) -> tuple[Any, ...]:
    step = ("opened", "solved", "reopened", "replied").index(event["type"].removeprefix("ticket."))
    return event["occurred_at"], step, event.get("due_at", -1), *(event.get(by, "") for by in ("queue", "channel", "site", "segment"))


def _stretches(told: list[Event]) -> Iterator[tuple[Event, int, dict[str, int]]]:
    """From each opening or reopening, whatever else is told before, to the next time that it is solved."""
    while told:
        end = next((at for at, event in enumerate(told) if event["type"] == "ticket.solved"), len(told))
        stretch, solved = told[:end], told[end : end + 1]
        told = list(dropwhile(lambda event: event["type"] == "ticket.solved", told[end:]))
        if stretch:
            yield stretch[0], stretch[0]["occurred_at"], {stretch[0]["type"].removeprefix("ticket."): 1}
        for event in solved:
            at, what = event["occurred_at"], {"solved": 1}
            if stretch:
                took = at - stretch[0]["occurred_at"]
                what |= {"resolutions": 1, "resolution_ms": took, "resolution_s2": took**2 // 10**6}
            dates = [each["due_at"] for each in [*stretch, event] if "due_at" in each]
            if dates:
                what |= {"solved_with_due": 1, "solved_within_due": int(at <= dates[-1])}
            yield event, at, what


def forecast_measures(events: Iterable[Event], closed_ms: int) -> Iterator[tuple[Event, int, dict[str, int]]]:
    """What forecasts count once their interval closed: the newest of each interval and queue and channel."""
    given = list(events)
    newest: dict[tuple[Any, ...], Event] = {}
    for event in sorted((each for each in given if each["type"] == "volume.forecast"), key=_version):
        newest[event["partner_id"], event.get("queue"), event.get("channel"), event["interval_start"]] = event
    contacts = [each for each in given if each["type"].startswith("contact.")]
    for event in newest.values():
        start_ms, end_ms, count = event["interval_start"], event["interval_end"], 0
        for contact in contacts if end_ms <= closed_ms else ():
            if contact["partner_id"] == event["partner_id"] and all(
                event.get(by) in (None, contact.get(by)) for by in ("queue", "channel")
            ):
                count += sum({"answered", "abandoned"} & what.keys() != set() for at, what in happens(contact) if start_ms <= at < end_ms)
        if end_ms <= closed_ms:
            yield event, start_ms, {"forecast_intervals": 1, "forecast_milli": _ms(event["offered"]), "forecast_offered": count}


def _version(event: Event) -> tuple[float, ...]:
    return event["updated_at"], event["offered"], event["interval_end"]


class Repeats(NamedTuple):
    """How a partner counts repeats."""

    window_ms: int
    zone: str = "UTC"


def history_measures(events: Iterable[Event], closed_ms: int, repeats: Repeats) -> Iterator[tuple[Event, int, dict[str, int]]]:
    """What each contact of a known customer counts, knowing all the others: by looking at every pair.

    It counts at the end of its quarter hour, once that is over, and is judged at the midnight after the window and 48 hours.
    """
    handled = [event for event in events if event["type"] == "contact.completed" or event.get("outcome") == "answered"]
    visits = [event for event in handled if event.get("customer_key") and event["occurred_at"] // _QUARTER_MS < closed_ms // _QUARTER_MS]
    over_ms = closed_ms // _QUARTER_MS * _QUARTER_MS - repeats.window_ms - 48 * 4 * _QUARTER_MS
    judged_ms = day_bounds(datetime.fromtimestamp(over_ms / 1000, ZoneInfo(repeats.zone)).date().isoformat(), repeats.zone)[0]

    def is_known(event: Event, other: Event) -> bool:
        return bool(event["partner_id"] == other["partner_id"] and event["customer_key"] == other["customer_key"])

    def chain(event: Event) -> str:
        return str(event.get("root_contact_id") or event.get("contact_id") or event["event_id"])

    firsts = [
        event
        for event in visits
        if not any(is_known(event, each) and chain(event) == chain(each) and each["occurred_at"] < event["occurred_at"] for each in visits)
    ]
    for event in firsts:
        at_ms = event["occurred_at"]
        apart = [(each["occurred_at"] - at_ms, each) for each in firsts if each is not event and is_known(event, each)]
        what = {"identified": 1, "repeats": int(any(-repeats.window_ms <= after_ms < 0 for after_ms, _ in apart))}
        if at_ms < judged_ms:
            reasons = [each.get("reason") for after_ms, each in apart if 0 < after_ms <= repeats.window_ms]
            is_followed = any(event.get("reason") is None or each in (None, event["reason"]) for each in reasons)
            what |= {"matured": 1, "followed": int(is_followed)}
        yield event, at_ms // _QUARTER_MS * _QUARTER_MS + _QUARTER_MS - 10_000, what


def _record(event: Event, limits: Limits) -> list[tuple[int, dict[str, int]]]:
    done_at: int = event["occurred_at"]
    left_at: int = event.get("queue_exited_at", done_at)
    came_at: int = event.get("queued_at", left_at)
    match event["outcome"]:
        case "not_queued":
            return [(left_at, {"not_queued": 1})]
        case "left":
            return [(came_at, {"arrivals": 1}), (left_at, {"left": 1})]
        case "abandoned":
            return [(came_at, {"arrivals": 1}), (left_at, _abandoned(event, limits(event)))]
    return [(came_at, {"arrivals": 1}), (left_at, _answered(event, limits(event))), (done_at, _handled(event))]


def in_scope(event: Event, scope: str) -> bool:
    if scope == "all":
        return True
    dimension, _, value = scope.partition("=")
    return bool(event.get(dimension) == value)


def _counted(
    events: Iterable[Event],
    partner: str,
    scope: str,
    start_ms: int,
    end_ms: int,
    limits: Limits,
    closed_ms: int = 0,
    repeats: Repeats | None = None,
) -> Iterator[dict[str, int]]:
    given = list(events)
    alone = [event for event in given if not event["type"].startswith(("ticket.", "volume.", "revenue."))]
    happened = [(event, at, what) for event in alone for at, what in happens(event, limits)]
    # Visits are of queues and channels only.
    aside = scope.startswith(("site=", "segment="))
    history = [] if repeats is None or aside else history_measures(given, closed_ms, repeats)
    for event, at, what in [*happened, *ticket_measures(given), *forecast_measures(given, closed_ms), *history]:
        if event["partner_id"] == partner and in_scope(event, scope) and start_ms <= at < end_ms:
            yield what


def measures(
    events: Iterable[Event],
    partner: str,
    scope: str,
    start_ms: int,
    end_ms: int,
    limits: Limits = usual,
    closed_ms: int = 0,
    repeats: Repeats | None = None,
) -> dict[str, int]:
    """What the events count in [start_ms, end_ms), those that are zero left out; intervals up to `closed_ms` have closed."""
    counted: Counter[str] = Counter()
    for what in _counted(events, partner, scope, start_ms, end_ms, limits, closed_ms, repeats):
        counted.update(what)
    for survey in ("esat", "enps"):
        if 0 < sum(counted[f"{survey}_{score}"] for score in range(11)) < 5:
            for name in [name for name in counted if name.startswith(survey)]:
                del counted[name]
    return {name: count for name, count in counted.items() if count}


def counts(body: dict[str, Any]) -> dict[str, int]:
    """The measures of a record but for its bins."""
    return {name: count for name, count in body["measures"].items() if not name.endswith("_bins")}


_TIMED = {
    "wait": ("answered", ("answered_wait_ms",), (50, 90, 95)),
    "handle": ("handled", ("talk_ms", "hold_ms", "wrap_ms"), (50, 90)),
    "first_response": ("first_replies", ("first_response_ms",), (50, 90)),
    "resolution_time": ("resolutions", ("resolution_ms",), (50, 90)),
}


def durations(events: Iterable[Event], partner: str, scope: str, start_ms: int, end_ms: int) -> dict[str, list[int]]:
    """What was timed in [start_ms, end_ms), in ms and in order."""
    found: dict[str, list[int]] = {name: [] for name in _TIMED}
    for what in _counted(events, partner, scope, start_ms, end_ms, usual):
        for name, (count, parts, _) in _TIMED.items():
            if what.get(count):
                found[name].append(sum(what[part] for part in parts))
    return {name: sorted(each) for name, each in found.items()}


def check_durations(body: dict[str, Any], exact: dict[str, list[int]]) -> None:
    """The quantiles of a record are within 1 % of those of the durations, and its bins hold as many."""
    for name, (_, _, percents) in _TIMED.items():
        values = exact[name]
        kind = {"wait": "answered_wait", "resolution_time": "resolution"}.get(name, name)
        binned = body["measures"].get(f"{kind}_bins", {"bins": [], "counts": []})
        assert (sum(binned["counts"]), binned["bins"]) == (len(values), sorted(set(binned["bins"])))
        assert (binned["counts"][0] if binned["bins"][:1] == [0] else 0) == values.count(0)
        for percent in percents:
            figure = body["kpis"].get(f"{name}_p{percent}")
            assert (figure is None) == (not values), (name, percent)
            if figure is not None:
                rank = max(1, ceil(Fraction(percent, 100) * len(values)))
                assert (figure["numerator"], figure["denominator"], figure["n"]) == (rank, len(values), len(values))
                assert abs(1000 * figure["value"] - values[rank - 1]) <= values[rank - 1] / 100
                assert figure["ci_low"] <= figure["value"]
                assert figure["ci_high"] is None or figure["value"] <= figure["ci_high"] <= 1.01 * values[-1] / 1000


def window_start(window: str, grid_ms: int, zone: str = "UTC", month_starts_on: int = 1) -> int:
    """Where the window that ends at the grid point begins."""
    if window in _MINUTES:
        width, edge = (round(minutes * 60_000) for minutes in _MINUTES[window])
        return (grid_ms - width) // edge * edge
    day = datetime.fromtimestamp(grid_ms / 1000, ZoneInfo(zone)).date() - timedelta(days=_DAYS.get(window, 0))
    while window == "month" and day.day != month_starts_on:
        day -= timedelta(days=1)
    return day_bounds(day.isoformat(), zone)[0]


@cache
def day_bounds(date: str, zone: str) -> tuple[int, int]:
    """Midnight to midnight in the zone, found by walking over the hours in UTC."""
    first = datetime.fromisoformat(f"{date}T00:00:00+00:00") - timedelta(hours=20)
    quarters = (first + timedelta(minutes=15 * step) for step in range(4 * 70))
    inside = [round(at.timestamp() * 1000) for at in quarters if at.astimezone(ZoneInfo(zone)).date().isoformat() == date]
    return inside[0], inside[-1] + 900_000


def waiting(events: Iterable[Event], partner: str, scope: str) -> list[int]:
    """Since when contacts wait, oldest first: those with an opening and no close, in any order of delivery."""
    gone = ("contact.answered", "contact.abandoned", "contact.completed", "contact.left")
    mine = [event for event in events if event["partner_id"] == partner and event.get("contact_id")]
    closed = {event["contact_id"] for event in mine if event["type"] in gone}
    return sorted(
        event["occurred_at"]
        for event in mine
        if event["type"] == "contact.queued" and event["contact_id"] not in closed and in_scope(event, scope)
    )
