"""The ordeal: a stream made from a seed runs while something goes wrong again and again, and everything comes out exact."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord

from models.settings import Settings
from models.topics import Topics
from tests.faults.crew import Crew
from tests.faults.whole_stream import caught_up, check, finish, last_clock, outputs, produce
from tests.waiting import until
from tests.workers import following

__all__ = ["Stream", "Trouble", "longest_wait", "ordeal"]


class Stream(NamedTuple):
    """How much is written, and over how long."""

    events: int
    seconds: float


Trouble = Callable[[Crew, Callable[[], int]], Coroutine[Any, Any, None]]
"""Makes workers' lives hard until it is cancelled; it is given them, and when the partition was committed that waits the longest."""


async def run(settings: Settings, crew: Crew, folder: Path, seed: int, stream: Stream, trouble: Trouble) -> list[ConsumerRecord]:
    """Produce amid trouble, from one worker to three to one that finishes; returns what a read_committed reader saw."""
    async with following(settings, *outputs(settings.topics)) as seen:

        def committed_ms() -> int:
            last = {record.partition: record.timestamp for record in seen}
            return min(last.values()) if len(last) == settings.partitions else 0

        try:
            crew.hire()
            producing = asyncio.create_task(produce(settings, seed, stream.events, stream.seconds))
            troubling = asyncio.create_task(trouble(crew, committed_ms))
            await asyncio.sleep(stream.seconds / 3)
            crew.hire()
            crew.hire()
            await asyncio.wait({producing, troubling}, return_when=asyncio.FIRST_COMPLETED)
            assert not troubling.done(), troubling.exception()
            troubling.cancel()
            await producing
            frontier = await last_clock(settings)

            async def at_the_end() -> bool:
                return caught_up(settings, seen, frontier)

            await until(at_the_end, 60)
            codes = await crew.dismiss()
            assert set(codes) <= {0}, codes
        finally:
            crew.kill()
        await finish(settings, seen, folder / "last.log", frontier)
        return seen


async def ordeal(settings: Settings, folder: Path, seed: int, stream: Stream, trouble: Trouble) -> Counter[str]:
    """Hold everything that comes out against the oracle; returns how workers ended."""
    print(f"OUTWATCH_TEST_SEED={seed}")
    begun, crew = time.monotonic(), Crew(settings, folder, Random(seed))
    seen = await run(settings, crew, folder, seed, stream, trouble)
    ends = f"{crew.deaths.total()} ends: {dict(sorted(crew.deaths.items()))}"
    print(f"{stream.events} events, {time.monotonic() - begun:.0f} s, {ends}")
    print(f"at most {longest_wait(seen, settings.topics):.0f} s from a partition's heartbeat to its next")
    await check(settings, seen, stream.events)
    return crew.deaths


def longest_wait(seen: list[ConsumerRecord], topics: Topics) -> float:
    """The longest that a partition said nothing, in seconds: while all is well it has a heartbeat every 5 s."""
    beats: dict[int, list[int]] = {}
    for record in seen:
        if record.topic == topics.heartbeats:
            beats.setdefault(record.partition, []).append(record.timestamp)
    return max(after - before for times in beats.values() for before, after in pairwise(times)) / 1000
