"""Where a customer key stands in the topics of an installation, and until when. It reads all that there is: every topic, to its end."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from models.customers import customer_hash
from models.settings import Settings
from streams.past import reading

__all__ = ["Occurrence", "occurrences"]

_PROGRESS_RECORDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A record that holds the key."""

    topic: str
    partition: int
    offset: int
    expires_ms: int | None
    """When Kafka may delete it by age at the earliest, epoch milliseconds; None where a topic is kept by key and not by age."""


async def occurrences(
    settings: Settings, customer_key: str, on_progress: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Occurrence]:
    """Every record of every topic of ours whose key, value or headers hold the text of `customer_key`, or whose state holds its hash.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached, or the end of a topic is not.
    """
    text, number = customer_key.encode(), customer_hash(customer_key)
    needles = {settings.topics.changelog(settings.app_id): (text, number.to_bytes(8, "big"), b"%016x" % number)}
    kept = {spec.name: spec.retention_ms for spec in settings.topics.specs(settings.app_id)}
    read: Counter[str] = Counter()
    async with reading(settings) as past:
        async for record in past.records(await past.starts(kept)):
            read[record.topic] += 1
            if read[record.topic] % _PROGRESS_RECORDS == 0:
                on_progress(f"{read[record.topic]} records of {record.topic}")
            held = [record.key, record.value, *(content for _, content in record.headers)]
            if any(each and needle in each for each in held for needle in needles.get(record.topic, (text,))):
                kept_ms = kept[record.topic]
                expires_ms = None if kept_ms is None else record.timestamp + kept_ms
                yield Occurrence(record.topic, record.partition, record.offset, expires_ms)
