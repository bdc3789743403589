"""What a compacted topic holds now, read to its end, as committed."""

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from models.settings import Settings
from streams.connection import kafka, stop_consumer
from streams.errors import TopicsError

__all__ = ["POLL_MS", "READ_SECONDS_MAX", "Present", "read_present"]

READ_SECONDS_MAX: Final = 30.0
POLL_MS: Final = 250

Present = dict[tuple[int, bytes], bytes]
"""By partition and key: the newest value."""


async def read_present(settings: Settings, topic: str) -> Present:
    """Everything on the topic.

    Raises:
        TopicsError: if the topic is missing or has not as many partitions as the settings say.
        KafkaTimeoutError: if the end is not reached in time.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    consumer = AIOKafkaConsumer(**kafka(settings), isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        await consumer.start()
        await _require(consumer, topic, settings.partitions)
        async with asyncio.timeout(READ_SECONDS_MAX):
            return await _read_to_end(consumer, [TopicPartition(topic, partition) for partition in range(settings.partitions)])
    except TimeoutError:
        msg = f"the end of {topic} was not reached in {READ_SECONDS_MAX:g} s"
        raise KafkaTimeoutError(msg) from None
    finally:
        await stop_consumer(consumer)


async def _require(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> None:
    # All topics are asked for: to ask for one by name makes it, on a cluster that creates topics by itself.
    if topic not in await consumer.topics():
        msg = f"{topic} does not exist: run `outwatch topics create`"
        raise TopicsError(msg)
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.position(TopicPartition(topic, 0))
    have = len(consumer.partitions_for_topic(topic) or ())
    if have != partitions:
        msg = f"{topic} has {have} partitions, OUTWATCH_PARTITIONS says {partitions}: see `outwatch topics check`"
        raise TopicsError(msg)


async def _read_to_end(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> Present:
    consumer.assign(places)
    stored: Present = {}
    ends = await consumer.end_offsets(places)
    for place in places:
        while await consumer.position(place) < ends[place]:
            for run in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in run:
                    at = (record.partition, record.key or b"")
                    if record.value is None:
                        stored.pop(at, None)
                    else:
                        stored[at] = record.value
    return stored
