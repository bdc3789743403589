"""Which partitioner the producers of the source topics use, judged by what already lies there."""

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from models.settings import Settings
from models.topics import Partitioner, partition_of
from streams.connection import kafka

__all__ = ["fitting", "partitioner_remark"]

_RECORDS_A_PARTITION: Final = 50
_LOOK_SECONDS: Final = 3.0
_ENOUGH_KEYS: Final = 3
"""With fewer keys the other partitioner may fit by chance."""


def fitting(keys: Iterable[tuple[bytes, int]], partitions: int) -> set[Partitioner]:
    """The partitioners under which every (key, partition) lies where it should."""
    found = {(key.decode("utf-8", "replace"), number) for key, number in keys}
    return {each for each in Partitioner if all(partition_of(key, partitions, each) == number for key, number in found)}


async def partitioner_remark(settings: Settings) -> str | None:
    """What to say if the records of the source topics lie as the other partitioner would put them; None if nothing.

    Raises:
        aiokafka.errors.KafkaError: if the cluster cannot be reached.
    """
    keys = await _newest_keys(settings)
    if len({key for key, _ in keys}) < _ENOUGH_KEYS:
        return None
    fits = fitting(keys, settings.partitions)
    if not fits or settings.partitioner in fits:
        return None
    (other,) = fits
    return f"the producers of the source topics use the partitioner {other}, not {settings.partitioner}: set OUTWATCH_PARTITIONER={other}"


async def _newest_keys(settings: Settings) -> set[tuple[bytes, int]]:
    partitions = [TopicPartition(topic, number) for topic in settings.topics.sources for number in range(settings.partitions)]
    async with AIOKafkaConsumer(**kafka(settings), enable_auto_commit=False) as consumer:
        consumer.assign(partitions)
        starts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        filled = [each for each in partitions if ends[each] > starts[each]]
        if not filled:
            return set()  # A consumer that is assigned nothing would not stop.
        consumer.assign(filled)
        for each in filled:
            consumer.seek(each, max(starts[each], ends[each] - _RECORDS_A_PARTITION))
        keys: set[tuple[bytes, int]] = set()
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                waiting = set(filled)
                while waiting:
                    for partition, records in (await consumer.getmany(*waiting, timeout_ms=200)).items():
                        keys.update((record.key, record.partition) for record in records if record.key is not None)
                        waiting.discard(partition)
        except TimeoutError:
            pass  # What was seen so far is enough to judge by, or too little to say anything.
        return keys
