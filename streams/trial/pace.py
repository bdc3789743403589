"""Events at an even pace: the same file makes the same events."""

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Any, Final

from models.windows import MINUTE_MS
from streams.trial.suite import EventsSpec

__all__ = ["EVENTS_MAX", "count_of", "events_of", "example_event"]

EVENTS_MAX: Final = 200_000
"""Of a test."""


def count_of(spec: EventsSpec) -> int:
    """How many events it makes."""
    return max(0, -int(-(spec.to_ms - spec.from_ms) * spec.a_minute // MINUTE_MS))


def example_event(partner: str, said: dict[str, Any]) -> dict[str, Any]:
    """One such event."""
    return _event(partner, said, 0, "0")


def events_of(specs: Sequence[EventsSpec], partner: str, start_ms: int) -> Iterator[dict[str, Any]]:
    """All of them in the order of their times."""
    return merge(*(_paced(spec, partner, start_ms, f"{at}") for at, spec in enumerate(specs)), key=lambda each: each["occurred_at"])


def _paced(spec: EventsSpec, partner: str, start_ms: int, name: str) -> Iterator[dict[str, Any]]:
    shares = [float(each.get("share", 1)) for each in spec.of]
    whole, came = sum(shares), [0] * len(shares)
    for number in range(count_of(spec)):
        # Whoever is furthest behind its share is next, so that every stretch holds all in their proportions.
        due = [share / whole * (number + 1) - have for share, have in zip(shares, came, strict=True)]
        at = due.index(max(due))
        came[at] += 1
        at_ms = start_ms + spec.from_ms + int(number * MINUTE_MS / spec.a_minute)
        yield _event(partner, spec.of[at], at_ms, f"{name}-{number}")


def _event(partner: str, said: dict[str, Any], at_ms: int, identity: str) -> dict[str, Any]:
    own = {name: value for name, value in said.items() if name != "share"}
    return {"event_id": identity, "contact_id": identity, "partner_id": partner, "occurred_at": at_ms, **own}
