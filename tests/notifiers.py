"""What tests of the notifier share: intents and incidents written as an engine writes them, and what comes back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from models import clock
from models.incidents import IncidentState
from models.notifications import Notification
from models.settings import Settings
from models.topics import partition_of
from streams.connection import redis
from streams.notifier.notifier import Notifier
from tests.pages import SECRETS, notification
from tests.waiting import until
from tests.workers import read_all

LOOPBACK = "127.0.0.0/8"


def secrets_in(folder: Path, **more: str) -> Path:
    """A folder of secrets."""
    folder.mkdir(exist_ok=True)
    for name, value in {**SECRETS, **{name.replace("_", "-"): value for name, value in more.items()}}.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def settings_for(brokers: str, redis_url: str, app_id: str, folder: Path, **over: Any) -> Settings:
    """An installation of its own in two partitions, whose pages may go to this machine."""
    said: dict[str, Any] = {
        "brokers": brokers,
        "redis_url": redis_url,
        "app_id": app_id,
        "topic_prefix": f"{app_id}.",
        "partitions": 2,
        "replication": 1,
        "session_timeout_seconds": 6,
        "secrets_dir": secrets_in(folder / "secrets"),
        "notify_networks": LOOPBACK,
    }
    return Settings(**said | over)


def uuid(number: int, what: int = 0) -> str:
    """Names an incident or a notification."""
    return f"{what:08x}-0000-5000-8000-{number:012x}"


def page(url: str, incident: int, number: int, kind: str = "webhook", /, **over: Any) -> Notification:
    """A page of an incident for a receiver of a kind at `url`."""
    at_ms = clock.now_ms()
    known: dict[str, dict[str, Any]] = {
        "webhook": {"id": "hook", "type": "webhook", "url": f"{url}/hook", "signing": "hook-key"},
        "pagerduty": {"id": "pager", "type": "pagerduty", "url": f"{url}/pagerduty", "routing_key": "pagerduty-ops"},
        "slack": {"id": "chat", "type": "slack", "url": f"{url}/slack", "channel": "C0123456789", "token": "slack-bot"},
        "alertmanager": {"id": "am", "type": "alertmanager", "url": f"{url}/am"},
        "mail": {"id": "post", "type": "mail", "to": ["ana@client.example"]},
    }
    where = known[kind]
    said = {"id": uuid(number, 1), "incident": uuid(incident), "processed_at": at_ms, "opened_at": at_ms - 60_000, "receiver": where}
    return notification("webhook", **{"target": {"kind": "receiver", "id": where["id"], "person": None}, **said, **over})


def state(of: Notification, **over: Any) -> IncidentState:
    """The incident of a page."""
    said: dict[str, Any] = {
        "id": of.incident,
        "partner": of.partner,
        "partner_name": "Northwind",
        "escalation": "realtime_ops",
        "labels": of.labels,
        "severity": of.severity,
        "attention": "unacked",
        "stage": "step",
        "epoch": of.epoch,
        "loop": of.loop,
        "step": of.step,
        "due_at": None,
        "text": of.text,
        "open": 1,
        "members": [],
        "members_dropped": 0,
        "told": [],
        "timeline": [],
        "timeline_dropped": 0,
        "held": None,
        "assigned": None,
        "absorbed_by": None,
        "unseen": True,
        "opened_at": of.opened_at,
        "ended_at": None,
        "resolved_by": None,
        "calendar": "none",
        "as_of": of.processed_at,
        "revision": 1,
    }
    return IncidentState.model_validate_json(orjson.dumps(said | over))


async def write(settings: Settings, *records: Notification | IncidentState) -> None:
    """Commit records as an engine does, in one transaction."""
    topics = settings.topics
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-test")
    async with producer, producer.transaction():
        for each in records:
            topic, key = (topics.notifications, each.incident) if isinstance(each, Notification) else (topics.incidents, each.id)
            number = partition_of(each.partner, settings.partitions, settings.partitioner)
            await producer.send(topic, each.model_dump_json().encode(), key.encode(), partition=number)


@asynccontextmanager
async def notifying(settings: Settings) -> AsyncIterator[Notifier]:
    """A notifier in our own loop, ready; it ends in order."""
    stop = asyncio.Event()
    async with Redis.from_url(**redis(settings)) as client:
        notifier = Notifier(settings, client, clock.now_ms)
        running = asyncio.create_task(notifier.run(stop))

        async def ready() -> bool:
            assert not running.done(), running.exception()
            return not notifier.obstacles()

        try:
            await until(ready)
            yield notifier
        finally:
            stop.set()
            async with asyncio.timeout(40):
                await running


async def results(settings: Settings) -> Counter[tuple[str, str]]:
    """Which notification came to what, by command: an id that came twice counts once."""
    found = {}
    for record in await read_all(settings, settings.topics.commands):
        command = orjson.loads(record.value)
        if command["type"] == "notification.result":
            found[command["id"]] = (command["payload"]["notification"], command["payload"]["outcome"])
    return Counter(found.values())
