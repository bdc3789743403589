"""`outwatch desk` as a process, between a real Kafka and a real Redis that a projector fills: from a click to what comes of it."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from models import clock
from models.operation import Command
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.local.service import free_port
from streams.projector.projector import Projector
from tests.desks import ACME_ALERT, TOKENS, alert, users
from tests.view_records import heartbeat, kpi_record, outcome
from tests.waiting import until
from tests.workers import Worker, ask, following

pytestmark = [pytest.mark.kafka, pytest.mark.redis]


async def test_a_command_goes_to_its_partner_s_partition_and_its_outcome_comes_back_in_the_stream(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path
) -> None:
    settings = Settings(
        brokers=kafka,
        redis_url=redis_url,
        app_id=app_id,
        topic_prefix=f"{app_id}.",
        partitions=2,
        desk_port=free_port(),
        http_port=free_port(),
        desk_users=users(tmp_path / "users.yaml"),
    )
    topics, url = settings.topics, f"http://127.0.0.1:{settings.desk_port}/api/v1"
    assert (await create(settings)).findings == []
    stop, headers = asyncio.Event(), {"Authorization": f"Bearer {TOKENS['operator']}"}

    async def ready() -> bool:
        return (await ask(settings, "/readyz"))[0] == 200

    async with (
        Redis.from_url(redis_url) as client,
        AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=app_id) as producer,
        following(settings, topics.commands) as commands,
        ClientSession(headers=headers) as session,
    ):

        async def write(topic: str, record: tuple[bytes, bytes], partition: int) -> None:
            async with producer.transaction():
                await producer.send(topic, record[1], key=record[0], partition=partition)

        place = partition_of("acme", 2)
        await write(topics.kpis, kpi_record("acme", {"answered": 5}), place)
        await write(topics.alerts_state, alert("acme", ACME_ALERT), place)
        await write(topics.heartbeats, heartbeat(place, clock.now_ms()), place)
        projector = asyncio.create_task(Projector(settings, client, clock.now_ms).run(stop))
        with Worker(settings, tmp_path / "desk.log", program=("-m", "streams.cli", "desk")) as desk:
            await until(ready)

            async def shown() -> bool:
                async with session.get(f"{url}/alerts") as answer:
                    return bool((await answer.json())["alerts"])

            await until(shown)
            async with session.get(f"{url}/stream") as stream:
                assert (await stream.content.readuntil(b"\n\n")).startswith(b"event: snapshot\n")
                async with session.post(f"{url}/acknowledge", json={"alert": ACME_ALERT}) as answer:
                    assert answer.status == 202
                    identity = (await answer.json())["id"]

                async def written() -> bool:
                    return bool(commands)

                await until(written)
                (record,) = commands
                command = Command.model_validate_json(record.value or b"")
                assert (record.partition, record.key) == (place, b"acme")
                assert (command.id, command.type, command.actor) == (identity, "alert.ack", "operator")
                await write(topics.alerts, outcome(identity), place)
                async with asyncio.timeout(20):
                    told = b""
                    while identity.encode() not in told:
                        told = await stream.content.readuntil(b"\n\n")
                assert json.loads(told.partition(b"data: ")[2])["changed"]["outcomes"][0]["outcome"] == "applied"
                desk.signal(signal.SIGTERM)
                assert await desk.ended(10) == 0, "nobody who watches keeps it from ending"
        stop.set()
        await projector
    log = (tmp_path / "desk.log").read_text()
    (audited,) = [json.loads(line) for line in log.splitlines() if '"message":"command"' in line]
    assert (audited["user"], audited["role"], audited["id"]) == ("operator", "operator", identity)
    assert not any(token in log for token in TOKENS.values())
