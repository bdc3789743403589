"""Incidents around which every process is killed again and again: no page is lost, and they are what they would have been."""

from pathlib import Path

import pytest

from streams.local.kafka import LocalKafka
from streams.local.redis import LocalRedis
from tests.faults.broken import BUGS, broken
from tests.faults.paging_ordeal import AS_IT_IS, Ordeal, ordeal

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

SHORT = Ordeal(minutes=20, seconds=12, rest_seconds=3)


@pytest.mark.timeout(300)
async def test_incidents_that_everybody_dies_around_tell_what_they_would_have_told(
    kafka: str, private_redis: LocalRedis, app_id: str, tmp_path: Path, seed: int
) -> None:
    """Workers in the middle of commits and rebalances, notifiers and the projector by SIGKILL, Redis emptied, receivers that fail."""
    await ordeal(kafka, private_redis.url, app_id, tmp_path, seed, SHORT)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("more", [0, 1, 2])
async def test_so_they_do_while_the_broker_falls(
    private_kafka: LocalKafka, private_redis: LocalRedis, app_id: str, tmp_path: Path, seed: int, more: int
) -> None:
    def fall() -> None:
        private_kafka.kill()
        private_kafka.start()

    plan = Ordeal(minutes=60, seconds=90, rest_seconds=4, commands=2, falls=2, workers=3, beside=("project", "audit"))
    await ordeal(private_kafka.bootstrap, private_redis.url, app_id, tmp_path, seed + more, plan, fall)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", BUGS)
async def test_what_is_broken_is_found(kafka: str, private_redis: LocalRedis, app_id: str, tmp_path: Path, seed: int, bug: str) -> None:
    programs = AS_IT_IS._replace(**{BUGS[bug][0]: broken(bug)})
    with pytest.raises((AssertionError, TimeoutError)) as found:
        await ordeal(kafka, private_redis.url, app_id, tmp_path, seed, SHORT, programs=programs)
    print(f"{bug}: found by {found.traceback[-1].name}: {found.value!r:.200}")
