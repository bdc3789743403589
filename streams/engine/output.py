"""What an engine hands over to be written: records for readers, and the commit that holds everything together."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from models.records import SCHEMA_VERSION

__all__ = ["Budget", "Commit", "Headers", "Output", "cloudevent"]

Headers = list[tuple[str, bytes]]

_FIXED: Final = (
    ("ce_specversion", b"1.0"),
    ("content-type", b"application/json"),
    ("schema_version", SCHEMA_VERSION.encode()),
)


class Output(NamedTuple):
    """A record to be written to the partition of the engine that made it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(slots=True)
class Budget:
    """What an engine may publish in one commit; transitions, letters and heartbeats are not counted."""

    records: int
    bytes: int

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be begun."""
        return self.records <= 0 or self.bytes <= 0

    def spend(self, output: Output) -> None:
        """Count one record."""
        self.records -= 1
        self.bytes -= len(output.value or b"")

    def after(self, former: "Budget") -> "Budget":
        """The same, less what `former` was overdrawn by: what is begun is written whole, and paid for later."""
        return Budget(self.records + min(0, former.records), self.bytes + min(0, former.bytes))


@dataclass(frozen=True, slots=True)
class Commit:
    """What goes into one transaction: rows of the state, records, and the source offsets to be read next, by topic."""

    sequence: int
    rows: list[tuple[bytes, bytes | None]]
    records: list[Output]
    offsets: dict[str, int]
    transitions: list[dict[str, str]]
    """Of each alert that changed the partner, scope, rule, from, to, kind and reason, for the log once it is committed."""


def cloudevent(topic: str, kind: str, source: str, subject: str, key: str, identity: str, body: dict[str, Any] | bytes | None) -> Output:
    """A record in CloudEvents' binary mode, of a body or what it is as JSON; without one, a tombstone."""
    headers: Headers = [*_common(kind, source), ("ce_id", identity.encode()), ("ce_subject", subject.encode())]
    return Output(topic, key.encode(), orjson.dumps(body) if isinstance(body, dict) else body, headers)


@lru_cache(maxsize=256)
def _common(kind: str, source: str) -> tuple[tuple[str, bytes], ...]:
    """The headers that all records of a kind have, of one engine."""
    return (*_FIXED, ("ce_source", source.encode()), ("ce_type", f"outwatch.{kind}".encode()))
