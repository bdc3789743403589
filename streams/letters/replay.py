"""Replaying: letters back to their source topics, each once.

A record goes out as it came in, its bytes and its own headers, to the partition that its key belongs to now, under the key of its
partner. In the same transaction a marker goes to the dead letters. There is one replay at a time: connecting fences another one and
ends what it left open, and only then the markers are read, so what was replayed is known exactly.
"""

import asyncio
from array import array
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidTxnState, ProducerFenced
from aiokafka.structs import RecordMetadata

from models.settings import Settings
from models.topics import partition_of
from streams.connection import kafka
from streams.letters.errors import LettersError
from streams.letters.letter import REPLAYED_FROM, Letter, Marker, read_record
from streams.letters.selection import NoReplay, Selection, hindrance
from streams.past import Past, reading

__all__ = ["Replayed", "replay_letters"]

_BATCH_RECORDS: Final = 500
_BATCH_BYTES: Final = 4 << 20
_MAX_RECORD_BYTES: Final = 6 << 20
_PROGRESS_RECORDS: Final = 1_000


@dataclass(slots=True)
class Replayed:
    """What a replay did, or would do if it was dry."""

    written: int = 0
    """Records that went back to their source topics."""
    refused: Counter[NoReplay] = field(default_factory=Counter)
    """Letters that were meant and stay, by reason."""
    left_over: int = 0
    """Letters that were meant and can go back, beyond the limit: a further replay takes them."""


async def replay_letters(
    settings: Settings,
    selection: Selection,
    limit: int,
    now_ms: int,
    *,
    dry_run: bool = False,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Send the oldest `limit` letters that are meant, and were not replayed, back to their source topics.

    A replay that is cut off has replayed whole transactions; another one goes on where it ended.

    Raises:
        LettersError: if another replay began meanwhile.
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached, or the end of the topic is not.
    """
    done = Replayed()
    async with reading(settings) as past:
        if dry_run:
            places = await _meant(past, settings, selection, limit, done, on_progress)
            done.written = sum(map(len, places.values()))
            return done
        producer = AIOKafkaProducer(
            **kafka(settings),
            transactional_id=f"{settings.topic_prefix}outwatch-dead-letters",
            max_request_size=_MAX_RECORD_BYTES,
        )
        try:
            await producer.start()
            places = await _meant(past, settings, selection, limit, done, on_progress)
            async for batch in _batches(_letters(past, settings, places)):
                async with producer.transaction():
                    await _send(producer, settings, batch, now_ms)
                done.written += len(batch)
                on_progress(f"{done.written} letters replayed")
        except ProducerFenced:
            msg = f"another replay began; {done.written} letters were replayed by this one"
            raise LettersError(msg) from None
        finally:
            await producer.stop()
    return done


async def _meant(
    past: Past, settings: Settings, selection: Selection, limit: int, done: Replayed, on_progress: Callable[[str], None]
) -> dict[int, Sequence[int]]:
    """By partition, the offsets of the letters that go back, in order; what does not is counted in `done`."""
    meant: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
    replayed: set[tuple[int, int]] = set()
    number = 0
    async for record in past.records(await past.starts([settings.topics.dead_letters], selection.since_ms)):
        number += 1
        if number % _PROGRESS_RECORDS == 0:
            on_progress(f"{number} records read")
        said = read_record(record)
        if isinstance(said, Marker):
            replayed.add((said.of.partition, said.of.offset))
        elif said is not None and selection.takes(said):
            why = hindrance(said, settings.topics)
            if why is None:
                meant[record.partition].append(record.offset)
            else:
                done.refused[why] += 1
    places: dict[int, Sequence[int]] = {}
    for partition, offsets in sorted(meant.items()):
        open_ones = [offset for offset in offsets if (partition, offset) not in replayed]
        if len(open_ones) < len(offsets):
            done.refused[NoReplay.REPLAYED] += len(offsets) - len(open_ones)
        places[partition] = open_ones[:limit]
        done.left_over += len(open_ones) - len(places[partition])
        limit -= len(places[partition])
    return {partition: offsets for partition, offsets in places.items() if offsets}


async def _letters(past: Past, settings: Settings, places: dict[int, Sequence[int]]) -> AsyncIterator[Letter]:
    """The letters at these places."""
    wanted = {(partition, offset) for partition, offsets in places.items() for offset in offsets}
    starts = {TopicPartition(settings.topics.dead_letters, partition): offsets[0] for partition, offsets in places.items()}
    async for record in past.records(starts):
        if (record.partition, record.offset) in wanted:
            letter = read_record(record)
            assert isinstance(letter, Letter), f"{record.topic}/{record.partition}/{record.offset} was a letter before"
            yield letter
            wanted.remove((record.partition, record.offset))
            if not wanted:
                return


async def _batches(letters: AsyncIterator[Letter]) -> AsyncIterator[list[Letter]]:
    batch: list[Letter] = []
    size = 0
    async for letter in letters:
        batch.append(letter)
        size += letter.length
        if len(batch) >= _BATCH_RECORDS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _send(producer: AIOKafkaProducer, settings: Settings, letters: Sequence[Letter], now_ms: int) -> None:
    acknowledged: list[asyncio.Future[RecordMetadata]] = []
    for letter in letters:
        assert letter.partner is not None, "a letter without a partner was refused"
        topic, to = letter.source.topic, partition_of(letter.partner, settings.partitions, settings.partitioner)
        mark = (REPLAYED_FROM, str(letter.at).encode())
        record = (topic, letter.value, letter.partner.encode(), to, None, [*letter.headers, mark])
        marker = [mark, ("dlq.replayed-to", f"{topic}/{to}".encode()), ("dlq.replayed-at", b"%d" % now_ms)]
        acknowledged += [
            await producer.send(*record),
            await producer.send(letter.at.topic, None, mark[1], letter.at.partition, None, marker),
        ]
    said = await asyncio.gather(*acknowledged, return_exceptions=True)
    if refused := [each for each in said if isinstance(each, BaseException)]:
        # Where a right to one topic is missing, the transaction never began for the other either, and its refusal says only that.
        raise min(refused, key=lambda each: isinstance(each, InvalidTxnState))
