"""How a record of the topics comes into what was seen."""

from typing import Any

import orjson

from alerts.audit.seen import Seen
from models.notices import OVERRIDE
from models.notifications import RESULT
from models.topics import Topics

__all__ = ["read_topics", "take"]

_RESULT = f'"{RESULT}"'.encode()


def read_topics(topics: Topics) -> tuple[str, ...]:
    """What the audit reads."""
    return topics.policies, topics.alerts_state, topics.incidents, topics.heartbeats, topics.notifications, topics.commands


def take(seen: Seen, topics: Topics, where: tuple[str, int], record: tuple[bytes, bytes | None], at_ms: int) -> None:
    """Take a record of topic and partition, by key and value, that was written at `at_ms`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it makes no sense; what was seen before stays.
    """
    (topic, partition), (key, value) = where, record
    if topic == topics.commands and _RESULT not in (value or b""):
        return  # What operators ask for may be large, and is not asked for here.
    body: Any = None if value is None else orjson.loads(value)
    match topic:
        case topics.heartbeats:
            seen.heartbeat(partition, body)
        case topics.incidents:
            seen.incident(partition, key.decode(), body)
        case topics.notifications:
            seen.intent(body)
        case topics.commands:
            if body["type"] == RESULT:
                seen.result(body["payload"]["notification"], at_ms)
        case topics.policies:
            seen.book.put(key, body)
        case topics.alerts_state:
            kind, slash, identity = key.decode().partition("/")
            if not slash:
                seen.alert(partition, kind, body)
            elif kind == OVERRIDE:
                seen.override(identity, body)
