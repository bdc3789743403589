"""Asking the workers: a command where it belongs, and what each of them answers."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from models.operation import Command
from models.records import SCHEMA_VERSION
from models.settings import Settings
from models.topics import BROADCAST, partition_of
from streams.admin import require_topics
from streams.connection import kafka

__all__ = ["ANSWER_SECONDS_MAX", "Answers", "addressed", "ask", "send"]

ANSWER_SECONDS_MAX: Final = 15.0
"""A worker answers within a second or two; one that is being replaced takes longer."""

Answers = dict[int, dict[str, Any] | None]
"""By partition that was asked: its `CommandOutcome`, None while there is none."""


def addressed(settings: Settings, partner: str) -> list[int]:
    """The partitions that a command for a partner, or for all of them, is written to."""
    if partner == BROADCAST:
        return list(range(settings.partitions))
    return [partition_of(partner, settings.partitions, settings.partitioner)]


async def send(settings: Settings, command: Command) -> None:
    """Write a command to the partition of its partner, or to every one.

    Raises:
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    value, headers = command.model_dump_json().encode(), [("schema_version", SCHEMA_VERSION.encode())]
    async with AIOKafkaProducer(**kafka(settings), acks="all") as producer:
        for partition in addressed(settings, command.partner):
            await producer.send_and_wait(settings.topics.commands, value, command.partner.encode(), partition=partition, headers=headers)


async def ask(settings: Settings, command: Command, wait_seconds: float = ANSWER_SECONDS_MAX) -> Answers:
    """Send a command and wait for what each partition answers, for as long as that.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    await require_topics(settings)
    answers: Answers = dict.fromkeys(addressed(settings, command.partner))
    consumer = AIOKafkaConsumer(**kafka(settings), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(settings.topics.alerts, partition) for partition in answers]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:
            await consumer.position(place)  # Only now the end is known, before anything is asked.
        await send(settings, command)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                while None in answers.values():
                    record = await consumer.getone()
                    body = orjson.loads(record.value or b"null")
                    if isinstance(body, dict) and body.get("id") == command.id and "outcome" in body:
                        answers[record.partition] = body
    finally:
        await consumer.stop()
    return answers
