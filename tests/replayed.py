"""A replay without brokers: what it writes, in memory, straight into engines, and the days they close."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from models.mapping import Mapping
from models.settings import Settings
from models.windows import parse_record_key
from streams.engine.config import EngineConfig
from streams.engine.engine import Budget, Engine
from streams.produce import Feed
from streams.replay import LogFile, Report, Shift, Timing, make_report
from streams.replay.run import Deliveries, write

__all__ = ["MemoryFeed", "replay_in_memory"]

SETTINGS: Final = Settings(partitions=4, clock="log")
WALL_MS: Final = 1_900_000_000_000


@dataclass
class Written:
    """A record in a source topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = WALL_MS
    headers: Any = ()


class MemoryFeed(Feed):
    """A feed whose records stay here."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        super().__init__(settings, ("interactions",))
        self.records: defaultdict[tuple[str, int], list[Written]] = defaultdict(list)

    async def flush(self) -> None:
        buffers, self._buffers, self.buffered = self._buffers, {}, 0
        for (topic, partition), records in buffers.items():
            log = self.records[topic, partition]
            log += [Written(topic, partition, len(log) + at, key, value) for at, (key, value) in enumerate(records)]


def _rollups(feed: MemoryFeed) -> Iterator[dict[str, Any]]:
    """The newest record of each closed day of whole partners."""
    config = EngineConfig("test", "here", SETTINGS.topics, SETTINGS.partitions, clock_from_log=True)
    found: dict[bytes, dict[str, Any]] = {}
    for (topic, partition), log in feed.records.items():
        engine = Engine(partition, config)
        for at in range(0, len(log), 500):
            run, now_ms = log[at : at + 500], WALL_MS + at * 100
            for _ in engine.apply(topic, run[0].offset, run, now_ms):
                pass
            for _ in engine.advance():
                pass
            commit = engine.drain(now_ms, Budget(10**9, 10**12))
            for record in commit.records if commit is not None else ():
                if record.topic == SETTINGS.topics.rollups_1d and record.key is not None and record.value is not None:
                    found[record.key] = orjson.loads(record.value)
        last = engine.drain(WALL_MS * 2, Budget(10**9, 10**12))
        for record in last.records if last is not None else ():
            if record.topic == SETTINGS.topics.rollups_1d and record.key is not None and record.value is not None:
                found[record.key] = orjson.loads(record.value)
    for key, body in found.items():
        if str(parse_record_key(key.decode())[1]) == "all":
            yield body


async def replay_in_memory(paths: Sequence[Path], mapping: Mapping, day: date | None) -> tuple[Report, MemoryFeed]:
    """The report of a replay, and what it wrote."""
    feed = MemoryFeed()
    logs = [LogFile.of(path, mapping, day) for path in paths]
    deliveries = Deliveries(logs, mapping, Timing(Shift.KEEP, None, WALL_MS))
    await write(feed, deliveries, asyncio.Event(), lambda _: None)
    return make_report(deliveries.tally, _rollups(feed)), feed
