"""How quickly a view is built anew, and what it takes: `python -m bench.projector` prints one JSON object.

A broker and a Redis of its own; partners with their figures in every window, and of each a week of quarter hours and a day of minutes.
What the partners' histories take in Redis is said for a partner that is never idle, whole: 48 h of minutes, 90 days of quarter hours.
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
from models.settings import LOCAL, Settings
from models.view import Health, Keys
from models.windows import MINUTE_MS, QUARTER_MS, WINDOWS
from streams.admin import create
from streams.batches import Record, send_in_batches
from streams.local.kafka import LocalKafka
from streams.local.redis import LocalRedis
from streams.projector.projector import Projector

PARTITIONS: Final = 4
PARTNERS: Final = 40
MINUTES: Final = 1440
QUARTERS: Final = 672


def _stretch(random: Random, partner: str, at_ms: int, width_ms: int) -> Record:
    """Twenty contacts a quarter hour, answered and handled, each with a duration of its own."""
    count = max(1, 20 * width_ms // QUARTER_MS)
    waits, handles = (sorted(random.sample(range(lowest, lowest + 300), count)) for lowest in (0, 400))
    measures: dict[str, Any] = {"arrivals": count, "answered": count, "answered_within": count // 2, "handled": count}
    measures |= {"answered_wait_ms": 23_456 * count, "answered_wait_s2": 678 * count, "talk_ms": 234_567 * count, "wrap_ms": 34_567 * count}
    measures |= {"handle_s2": 98_765 * count, "abandoned": 1, "abandoned_wait_ms": 45_678, "abandoned_wait_s2": 2_086}
    for name, bins in (("answered_wait_bins", waits), ("handle_bins", handles)):
        measures[name] = {"bins": bins, "counts": [1] * count}
    body = {"partner": partner, "scope": "all", "policy_revision": "0123456789abcdef", "mixed_basis": False, "measures": measures}
    body |= {"from": at_ms, "to": at_ms + width_ms, "final": True, "as_of": now_ms(), "frontier": at_ms + width_ms, "revision": 7}
    minute = at_ms // MINUTE_MS
    last = f"2026{1 + minute // 40_320 % 12:02}{1 + minute // 1440 % 28:02}T{minute // 60 % 24:02}{minute % 60:02}Z"
    return f"{partner}/all/{last}".encode(), orjson.dumps(body), []


def _figure(partner: str, window: str) -> Record:
    kpis = {f"kpi_{number}": {"value": 0.5, "unit": "ratio", "numerator": 5, "denominator": 10, "n": 10} for number in range(40)}
    body = {"partner": partner, "scope": "all", "window": window, "kpis": kpis, "measures": {"answered": 7}, "from": 0, "to": 1, "as_of": 1}
    return f"{partner}/queue=a/{window}".encode(), orjson.dumps(body | {"frontier": 1}), []


def _records(topic: str, settings: Settings, partner: str) -> Iterator[Record]:
    random, topics = Random(partner), settings.topics
    if topic == topics.kpis:
        yield from (_figure(partner, window.name) for window in WINDOWS for _ in range(20))
    width_ms, count = (MINUTE_MS, MINUTES) if topic == topics.rollups_1m else (QUARTER_MS, QUARTERS)
    if topic in (topics.rollups_1m, topics.rollups_15m):
        yield from (_stretch(random, partner, number * width_ms, width_ms) for number in range(count))


async def _measure(settings: Settings) -> dict[str, Any]:
    assert (await create(settings)).findings == []
    found: dict[str, Any] = {}
    for name in ("kpis", "rollups_1m", "rollups_15m"):
        topic: str = getattr(settings.topics, name)
        async with AIOKafkaProducer(bootstrap_servers=settings.brokers, max_batch_size=1 << 19) as producer:
            count = 0
            for number in range(PARTNERS):
                records = list(_records(topic, settings, f"partner-{number:03}"))
                await asyncio.gather(*(each.delivered for each in await send_in_batches(producer, topic, number % PARTITIONS, records)))
                count += len(records)
        found[name] = {"records": count, **await _project(settings, count)}
    return found


async def _project(settings: Settings, count: int) -> dict[str, float]:
    """Let a projector carry what is new, beside a view of what was there before; of one process, so CPU is all of it but Redis' own."""
    stop, keys = asyncio.Event(), Keys(settings.app_id)
    async with Redis.from_url(settings.redis_url) as client:
        before = (await client.info("memory"))["used_memory"]
        begun, cpu = monotonic(), process_time()
        projector = Projector(settings, client, now_ms)
        task = asyncio.create_task(projector.run(stop))
        while True:
            await asyncio.sleep(0.05)
            health = await client.get(keys.projector)
            offsets = sum(map(int, (await client.hgetall(keys.offsets)).values()))
            if health is not None and offsets >= _project.done + count:  # type: ignore[attr-defined]
                break
        seconds, cpu = monotonic() - begun, process_time() - cpu
        stop.set()
        await task
        Health.model_validate_json(health)
        _project.done += count  # type: ignore[attr-defined]
        used = (await client.info("memory"))["used_memory"] - before
    return {"records_a_second": count / seconds, "cpu_us_a_record": 1e6 * cpu / count, "redis_bytes_a_record": used / count}


_project.done = 0  # type: ignore[attr-defined]


def measure() -> dict[str, Any]:
    """Speed and memory, by topic."""
    with tempfile.TemporaryDirectory() as folder, LocalKafka(Path(folder) / "kafka") as kafka, LocalRedis(Path(folder) / "redis") as redis:
        settings = Settings(brokers=kafka.bootstrap, redis_url=redis.url, app_id="bench", partitions=PARTITIONS, replication=1, **LOCAL)
        return asyncio.run(_measure(settings))


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(), option=orjson.OPT_INDENT_2) + b"\n")
