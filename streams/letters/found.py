"""Reading the dead letters: the newest of those that are meant, and how many there are."""

import heapq
import itertools
from collections import Counter
from dataclasses import dataclass, field

from models.settings import Settings
from streams.letters.letter import Coordinates, Letter, Marker, read_record
from streams.letters.selection import Selection
from streams.past import reading

__all__ = ["Found", "find"]


@dataclass(slots=True)
class Found:
    """What the topic holds of a selection."""

    letters: list[Letter] = field(default_factory=list)
    """The newest, in the order of their failing."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source topic, reason) -> how many letters, also of those that are not in `letters`."""
    replayed: set[Coordinates] = field(default_factory=set)
    """The letters that were replayed."""
    strangers: int = 0
    """Records that no release of ours wrote."""


async def find(settings: Settings, selection: Selection, limit: int, *, values: bool) -> Found:
    """The newest `limit` letters that are meant; with their `values`, each up to 900 kB.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached, or the end of the topic is not.
    """
    found, numbers = Found(), itertools.count()
    newest: list[tuple[int, int, Letter]] = []
    async with reading(settings) as past:
        async for record in past.records(await past.starts([settings.topics.dead_letters], selection.since_ms)):
            said = read_record(record)
            if said is None:
                found.strangers += 1
            elif isinstance(said, Marker):
                found.replayed.add(said.of)
            elif selection.takes(said):
                found.counts[said.source.topic, said.reason] += 1
                # Ties are decided by the number, so that letters need no order of their own.
                heapq.heappush(newest, (said.failed_at_ms, next(numbers), said if values else said.without_value()))
                if len(newest) > limit:
                    heapq.heappop(newest)
    found.letters = [letter for _, _, letter in sorted(newest, key=lambda each: each[:2])]
    return found
