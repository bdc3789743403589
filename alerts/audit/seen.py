"""What the topics said, as far as the audit asks for it; everything is bounded, and what is left out is counted."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

from alerts.audit.book import Book
from models.notices import OverrideState
from models.windows import HOUR_MS

__all__ = ["HELD_MAX", "PAST_MS", "Alert", "Beat", "Incident", "Intent", "Seen"]

HELD_MAX: Final = 100_000
"""Of each kind: alerts, incidents, pages, results."""
PAST_MS: Final = 25 * HOUR_MS
"""How far back pages and their results are read: an end that cannot be delivered is given up after a day."""

_ALIVE: Final = frozenset({"firing", "recovering"})

Json = Mapping[str, Any]
"""A record as JSON gives it: a newer release may have put more into it."""
K = TypeVar("K")
V = TypeVar("V")


class Beat(NamedTuple):
    """A partition's newest heartbeat."""

    as_of_ms: int
    frontier_ms: int
    evaluated_ms: int
    worker: str


class Alert(NamedTuple):
    """One that is open, or ended a moment ago; times are stream times."""

    partition: int
    partner: str
    rule: str
    scope: str
    episode: str | None
    open: bool
    fired_ms: int
    ended_ms: int | None


class Incident(NamedTuple):
    """One that is open, or that somebody closed although its alerts go on."""

    partition: int
    partner: str
    text: str
    open: bool
    stuck: bool
    """Whether nothing will become of it although nobody looks after it and somebody should be told."""
    exhausted: bool
    due_ms: int | None
    opened_ms: int
    as_of_ms: int
    alerts: tuple[tuple[str, str], ...]
    """Fingerprint and episode of those that have not ended."""


class Intent(NamedTuple):
    """A page without a result."""

    partner: str
    incident: str
    kind: str
    receiver: str
    processed_ms: int


class Seen:
    """What is known; `looked_ms` is the wall clock when the topics were last read to their end.

    Args:
        started_ms: since when it is looked; 0 gives nothing that was never there any time to come.
    """

    def __init__(self, started_ms: int) -> None:
        self.started_ms = started_ms
        self.looked_ms: int | None = None
        self.notifier_ms = started_ms
        """When a notifier was last there."""
        self.obstacle = ""
        """Why the topics could not be read the last time."""
        self.dropped = 0
        """What found no room."""
        self.book = Book()
        self.beats: dict[int, Beat] = {}
        self.alerts: dict[str, Alert] = {}
        self.incidents: dict[str, Incident] = {}
        self.intents: dict[str, Intent] = {}
        self._answered: OrderedDict[str, int] = OrderedDict()
        """Results that were read before their page."""
        self._overrides: dict[str, OverrideState] = {}

    @property
    def overrides(self) -> tuple[OverrideState, ...]:
        """Who is on call in place of others."""
        return tuple(self._overrides.values())

    def heartbeat(self, partition: int, body: Json) -> None:
        """Take a record of `outwatch.heartbeats`."""
        self.beats[partition] = Beat(body["as_of"], body["frontier"], body["evaluated_to"], body["worker"])

    def alert(self, partition: int, fingerprint: str, body: Json | None) -> None:
        """Take a record of `outwatch.alerts.state` that is an alert's."""
        if body is None or body["fired_at"] is None:
            self.alerts.pop(fingerprint, None)
            return
        lives = body["state"] in _ALIVE
        alert = Alert(
            partition, body["partner"], body["rule"]["id"], body["scope"], body["episode"], lives, body["fired_at"], body["ended_at"]
        )
        self._hold(self.alerts, fingerprint, alert)

    def override(self, identity: str, body: Json | None) -> None:
        """Take one that is an override's."""
        self._overrides.pop(identity, None)
        if body is not None:
            self._hold(self._overrides, identity, OverrideState.model_validate(body))
        self.book.changed()

    def incident(self, partition: int, identity: str, body: Json | None) -> None:
        """Take a record of `outwatch.incidents`."""
        self.incidents.pop(identity, None)
        if body is None:
            return
        is_open = body["ended_at"] is None
        alerts = tuple((each["fingerprint"], each["episode"]) for each in body["members"] if each.get("ended_at") is None)
        if not is_open and (body["resolved_by"] is None or not alerts):
            return
        stuck = is_open and _is_stuck(body)
        exhausted, due_ms = body["stage"] == "exhausted", body["due_at"]
        times = due_ms, body["opened_at"], body["as_of"]
        incident = Incident(partition, body["partner"], body["text"], is_open, stuck, exhausted, *times, alerts)
        self._hold(self.incidents, identity, incident)

    def intent(self, body: Json) -> None:
        """Take a record of `outwatch.notifications`."""
        if self._answered.pop(body["id"], None) is None:
            intent = Intent(body["partner"], body["incident"], body["kind"], body["receiver"]["id"], body["processed_at"])
            self._hold(self.intents, body["id"], intent)

    def result(self, notification: str, at_ms: int) -> None:
        """Take a `notification.result` that was written at `at_ms`."""
        if self.intents.pop(notification, None) is None:
            self._hold(self._answered, notification, at_ms)

    def looked(self, at_ms: int) -> None:
        """Everything was read that stood there at `at_ms`."""
        self.looked_ms, self.obstacle = at_ms, ""
        over_ms = at_ms - PAST_MS
        for identity in [identity for identity, each in self.intents.items() if each.processed_ms < over_ms]:
            del self.intents[identity]
        while self._answered and next(iter(self._answered.values())) < over_ms:
            self._answered.popitem(last=False)

    def _hold(self, held: dict[K, V], key: K, value: V) -> None:
        if len(held) >= HELD_MAX and key not in held:
            self.dropped += 1
        else:
            held[key] = value


def _is_stuck(body: Json) -> bool:
    """Whether an open incident stands without an end to its waiting."""
    if body["due_at"] is not None or body["stage"] == "exhausted":
        return False
    if body["held"] is not None:
        # An acknowledgement may last as long as the incident, a snooze may not.
        return bool(body["held"]["what"] == "snoozed")
    # While all its alerts are suppressed nobody is to be told; each end of that is an event.
    return any(each.get("ended_at") is None and not each.get("suppressed_by") for each in body["members"])
