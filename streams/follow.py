"""Following a topic from its end on, as committed."""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.settings import Settings
from streams.admin import require_topics
from streams.connection import kafka

__all__ = ["follow"]


async def follow(settings: Settings, topic: str) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Every record that is committed from now on, tombstones too.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaConnectionError: if no broker answers.
    """
    await require_topics(settings)
    consumer = AIOKafkaConsumer(**kafka(settings), isolation_level="read_committed", enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        async for record in consumer:
            yield record
    finally:
        await consumer.stop()
