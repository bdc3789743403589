"""Redis flushed, frozen and away: the engine does not notice, the projector waits and makes the view anew."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest
from redis.asyncio import Redis

from models.settings import Settings
from models.view import Keys
from streams.admin import create
from streams.cli.exits import Exit
from streams.local.process import LeashedProcess
from streams.local.redis import LocalRedis
from streams.local.service import free_port
from tests.faults.ordeal import longest_wait
from tests.faults.trickle import Trickle
from tests.waiting import until
from tests.workers import Worker, ask, counting, environment, following, metrics

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

HEARTBEAT_SECONDS = 5
SHOWN = "outwatch_projector_records_total"


class Installation:
    """A projector, and `outwatch status` in the same environment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def status(self) -> tuple[int, str]:
        """The exit code of `outwatch status --json` and what it prints, be it why it ended."""
        command = (sys.executable, "-m", "streams.cli", "status", "--json")
        asked = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT, env=environment(self.settings))
        output, _ = await asked.communicate()
        assert asked.returncode is not None
        return asked.returncode, output.decode()

    async def ready(self) -> bool:
        return (await ask(self.settings, "/readyz"))[0] == 200

    async def unready(self) -> bool:
        status, body = await ask(self.settings, "/readyz")
        return status == 503 and json.loads(body)["reasons"][0]["reason"] == "no_view"

    async def whole(self) -> bool:
        """Whether the view shows every partner as it is now, with nothing left to read."""
        code, output = await self.status()
        seen = json.loads(output) if code == Exit.OK else {"partners": [], "projector": None}
        fresh = [row["state"] for row in seen["partners"] if row["state"] != "stale"]
        return len(fresh) == 10 and seen["projector"] is not None and seen["projector"]["lag_records"] < 100


async def survive(kafka: str, redis: LocalRedis, app_id: str, folder: Path, away_seconds: float) -> None:
    settings = Settings(
        brokers=kafka, redis_url=redis.url, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, replication=1, http_port=free_port()
    )
    assert (await create(settings)).findings == []
    working = settings.model_copy(update={"http_port": 0, "redis_url": "redis://127.0.0.1:1/0"})
    here = Installation(settings)
    projecting = [sys.executable, "-m", "streams.cli", "project"]
    async with following(settings, settings.topics.heartbeats) as seen:
        with (
            Worker(working, folder / "worker.log") as worker,
            LeashedProcess(projecting, folder / "p.log", environment(settings)) as projector,
        ):
            async with Trickle(settings) as trickle:
                await until(here.whole, 40)

                async with Redis.from_url(redis.url) as client:
                    await client.flushall()
                    await until(here.whole, 20)
                    assert await client.exists(Keys(app_id).offsets)
                assert (await metrics(settings))["outwatch_projector_rebuilds_total"] == 2

                redis.pause()
                code, output = await here.status()
                assert (code, "OUTWATCH_REDIS_URL" in output) == (Exit.UNREACHABLE, True), output
                await until(here.unready)
                redis.resume()
                await until(here.ready)
                await until(here.whole)

                redis.kill()
                await asyncio.sleep(away_seconds)
                assert await here.unready()
                before = (await metrics(settings))[SHOWN]
                redis.start()
                await until(here.whole)
                assert (await metrics(settings))[SHOWN] > before
            await counting(seen, settings, trickle.written)
            assert projector.alive()
            assert await worker.terminate() == 0, worker.tail()
    assert longest_wait(seen, settings.topics) < HEARTBEAT_SECONDS + 3, "commits went on as if nothing were"


@pytest.mark.timeout(120)
async def test_a_redis_that_is_flushed_or_frozen_or_gone_is_the_projectors_matter_alone(
    kafka: str, private_redis: LocalRedis, app_id: str, tmp_path: Path
) -> None:
    await survive(kafka, private_redis, app_id, tmp_path, away_seconds=3)


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_redis_that_is_away_for_a_minute_too(kafka: str, private_redis: LocalRedis, app_id: str, tmp_path: Path) -> None:
    await survive(kafka, private_redis, app_id, tmp_path, away_seconds=60)
