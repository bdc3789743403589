"""Weeks of an engine's life: contacts by the hour, so that it learns what is usual."""

from collections.abc import Callable
from functools import cache
from typing import Any

from models.policy import PartnerPart, SharedPart
from streams.engine import Output
from tests.engines import SECOND, Rig, event, partner_part, shared_part
from tests.stories import DAY, HOUR, MINUTE

__all__ = ["MONDAY_MS", "SETTLED", "after", "contacts", "live", "office", "usual_hour", "written"]

MONDAY_MS = 1_749_427_200_000
"""2025-06-09 00:00 UTC."""
SETTLED = 6 * SECOND
"""By then the grid point of before is judged."""


def contacts(at_ms: int, count: int, *, late: int = 0, **fields: Any) -> list[dict[str, Any]]:
    """So many answered contacts, evenly over 50 minutes; the first of them waited too long."""
    step = 50 * MINUTE // max(1, count)
    return [
        event(
            "contact.answered", at_ms + number * step, f"c{at_ms}-{number}-{fields}", wait_seconds=90.0 if number < late else 5.0, **fields
        )
        for number in range(count)
    ]


def live(rig: Rig, begin_ms: int, hours: int, told: Callable[[int], list[dict[str, Any]]]) -> int:
    """Let the hours pass from `begin_ms` on, in each of which is `told` what happened; when they end.

    What an hour holds arrives at its end, as if it had come in time: nothing is judged before.
    """
    for hour in range(hours):
        at_ms = begin_ms + hour * HOUR
        bodies = told(at_ms)
        if not bodies:
            continue
        rig.to(at_ms + SETTLED)
        for body in bodies:
            rig.send(body, at_ms=max(at_ms + SETTLED, body["occurred_at"]))
        rig.to(max(body["occurred_at"] for body in bodies) + SETTLED)
    rig.to(begin_ms + hours * HOUR + SETTLED)
    return begin_ms + hours * HOUR


def office(at_ms: int) -> bool:
    """Whether a partner works that is there from 08:00 to 13:00 UTC from Monday to Friday."""
    hour = (at_ms - MONDAY_MS) // HOUR
    return hour // 24 % 7 < 5 and 8 <= hour % 24 < 13


def usual_hour(at_ms: int) -> list[dict[str, Any]]:
    """28 to 32 contacts in an hour of work, of which 2 to 4 waited too long."""
    week = (at_ms - MONDAY_MS) // (7 * DAY)
    return contacts(at_ms, 30 + week * 7 % 5 - 2, late=2 + week % 3, queue="billing") if office(at_ms) else []


@cache
def _lived(weeks: int) -> Rig:
    if weeks == 0:
        rig = Rig()
        rig.policy(shared_part(), partner_part(), at_ms=MONDAY_MS)
        rig.to(MONDAY_MS)
        return rig
    rig = _copy(_lived(weeks - 1))
    live(rig, MONDAY_MS + (weeks - 1) * 7 * DAY, 168, usual_hour)
    return rig


def _copy(lived: Rig) -> Rig:
    logs = {topic: list(log) for topic, log in lived.logs.items()}
    rig = Rig(changelog=dict(lived.changelog), logs=logs, now_ms=lived.now_ms)
    rig.crash()
    return rig


def written(weeks: int) -> list[Output]:
    """What was written in so many weeks of `usual_hour`."""
    return [output for week in range(weeks + 1) for output in _lived(week).written]


def after(weeks: int, *parts: SharedPart | PartnerPart) -> tuple[Rig, int]:
    """A rig of its own that lived so many weeks of `usual_hour`, under a policy from then on, and when that is."""
    rig, at_ms = _copy(_lived(weeks)), MONDAY_MS + weeks * 7 * DAY
    rig.policy(*(parts or (shared_part(),)), partner_part(), at_ms=at_ms + SETTLED)
    rig.to(at_ms + MINUTE)
    return rig, at_ms
