"""The crash test: workers are killed at failpoints, at random and by SIGTERM while a stream runs, and everything comes out exact.

The stream is made from a seed, `OUTWATCH_TEST_SEED`, which is printed; the oracle reads the raw topics and shares no code with us.
"""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from aiokafka import ConsumerRecord

from models.clock import now_ms
from models.settings import Settings
from tests.faults.crew import Crew
from tests.faults.whole_stream import caught_up, check, finish, installed, last_clock, outputs, produce
from tests.waiting import until
from tests.workers import following

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("OUTWATCH_TEST_SEED") or now_ms() % 1_000_000)


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    return await installed(kafka, app_id)


async def run(settings: Settings, folder: Path, seed: int, events: int, for_seconds: float) -> tuple[list[ConsumerRecord], Counter[str]]:
    """Produce and torment, then let one worker finish; returns what a read_committed reader saw, and how workers ended."""
    crew = Crew(settings, folder, Random(seed))
    async with following(settings, *outputs(settings.topics)) as seen:

        def committed_ms() -> int:
            last = {record.partition: record.timestamp for record in seen}
            return min(last.values()) if len(last) == settings.partitions else 0

        try:
            crew.hire()
            producing = asyncio.create_task(produce(settings, seed, events, for_seconds))
            tormenting = asyncio.create_task(crew.torment(committed_ms))
            await asyncio.sleep(for_seconds / 3)
            crew.hire()
            crew.hire()
            await asyncio.wait({producing, tormenting}, return_when=asyncio.FIRST_COMPLETED)
            assert not tormenting.done(), tormenting.exception()
            tormenting.cancel()
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
        return seen, crew.deaths


async def crash(settings: Settings, folder: Path, seed: int, events: int, for_seconds: float) -> None:
    print(f"OUTWATCH_TEST_SEED={seed}")
    begun = time.monotonic()
    seen, deaths = await run(settings, folder, seed, events, for_seconds)
    print(f"{events} events, {time.monotonic() - begun:.0f} s, {sum(deaths.values())} ends: {dict(sorted(deaths.items()))}")
    await check(settings, seen, events)
    assert not [how for how in deaths if how.startswith("exit")], deaths


@pytest.mark.timeout(240)
async def test_workers_that_are_killed_lose_nothing_and_double_nothing(settings: Settings, tmp_path: Path, seed: int) -> None:
    await crash(settings, tmp_path, seed, events=40_000, for_seconds=60)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_the_same_over_five_minutes(settings: Settings, tmp_path: Path, seed: int) -> None:
    await crash(settings, tmp_path, seed, events=200_000, for_seconds=300)
