"""The local broker is Apache Kafka: it comes back with its data after a stop, a kill and a freeze."""

import asyncio
import os

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.local.kafka import LocalKafka

pytestmark = pytest.mark.kafka

LARGE_BYTES = 5_000_000


async def create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def send_transaction(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="writer", max_request_size=LARGE_BYTES + 1000)
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def read_all(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await asyncio.wait_for(consumer.getone(), 20)).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_data_survives_a_stop_and_a_kill_on_the_same_port(private_kafka: LocalKafka) -> None:
    bootstrap = private_kafka.bootstrap
    await create_topic(bootstrap, "kept")
    await send_transaction(bootstrap, "kept", b"before the stop")
    await asyncio.to_thread(private_kafka.restart)
    await send_transaction(bootstrap, "kept", b"before the kill")
    await asyncio.to_thread(private_kafka.kill)
    await asyncio.to_thread(private_kafka.start)
    await send_transaction(bootstrap, "kept", b"after")
    assert private_kafka.bootstrap == bootstrap
    assert await read_all(bootstrap, "kept", 3) == [b"before the stop", b"before the kill", b"after"]


async def test_a_frozen_broker_answers_nothing_and_goes_on_when_thawed(private_kafka: LocalKafka) -> None:
    await create_topic(private_kafka.bootstrap, "frozen")
    private_kafka.pause()
    sending = asyncio.create_task(send_transaction(private_kafka.bootstrap, "frozen", b"held up"))
    done, _ = await asyncio.wait([sending], timeout=1.0)
    assert not done
    private_kafka.resume()
    await asyncio.wait_for(sending, 20)
    assert await read_all(private_kafka.bootstrap, "frozen", 1) == [b"held up"]


async def test_a_record_of_five_megabytes_is_taken(kafka: str, app_id: str) -> None:
    await create_topic(kafka, app_id)
    value = os.urandom(LARGE_BYTES)
    await send_transaction(kafka, app_id, value)
    assert await read_all(kafka, app_id, 1) == [value]


async def test_no_topic_appears_by_itself(kafka: str, app_id: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        described = await admin.describe_topics([app_id])
        assert app_id not in await admin.list_topics()
    finally:
        await admin.close()
    assert described[0]["error_code"] == UnknownTopicOrPartitionError.errno
