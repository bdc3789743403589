"""Events into the source topics: each record in its partner's partition, in the order in which it was put.

Records carry no time of their own: the topics stamp their arrival. A record that bore an event's time would be deleted by it, so
that a replayed month would vanish while it is read.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import orjson
from aiokafka import AIOKafkaProducer

from models.settings import Settings
from models.topics import partition_of
from streams.batches import Record, send_in_batches
from streams.connection import kafka
from streams.delivery import Source
from streams.errors import TopicsError

__all__ = ["MAX_BUFFERED", "Feed"]

MAX_BUFFERED: Final = 5_000
"""Records that are worth a flush; who puts more without one only uses more memory."""

_MAX_RECORD_BYTES: Final = 6 << 20


class Feed:
    """A writer of events and of the stream's clock.

    `put` and `advance` only buffer; `flush` returns when the brokers have acknowledged everything. The order in a partition is the
    order of the calls, also across flushes and retries (an idempotent producer).
    """

    def __init__(self, settings: Settings, sources: Sequence[Source]) -> None:
        self._settings = settings
        self._topics = {source: str(getattr(settings.topics, source)) for source in sources}
        self._partitions: dict[str, int] = {}
        self._buffers: dict[tuple[str, int], list[Record]] = {}
        self._producer: AIOKafkaProducer
        self.buffered = 0

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            TopicsError: if a topic has not as many partitions as the settings say.
            aiokafka.errors.KafkaConnectionError: if no broker answers.
        """
        self._producer = AIOKafkaProducer(
            **kafka(self._settings),
            enable_idempotence=True,
            max_batch_size=_MAX_RECORD_BYTES,
            max_request_size=_MAX_RECORD_BYTES,
            # Batches are made here, so there is nothing to wait for.
            linger_ms=0,
        )
        try:
            await self._producer.start()
            for topic in self._topics.values():
                self._check(topic, len(await self._producer.partitions_for(topic)))
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect; what was not flushed is not written."""
        await self._producer.stop()

    def _check(self, topic: str, have: int) -> None:
        if have != self._settings.partitions:
            msg = f"{topic} has {have} partitions, OUTWATCH_PARTITIONS says {self._settings.partitions}: see `outwatch topics check`"
            raise TopicsError(msg)

    def put(self, source: Source, partner_id: str, value: bytes) -> None:
        """Write `value` to the partner's partition of a source topic."""
        partition = self._partitions.get(partner_id)
        if partition is None:
            partition = partition_of(partner_id, self._settings.partitions, self._settings.partitioner)
            self._partitions[partner_id] = partition
        self._append((self._topics[source], partition), partner_id.encode(), value)

    def advance(self, to_ms: int) -> None:
        """Say in every partition of the fed topics that everything before `to_ms` has been written (for `clock: log`)."""
        value = orjson.dumps({"type": "clock.advanced", "to": to_ms, "topics": list(self._topics.values())})
        for topic in self._topics.values():
            for partition in range(self._settings.partitions):
                self._append((topic, partition), None, value)

    def _append(self, at: tuple[str, int], key: bytes | None, value: bytes) -> None:
        self._buffers.setdefault(at, []).append((key, value, []))
        self.buffered += 1

    async def flush(self) -> None:
        """Write what is buffered and wait for its acknowledgement."""
        buffers, self._buffers, self.buffered = self._buffers, {}, 0
        await asyncio.gather(*(self._send(topic, partition, records) for (topic, partition), records in buffers.items()))

    async def _send(self, topic: str, partition: int, records: list[Record]) -> None:
        batches = await send_in_batches(self._producer, topic, partition, records)
        await asyncio.gather(*(batch.delivered for batch in batches))
