"""Dead letters and late records: what could not be counted, kept with its bytes, coordinates and reason."""

from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

from models.masking import mask_json
from models.reasons import LateReason, RejectReason
from streams.engine.output import Output

__all__ = ["Origin", "SourceRecord", "dead_letter", "late_record"]

_BYTES_MAX: Final = 900_000
"""A longer value is cut, so that the letter itself is not refused; its length and hash are kept."""
_ERROR_CHARS_MAX: Final = 8_000


class SourceRecord(Protocol):
    """What the engine reads of a record, as aiokafka's reader of batches makes it; where it was read from is the run's to say."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any
    """A sequence of (str, bytes)."""


class Origin(NamedTuple):
    """Where a run was read from."""

    topic: str
    partition: int


def dead_letter(
    topic: str, origin: Origin, record: SourceRecord, reason: RejectReason, error: str, now_ms: int, *, mask: bool = False
) -> Output:
    """The letter of a record that could not be read; with `mask`, without what is personal in it."""
    return _kept(topic, origin, record, "dlq", reason, error, now_ms, mask=mask)


def late_record(
    topic: str, origin: Origin, record: SourceRecord, reason: LateReason, error: str, now_ms: int, *, mask: bool = False
) -> Output:
    """A readable record that came too late for the ledger; with `mask`, without what is personal in it."""
    return _kept(topic, origin, record, "late", reason, error, now_ms, mask=mask)


def _kept(topic: str, origin: Origin, record: SourceRecord, prefix: str, reason: str, error: str, now_ms: int, *, mask: bool) -> Output:
    value = record.value
    # Where it was replayed from stays, so that what fails again can be followed back.
    headers = [(name, content) for name, content in record.headers if not name.startswith(f"{prefix}.") or name == "dlq.replayed-from"]
    masked = mask_json(value) if mask and value is not None else None
    if masked is not None and masked.names:
        value, error = masked.value, masked.redact(error)
        headers.append((f"{prefix}.masked", ",".join(masked.names).encode("utf-8", "replace")))
    headers += [
        (f"{prefix}.topic", origin.topic.encode()),
        (f"{prefix}.partition", b"%d" % origin.partition),
        (f"{prefix}.offset", b"%d" % record.offset),
        (f"{prefix}.reason", reason.encode()),
        (f"{prefix}.error", error[:_ERROR_CHARS_MAX].encode("utf-8", "replace")),
        (f"{prefix}.failed-at", b"%d" % now_ms),
    ]
    if value is not None and len(value) > _BYTES_MAX:
        headers += [(f"{prefix}.length", b"%d" % len(value)), (f"{prefix}.sha256", sha256(value).hexdigest().encode())]
        value = value[:_BYTES_MAX]
    return Output(topic, record.key, value, headers)
