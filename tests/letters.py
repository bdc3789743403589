"""Dead letters as workers write them."""

from typing import Any

import orjson

from models.reasons import RejectReason
from models.topics import Topics
from streams.engine.letters import Origin, dead_letter
from tests.engines import Record

__all__ = ["AT_MS", "letter_record", "value_of"]

AT_MS = 1_700_000_000_000


def value_of(identity: str, partner: str = "acme", **fields: Any) -> bytes:
    event = {"type": "contact.queued", "event_id": identity, "partner_id": partner, "occurred_at": AT_MS, "contact_id": identity}
    return orjson.dumps(event | fields)


def letter_record(
    value: bytes | None,
    reason: RejectReason = RejectReason.BUG,
    *,
    key: bytes | None = b"acme",
    offset: int = 7,
    partition: int = 1,
    topic: str = "cx.interactions",
    at_ms: int = AT_MS,
    error: str = "Traceback",
    topics: Topics = Topics(),  # noqa: B008 - frozen
    mask: bool = False,
) -> Record:
    """The letter, as its reader gets it, of a record that carried a header of its own."""
    failed = Record(topic, partition, offset, at_ms, key, value, [("trace", b"t-1")])
    written = dead_letter(topics.dead_letters, Origin(topic, partition), failed, reason, error, at_ms, mask=mask)
    return Record(written.topic, partition, 100 + offset, at_ms, written.key, written.value, written.headers)
