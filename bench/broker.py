"""The broker's side: topics made and filled, and figures read back."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.load import Arrival, Measures, Truth
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create

PARTITIONS: Final = 4
_FIGURES_SECONDS_MAX: Final = 60.0


async def prepare(settings: Settings) -> None:
    """Make every topic.

    The first source topic keeps the times that its records are given: a backlog that arrived while nobody read. Elsewhere it is the
    broker that stamps them.
    """
    await make_topic(settings, settings.topics.interactions)
    await create(settings)


async def make_topic(settings: Settings, name: str) -> None:
    """A topic whose records keep the times that they are given."""
    client = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await client.start()
    try:
        await client.create_topics([NewTopic(name, PARTITIONS, 1, None, {"message.timestamp.type": "CreateTime"})])
    finally:
        await client.close()


async def fill(settings: Settings, topic: str, arrivals: Iterable[Arrival]) -> Truth:
    """Write each record with the time of its arrival, and return the truth about all of them."""
    truth = Truth()
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, max_batch_size=512 * 1024, linger_ms=20)
    await producer.start()
    try:
        batches = {number: producer.create_batch() for number in range(PARTITIONS)}
        for arrival in arrivals:
            truth.add(arrival)
            number = partition_of(arrival.partner, PARTITIONS)
            key = arrival.partner.encode()
            if batches[number].append(key=key, value=arrival.value, timestamp=arrival.at_ms) is None:
                await producer.send_batch(batches[number], topic, partition=number)
                batches[number] = producer.create_batch()
                batches[number].append(key=key, value=arrival.value, timestamp=arrival.at_ms)
        for number, batch in batches.items():
            await producer.send_batch(batch, topic, partition=number)
    finally:
        await producer.stop()
    return truth


async def ends(settings: Settings, topic: str) -> dict[TopicPartition, int]:
    """Where a topic ends now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers)
    await consumer.start()
    try:
        offsets: dict[TopicPartition, int] = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
    finally:
        await consumer.stop()
    return offsets


async def read_figures(settings: Settings, start: Mapping[TopicPartition, int], truth: Truth) -> dict[str, Measures]:
    """By partner, the measures of the whole in the 1 h window, read from `start` until they are the truth or the time is over."""
    found: dict[str, Measures] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(start))
        for partition, offset in start.items():
            consumer.seek(partition, offset)
        async with asyncio.timeout(_FIGURES_SECONDS_MAX):
            while found != truth.measures:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        partner, scope, window = record.key.decode().split("/")
                        if record.value and (scope, window) == ("all", "1h"):
                            measures = orjson.loads(record.value)["measures"]
                            found[partner] = Measures({name: count for name, count in measures.items() if not name.endswith("_bins")})
    except TimeoutError:
        pass  # Who called compares.
    finally:
        await consumer.stop()
    return found
