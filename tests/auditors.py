"""An auditor in our own loop beside what it watches, and the server that it pings and tells; for tests on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from alerts.audit.breach import Terms
from models import clock
from models.settings import Settings
from streams.auditor.auditor import Auditor
from tests.audits import policy
from tests.notifiers import settings_for
from tests.pagers import Got, Pager
from tests.view_records import heartbeat

__all__ = ["TERMS", "auditing", "beating", "pings", "settings_of", "told"]

TERMS = Terms(sight_ms=2_000, heartbeat_ms=10_000, result_ms=1_000, notifier_ms=1_500, hold_ms=400, recover_ms=400)
"""Short, as times go; what they are otherwise is tested by the clock of tests/unit/test_audit.py."""


def settings_of(brokers: str, redis_url: str, app_id: str, folder: Path, pager: Pager) -> Settings:
    """An installation of its own whose auditor pings and tells `pager`, where one of two receivers refuses everything."""
    receivers = folder / "receivers.yaml"
    receivers.write_text(
        f"version: 1\nreceivers:\n  - {{id: hook, type: webhook, url: '{pager.url}/hook', signing: hook-key}}\n"
        f"  - {{id: broken, type: webhook, url: '{pager.url}/broken'}}\n"
    )
    pager.script["/broken"].extend([400] * 1000)
    settings = settings_for(
        brokers,
        redis_url,
        app_id,
        folder,
        audit_receivers=receivers,
        audit_ping_url=f"{pager.url}/ping/4f1c",
        audit_ping_method="POST",
    )
    # More often than an installation may ask for.
    return settings.model_copy(update={"audit_ping_seconds": 0.2})


@asynccontextmanager
async def beating(settings: Settings, **policy_over: Any) -> AsyncIterator[None]:
    """Partitions that live, under a policy that pages unless it says otherwise."""
    topics = settings.topics

    async def beat(producer: AIOKafkaProducer) -> None:
        while True:
            beats = [heartbeat(number, clock.now_ms()) for number in range(settings.partitions)]
            sent = [await producer.send(topics.heartbeats, value, key, partition=int(key)) for key, value in beats]
            await asyncio.gather(*sent, return_exceptions=True)
            await asyncio.sleep(0.5)

    # Its end waits for what is not delivered, which a broker that is gone never takes.
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, request_timeout_ms=2000) as producer:
        await producer.send_and_wait(topics.policies, orjson.dumps(policy(**policy_over)), b"*/current", partition=0)
        task = asyncio.create_task(beat(producer))
        try:
            yield
        finally:
            task.cancel()


@asynccontextmanager
async def auditing(settings: Settings) -> AsyncIterator[Auditor]:
    """An auditor that looks often; it ends in order."""
    stop = asyncio.Event()
    auditor = Auditor(settings, TERMS, clock.now_ms, look_seconds=0.1)
    running = asyncio.create_task(auditor.run(stop))
    try:
        yield auditor
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running


def pings(got: list[Got]) -> int:
    """How many came."""
    return sum(each.path == "/ping/4f1c" for each in got)


def told(got: list[Got]) -> list[tuple[str, tuple[str, ...]]]:
    """What the hook was told: the type, and the reasons that fail."""
    return [
        (each.body["type"], tuple(fact["name"] for fact in each.body["data"]["facts"]))
        for each in got
        if each.path == "/hook" and each.taken
    ]
