"""Erasing: asking the workers to forget a customer."""

from models.customers import ERASE, customer_hash
from models.operation import Command
from models.settings import Settings
from models.topics import BROADCAST
from streams.asking import send

__all__ = ["ask_to_forget"]


async def ask_to_forget(settings: Settings, customer_key: str, at_ms: int) -> str:
    """Have every partition forget what its state holds of a customer, by the hash of the key; the id of the command.

    Raises:
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    customer = f"{customer_hash(customer_key):016x}"
    identity = f"erase-{customer}-{at_ms}"
    command = Command(id=identity, type=ERASE, actor=settings.worker, at=at_ms, partner=BROADCAST, payload={"customer": customer})
    await send(settings, command)
    return identity
