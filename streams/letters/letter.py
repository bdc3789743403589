"""A dead letter, and the marker of one that was replayed, as their records on `outwatch.dead-letters` say them. Pure.

A marker lies in the partition of its letter and after it. Kafka deletes by age from the start of a partition only, so there is never
a letter whose marker is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, Self

from models.decode import decode_one
from models.masking import mask_json
from models.reasons import RejectReason

__all__ = ["REPLAYED_FROM", "Coordinates", "Headers", "Letter", "Marker", "Record", "read_record"]

Headers = Sequence[tuple[str, bytes]]

REPLAYED_FROM = "dlq.replayed-from"
"""Header of a replayed record and of its marker: the coordinates of the letter."""


class Record(Protocol):
    """What is read of a Kafka record, as aiokafka hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any
    """A sequence of (str, bytes)."""


class Coordinates(NamedTuple):
    """Where a record stands, written `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The coordinates that `text` says.

        Raises:
            ValueError: if it says none.
        """
        topic, partition, offset = text.rsplit("/", 2)
        if not (topic and partition.isdecimal() and offset.isdecimal()):
            msg = f"no coordinates: {text!r}"
            raise ValueError(msg)
        return cls(topic, int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that did not count, and why."""

    at: Coordinates
    """Of the letter itself."""
    source: Coordinates
    """Where the record was read that did not count."""
    reason: str
    """A `RejectReason`; a text, since another release may have written it."""
    error: str
    failed_at_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    """Of the record that did not count."""
    partner: str | None
    """Whose it is: by its key, or by the event itself where the key was missing or another; None if neither says it."""
    length: int
    """Of its value, in bytes; more than `value` has where that was cut."""
    cut: bool
    """Whether a part of the value is lost."""
    masked: str = ""
    """The fields that were masked before the letter was written."""
    replayed_from: str = ""
    """The coordinates of the letter that this record was replayed from, where it failed again."""

    def without_value(self) -> "Letter":
        """The same for a list: without the value, and without what its error repeats of what is personal in it."""
        masked = None if self.value is None else mask_json(self.value)
        return replace(self, value=None, error=self.error if masked is None else masked.redact(self.error))


class Marker(NamedTuple):
    """Says that a letter was replayed."""

    of: Coordinates


def read_record(record: Record) -> Letter | Marker | None:
    """What a record of `outwatch.dead-letters` is; None if no release of ours wrote it."""
    own = {name: content.decode(errors="replace") for name, content in record.headers if name.startswith("dlq.") and content}
    at = Coordinates(record.topic, record.partition, record.offset)
    try:
        if "dlq.reason" not in own:
            return Marker(Coordinates.parse(own[REPLAYED_FROM]))
        return Letter(
            at=at,
            source=Coordinates(own["dlq.topic"], int(own["dlq.partition"]), int(own["dlq.offset"])),
            reason=own["dlq.reason"],
            error=own.get("dlq.error", ""),
            failed_at_ms=int(own["dlq.failed-at"]),
            key=record.key,
            value=record.value,
            headers=[(name, content) for name, content in record.headers if not name.startswith("dlq.")],
            partner=_partner(record, own["dlq.reason"]),
            length=int(own.get("dlq.length", len(record.value or b""))),
            cut="dlq.length" in own,
            masked=own.get("dlq.masked", ""),
            replayed_from=own.get(REPLAYED_FROM, ""),
        )
    except (KeyError, ValueError):
        return None


def _partner(record: Record, reason: str) -> str | None:
    if reason in {RejectReason.NO_KEY, RejectReason.MISROUTED}:
        return getattr(decode_one(record.value, record.headers), "partner_id", None)
    try:
        return None if record.key is None else record.key.decode()
    except UnicodeDecodeError:
        return None
