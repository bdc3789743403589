"""What a record of the topics does to the view: Redis commands. Pure."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from models.errors import PolicyError
from models.policy_record import CURRENT, decode_policy
from models.topics import BROADCAST, Topics
from models.view import TRANSITIONS_MAX, Keys
from models.windows import DAY_MS, parse_record_key
from streams.projector.totals import Totals

__all__ = ["Command", "Projection", "Record", "UnreadableError"]

Command = tuple[str | bytes | int, ...]
"""A Redis command with its arguments."""

DAYS_KEPT_SECONDS: Final = 760 * DAY_MS // 1000
"""As long as `outwatch.rollups.1d` keeps them: a record that retention removed from the topic leaves no tombstone."""


class UnreadableError(ValueError):
    """Raised when a record of our own topics makes no sense; the view goes on without it."""


class Record(NamedTuple):
    """What counts of a Kafka record; a `value` of None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class Projection:
    """Turns records into commands, and keeps the totals of what it saw."""

    def __init__(self, topics: Topics, keys: Keys, totals: Totals) -> None:
        self._keys = keys
        self._totals = totals
        self._of_topic: dict[str, Callable[[Record], list[Command]]] = {
            topics.kpis: self._figures,
            topics.rollups_1d: self._day,
            topics.alerts: self._transition,
            topics.alerts_state: self._alert,
            topics.heartbeats: self._heartbeat,
            topics.policies: self._policy,
        }

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that the view is made of."""
        return tuple(self._of_topic)

    def go_on_with(self, totals: Totals) -> None:
        """Forget what was summed, for what the view holds."""
        self._totals = totals

    def totals(self) -> list[Command]:
        """The commands for the totals that changed since the last call."""
        return [_set_or_delete(self._keys.totals, window.encode(), total) for window, total in self._totals.drain().items()]

    def project(self, record: Record) -> list[Command]:
        """The commands of one record.

        Raises:
            UnreadableError: if it makes no sense.
        """
        try:
            return self._of_topic[record.topic](record)
        except (PolicyError, ValueError, KeyError, TypeError) as error:
            msg = f"{type(error).__name__}: {error}"
            raise UnreadableError(msg) from error

    def _figures(self, record: Record) -> list[Command]:
        partner, scope, window = parse_record_key(record.key.decode())
        if scope.dimension == "all":
            self._totals.put(window, partner, None if record.value is None else orjson.loads(record.value))
        return [_set_or_delete(self._keys.figures(window, scope.dimension), record.key, record.value)]

    def _day(self, record: Record) -> list[Command]:
        _, _, date = parse_record_key(record.key.decode())
        key = self._keys.day(date)
        return [_set_or_delete(key, record.key, record.value), ("EXPIRE", key, DAYS_KEPT_SECONDS)]

    def _alert(self, record: Record) -> list[Command]:
        kind, _, identity = record.key.partition(b"/")
        if identity:
            return [_set_or_delete(self._keys.notices(kind.decode()), identity, record.value)]
        return [_set_or_delete(self._keys.alerts, record.key, record.value)]

    def _transition(self, record: Record) -> list[Command]:
        event: dict[str, Any] = orjson.loads(record.value or b"null")
        if "outcome" in event:
            return []  # What came of a command stands in the same topic.
        key = self._keys.transitions
        return [
            ("ZADD", key, int(event["processed_at"]), record.value or b""),
            ("ZREMRANGEBYRANK", key, 0, -TRANSITIONS_MAX - 1),
        ]

    def _heartbeat(self, record: Record) -> list[Command]:
        return [_set_or_delete(self._keys.heartbeats, b"%d" % record.partition, record.value)]

    def _policy(self, record: Record) -> list[Command]:
        # The shared part stands in every partition; one of them is enough, and keeps two that are read apart from overtaking.
        if not record.key.endswith(b"/" + CURRENT.encode()) or (record.key.startswith(BROADCAST.encode()) and record.partition):
            return []
        change = decode_policy(record.key, record.value)
        if change.partner != BROADCAST:
            self._totals.configure(change.partner, configured=record.value is not None)
        return [_set_or_delete(self._keys.policies, change.partner.encode(), record.value)]


def _set_or_delete(key: str, field: bytes, value: bytes | None) -> Command:
    return ("HDEL", key, field) if value is None else ("HSET", key, field, value)
