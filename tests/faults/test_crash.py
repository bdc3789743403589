"""The crash test: workers are killed at failpoints, at random and by SIGTERM, join and leave, and everything comes out exact."""

from pathlib import Path

import pytest

from tests.faults.crew import Crew
from tests.faults.ordeal import Stream, ordeal
from tests.faults.whole_stream import installed

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def crash(brokers: str, app_id: str, folder: Path, seed: int, stream: Stream) -> None:
    deaths = await ordeal(await installed(brokers, app_id), folder, seed, stream, Crew.torment)
    assert not [how for how in deaths if how.startswith("exit")], deaths


@pytest.mark.timeout(240)
async def test_workers_that_are_killed_lose_nothing_and_double_nothing(kafka: str, app_id: str, tmp_path: Path, seed: int) -> None:
    """Also a storm of rebalances: from one worker to three to one, with one that ends or joins every few seconds."""
    await crash(kafka, app_id, tmp_path, seed, Stream(40_000, seconds=60))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_the_same_over_five_minutes(kafka: str, app_id: str, tmp_path: Path, seed: int) -> None:
    await crash(kafka, app_id, tmp_path, seed, Stream(200_000, seconds=300))
