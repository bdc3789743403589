"""A replay without brokers: what it writes, in memory, straight into engines, and the days they close."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from models.mapping import Mapping
from models.settings import Settings
from models.windows import parse_record_key
from streams.engine import Budget, Engine
from streams.engine.config import EngineConfig
from streams.produce import Feed
from streams.replay import LogFile, Report, Shift, Timing, make_report
from streams.replay.run import Deliveries, write
from tests.oracle_day import figures, oracle

__all__ = ["MemoryFeed", "assert_equals_the_oracle", "replay_in_memory"]

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
            log += [Written(topic, partition, len(log) + at, key, value) for at, (key, value, _) in enumerate(records)]


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


_COUNTS: Final = {
    "arrivals": "arrivals",
    "answered": "answered",
    "answered in 20": "answered_within",
    "abandoned": "abandoned",
    "abandoned in 20": "abandoned_within",
    "abandoned in 5": "abandoned_short",
    "handled": "handled",
    "not queued": "not_queued",
}
_SECONDS: Final = {"waited": "answered_wait_ms", "waited in vain": "abandoned_wait_ms", "served": "talk_ms"}


def _counted(measures: dict[str, int]) -> Counter[str]:
    """The oracle's counts from the measures of a figure."""
    found = Counter({ours: measures.get(theirs, 0) for ours, theirs in _COUNTS.items()})
    return +(found + Counter({ours: measures.get(theirs, 0) // 1000 for ours, theirs in _SECONDS.items()}))


def _shown(figure: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figure.items() if name != "measures"}


def assert_equals_the_oracle(report: Report | dict[str, Any], days: Iterable[tuple[str, list[dict[str, str]]]]) -> None:
    """Every figure of a report, as its JSON says it, is the oracle's of the days (ISO date, calls), to the last digit."""
    said = orjson.loads(orjson.dumps(report))
    counts, dropped = oracle(days)
    assert said["dropped"] == dict(dropped)
    assert said["problems"] == []
    assert {(day["date"], kind) for day in said["days"] for kind in day["partners"]} == set(counts)
    for day in said["days"]:
        total = Counter[str]()
        for kind, found in day["partners"].items():
            expected = counts[day["date"], kind]
            total += expected
            assert _counted(found["measures"]) == +expected
            assert _shown(found) == figures(expected)
        assert _shown(day["all"]) == figures(total)
