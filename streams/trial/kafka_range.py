"""A history out of the source topics: what was written in a range of time, in the order in which it was."""

from typing import Final

from models.errors import OutwatchError
from models.settings import Settings
from streams.past import reading

__all__ = ["EVENTS_MAX", "TooManyError", "kafka_range"]

EVENTS_MAX: Final = 5_000_000
"""They are held until all partitions were read: some 500 bytes each."""


class TooManyError(OutwatchError):
    """Raised when a range holds more events than are held."""


async def kafka_range(settings: Settings, from_ms: int, to_ms: int) -> list[bytes]:
    """The values of records whose timestamp lies in [from_ms, to_ms), by timestamp.

    Raises:
        TooManyError: if there are more than `EVENTS_MAX`.
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    found: list[tuple[int, int, bytes]] = []
    async with reading(settings) as past:
        async for record in past.records(await past.starts(settings.topics.sources, from_ms)):
            if record.value is not None and from_ms <= record.timestamp < to_ms:
                found.append((record.timestamp, len(found), record.value))
            if len(found) > EVENTS_MAX:
                msg = f"the range holds more than {EVENTS_MAX} events (choose a shorter one)"
                raise TooManyError(msg)
    return [value for _, _, value in sorted(found)]
