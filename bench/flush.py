"""How soon a view that was flushed shows again what is so now: `python -m bench.flush` prints one JSON object.

A broker and a Redis of its own, 200 partners of 9 scopes in every window as a worker publishes them, and the alerts of every fifth. A
projector holds them all; then Redis is flushed. Told is the time until the last present figure and alert is back, and the CPU that the
projector's process took for it, which does not move with what else runs on the machine.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import monotonic, process_time
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from models.clock import now_ms
from models.definitions import DEFAULT
from models.kpis import figures
from models.measures import from_names
from models.settings import LOCAL, Settings
from models.view import Keys
from models.windows import WINDOWS, Scope, record_key
from streams.admin import create
from streams.batches import Record, send_in_batches
from streams.local.kafka import LocalKafka
from streams.local.redis import LocalRedis
from streams.projector.projector import Projector

PARTITIONS: Final = 24
PARTNERS: Final = 200
SCOPES: Final = ("all", *(f"queue=q{number}" for number in range(6)), "channel=voice", "channel=chat")
ROUNDS: Final = 5


def _figures(partner: str) -> Iterator[Record]:
    """As a worker publishes them, 25 KPIs each."""
    random = Random(partner)
    for window in WINDOWS:
        for scope in SCOPES:
            count = random.randrange(20, 400)
            measures = {"arrivals": count, "answered": count - 9, "answered_within": count // 2, "abandoned": 9, "handled": count - 9}
            measures |= {"answered_wait_ms": 23_456 * count, "talk_ms": 234_567 * count, "wrap_ms": 34_567 * count, "handle_s2": 98_765}
            body: dict[str, Any] = {"partner": partner, "scope": scope, "window": window.name, "configured": True, "policy_revision": "p1"}
            body |= {"kpis": figures(from_names(measures), None, DEFAULT, mixed_basis=False), "measures": measures, "from": 0, "to": 1}
            key = record_key(partner, Scope.parse(scope), window.name).encode()
            yield key, orjson.dumps(body | {"as_of": 1, "frontier": 1, "revision": 7}), []


async def _fill(settings: Settings) -> tuple[int, int]:
    """Write the topics; how many figures, and how many alerts."""
    assert (await create(settings)).findings == []
    count = alerts = 0
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, max_batch_size=1 << 19) as producer:
        for number in range(PARTNERS):
            partner = f"partner-{number:03}"
            records = list(_figures(partner))
            sent = await send_in_batches(producer, settings.topics.kpis, number % PARTITIONS, records)
            count += len(records)
            if number % 5 == 0:
                alert = orjson.dumps({"partner": partner, "explanation": "x" * 2000, "state": "firing"})
                sent += await send_in_batches(
                    producer, settings.topics.alerts_state, number % PARTITIONS, [(f"{number:032x}".encode(), alert, [])]
                )
                alerts += 1
            await asyncio.gather(*(each.delivered for each in sent))
    return count, alerts


async def _until_whole(client: Redis, keys: Keys, whole: tuple[int, int]) -> None:
    while True:
        async with client.pipeline(transaction=False) as pipe:
            for window in WINDOWS:
                for dimension in ("all", "queue", "channel"):
                    pipe.hlen(keys.figures(window.name, dimension))
            pipe.hlen(keys.alerts)
            *present, alerts = await pipe.execute()
        if (sum(present), alerts) == whole:
            return
        await asyncio.sleep(0.02)


async def _measure(settings: Settings) -> dict[str, Any]:
    whole, stop, keys = await _fill(settings), asyncio.Event(), Keys(settings.app_id)
    seconds, cpu_seconds = list[float](), list[float]()
    async with Redis.from_url(settings.redis_url) as client:
        task = asyncio.create_task(Projector(settings, client, now_ms).run(stop))
        await _until_whole(client, keys, whole)
        for _ in range(ROUNDS):
            await asyncio.sleep(2)
            await client.flushall()
            begun, cpu = monotonic(), process_time()
            await _until_whole(client, keys, whole)
            seconds.append(monotonic() - begun)
            cpu_seconds.append(process_time() - cpu)
        stop.set()
        await task
    return {"figures": whole[0], "seconds": sorted(seconds), "cpu_seconds": sorted(cpu_seconds)}


def measure() -> dict[str, Any]:
    """Wall and CPU seconds of each flush, the shortest first."""
    with tempfile.TemporaryDirectory() as folder, LocalKafka(Path(folder) / "kafka") as kafka, LocalRedis(Path(folder) / "redis") as redis:
        settings = Settings(brokers=kafka.bootstrap, redis_url=redis.url, app_id="bench", partitions=PARTITIONS, replication=1, **LOCAL)
        return asyncio.run(_measure(settings))


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(), option=orjson.OPT_INDENT_2) + b"\n")
