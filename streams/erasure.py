"""Erasing: asking the workers to forget a customer."""

from aiokafka import AIOKafkaProducer

from models.customers import ERASE, customer_hash
from models.records import SCHEMA_VERSION, Command
from models.settings import Settings
from models.topics import BROADCAST
from streams.connection import kafka

__all__ = ["ask_to_forget"]


async def ask_to_forget(settings: Settings, customer_key: str, at_ms: int) -> str:
    """Have every partition forget what its state holds of a customer, by the hash of the key; the id of the command.

    Raises:
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    customer = f"{customer_hash(customer_key):016x}"
    identity = f"erase-{customer}-{at_ms}"
    command = Command(id=identity, type=ERASE, actor=settings.worker, at=at_ms, partner=BROADCAST, payload={"customer": customer})
    value, headers = command.model_dump_json().encode(), [("schema_version", SCHEMA_VERSION.encode())]
    async with AIOKafkaProducer(**kafka(settings), acks="all") as producer:
        for partition in range(settings.partitions):
            await producer.send_and_wait(settings.topics.commands, value, BROADCAST.encode(), partition=partition, headers=headers)
    return identity
