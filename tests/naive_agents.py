"""What agents count, computed again in the plainest way: by asking what was so at each moment between two that anything was told of.

Shares no code with the engine. Time counts up to the last closed grid point, service up to the last full quarter of an hour.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

__all__ = ["measures", "staffed"]

Event = dict[str, Any]
_DOINGS = ("offline", "available", "on_contact", "wrap", "break", "training")
_WORKS = {"on_contact": "contact_ms", "wrap": "contact_ms", "available": "idle_ms"}
_KEEPS = {"contacts": tuple(_WORKS), "break": ("break",), "training": ("training",)}
_QUARTER = 900_000
_FOREVER = 2**60


def _place(event: Event) -> tuple[str, ...]:
    """Which of two that were told at once holds, if nothing else decides."""
    return tuple(event.get(field, "") for field in ("queue", "channel", "site", "team"))


def _rank(event: Event) -> tuple[Any, ...]:
    return _DOINGS.index(event["state"]), *_place(event)


def _state(told: list[Event], at: int, expiry: int) -> Event | None:
    """The state that holds at a moment; None where none was told or it expired."""
    before = [each for each in told if each["type"] == "agent.state" and each["occurred_at"] <= at]
    if not before:
        return None
    last = max(before, key=lambda each: (each["occurred_at"], _rank(each)))
    return last if at < last["occurred_at"] + expiry else None


def _stamp(event: Event) -> int:
    return int(event["updated_at"] if "updated_at" in event else event["occurred_at"])


def _shift(told: list[Event], at: int) -> Event | None:
    """The schedule that holds at a moment: none that something newer overlaps anywhere, and the one that began last."""
    shifts = [each for each in told if each["type"] == "agent.scheduled"]
    found = None
    for each in shifts:
        newer = [other for other in shifts if _stamp(other) > _stamp(each)]
        overlapped = any(other["from"] < each["to"] and each["from"] < other["to"] for other in newer)
        if each["from"] <= at < each["to"] and not overlapped:
            found = each if found is None or _later(each) > _later(found) else found
    return None if found is None or found["activity"] == "offline" else found


def _later(shift: Event) -> tuple[Any, ...]:
    activity = ("offline", "contacts", "", "", "break", "training").index(shift["activity"])
    return shift["from"], -shift["to"], activity, *_place(shift)


def _time(told: list[Event], expiry: int, closed: int) -> Iterator[tuple[Event, int, int, str]]:
    """Stretches of time, each with the event whose queue and channel it counts in: (event, from, to, measure)."""
    edges = {closed}
    for each in told:
        if each["type"] == "agent.state":
            edges |= {each["occurred_at"], each["occurred_at"] + expiry}
        elif each["type"] == "agent.scheduled":
            edges |= {each["from"], each["to"]}
    for start, end in pairwise(sorted(edge for edge in edges if edge <= closed)):
        state, shift = _state(told, start, expiry), _shift(told, start)
        if state is not None and state["state"] in _WORKS:
            yield state, start, end, _WORKS[state["state"]]
        if shift is not None:
            yield shift, start, end, "scheduled_ms"
            if state is not None and state["state"] in _KEEPS[shift["activity"]]:
                yield shift, start, end, "adherent_ms"


def _expired(told: list[Event], expiry: int) -> Iterator[tuple[Event, int, str]]:
    states = [each for each in told if each["type"] == "agent.state"]
    for at in {each["occurred_at"] for each in states}:
        state = _state(states, at, expiry)
        assert state is not None
        followed = any(at < each["occurred_at"] <= at + expiry for each in states)
        if state["state"] != "offline" and not followed:
            yield state, at + expiry, "agents_expired"


def _service(told: list[Event]) -> Iterator[tuple[Event, int, int, str]]:
    """Time on the staff, and leavings as stretches of no length."""
    marks = [each for each in told if each["type"] in ("agent.joined", "agent.left")]
    marks.sort(key=lambda each: (each["occurred_at"], each["type"] == "agent.joined", *_place(each)))
    kinds = [each["type"] for each in marks]
    for at, mark in enumerate(marks):
        first = at == 0 or kinds[at - 1] != kinds[at]
        if mark["type"] == "agent.joined" and first:
            yield (
                mark,
                mark["occurred_at"],
                next((each["occurred_at"] for each in marks[at:] if each["type"] == "agent.left"), _FOREVER),
                "",
            )
        elif mark["type"] == "agent.left" and first:
            since = next((before for before in range(at - 1, -1, -1) if kinds[before] == "agent.left"), -1) + 1
            yield marks[since], mark["occurred_at"], mark["occurred_at"], "agents_left"


def _courses(told: list[Event]) -> Iterator[tuple[Event, int, str]]:
    for course in {each["course"] for each in told if "course" in each}:
        marks = [each for each in told if each.get("course") == course]
        marks.sort(key=lambda each: (each["occurred_at"], each.get("due_at", 2**60), *_place(each)))
        dues = [at for at, each in enumerate(marks) if each["type"] == "training.due"]
        for at in dues:
            due_at = marks[at]["due_at"]
            after = next(iter(marks[at + 1 :]), None)
            done = after is not None and after["type"] == "training.done"
            put_off = after is not None and not done and after["occurred_at"] <= due_at
            if not put_off:
                yield marks[at], due_at, "trainings_due"
                if done and after is not None and after["occurred_at"] <= due_at:
                    yield marks[at], due_at, "trainings_done"


def measures(events: Iterable[Event], partner: str, scope: str, start: int, end: int, closed: int, expiry: int) -> dict[str, int]:
    """What agents count in [start, end) once the grid point `closed` was closed, zeros left out."""
    counted: Counter[str] = Counter()
    dimension, _, name = scope.partition("=")
    quarter = closed - closed % _QUARTER
    mine = [each for each in events if each["partner_id"] == partner and "agent_id" in each]
    for agent in {each["agent_id"] for each in mine}:
        told = [each for each in mine if each["agent_id"] == agent]
        points = [*_expired(told, expiry), *_courses(told)]
        for event, at, what in points:
            if scope == "all" or event.get(dimension) == name:
                counted[what] += start <= at < min(end, closed)
        for event, first, last, what in _time(told, expiry, closed):
            if scope == "all" or event.get(dimension) == name:
                counted[what] += max(0, min(last, end) - max(first, start))
        for event, first, last, what in _service(told):
            if scope == "all" or event.get(dimension) == name:
                if what:
                    counted[what] += start <= first < min(end, quarter)
                else:
                    counted["headcount_ms"] += _quarters(first, min(last, quarter), start, end)
    return {what: count for what, count in counted.items() if count}


def _quarters(first: int, last: int, start: int, end: int) -> int:
    """The time in [first, last) of the quarters of an hour that begin in [start, end)."""
    low, high = -(-start // _QUARTER) * _QUARTER, -(-end // _QUARTER) * _QUARTER
    return max(0, min(last, high) - max(first, low))


def staffed(events: Iterable[Event], partner: str, scope: str, at: int, expiry: int) -> tuple[int, int]:
    """How many agents are there just before a moment, and how many of them are available."""
    dimension, _, name = scope.partition("=")
    mine = [each for each in events if each["partner_id"] == partner and each["type"] == "agent.state"]
    there = available = 0
    for agent in {each["agent_id"] for each in mine}:
        state = _state([each for each in mine if each["agent_id"] == agent], at - 1, expiry)
        if state is not None and state["state"] != "offline" and (scope == "all" or state.get(dimension) == name):
            there += 1
            available += state["state"] == "available"
    return there, available
