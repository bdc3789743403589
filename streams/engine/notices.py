"""Notices: silences, annotations and overrides, kept as rows of the state until they are over, and told beside the alerts."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar
from zlib import crc32

from models.notices import AnnotationState, OverrideState, SilenceState, notice_key
from models.topics import BROADCAST
from streams.engine import rows
from streams.engine.config import EngineConfig
from streams.engine.output import Output, cloudevent

__all__ = ["Notices"]

_Notice = TypeVar("_Notice", SilenceState, AnnotationState, OverrideState)


class Notices(Generic[_Notice]):
    """Of one kind, in one partition number."""

    def __init__(self, kind: str, model: type[_Notice], limit: int) -> None:
        self._kind = kind
        self._model: type[_Notice] = model
        self._limit = limit
        self.held: dict[str, _Notice] = {}
        """By id."""
        self._changed: dict[str, _Notice] = {}
        """What is not written yet, as it was last known; gone if it is not held."""

    def put(self, notice: _Notice) -> bool:
        """Keep it, in place of the one of its id; false where there are too many."""
        if notice.id not in self.held and len(self.held) >= self._limit:
            return False
        self.held[notice.id] = self._changed[notice.id] = notice
        return True

    def expire(self, over: Callable[[_Notice], bool]) -> None:
        """Forget what is over."""
        for identity in [identity for identity, notice in self.held.items() if over(notice)]:
            self._changed[identity] = self.held.pop(identity)

    def drain(self, config: EngineConfig, partition: int) -> Iterator[tuple[tuple[bytes, bytes | None], Output | None]]:
        """The row of each that changed since the last call, and its record where it is this partition's to write."""
        for identity, known in self._changed.items():
            body = known.model_dump(mode="json", by_alias=True, exclude_none=True) if identity in self.held else None
            record = None
            if known.partner != BROADCAST or crc32(identity.encode()) % config.partitions == partition:
                topic, key = config.topics.alerts_state, notice_key(self._kind, identity)
                record = cloudevent(topic, f"{self._kind}.state", config.source, known.partner, key, identity, body)
            yield (rows.key(self._kind, identity), None if body is None else rows.pack(body)), record
        self._changed.clear()

    def load(self, identity: str, body: rows.Json) -> None:
        """Take a stored row."""
        self.held[identity] = self._model.model_validate(body)
