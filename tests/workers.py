"""Workers as their users run them, `outwatch run` child processes, and readers of what they write."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import OffsetAndMetadata
from pydantic import SecretStr

from models.clock import now_ms
from models.settings import PREFIX, Settings
from streams.local.process import LeashedProcess
from tests.waiting import until

__all__ = [
    "KILLED",
    "RUN",
    "STOPPED",
    "Worker",
    "administering",
    "answers",
    "ask",
    "committed",
    "counters",
    "counting",
    "environment",
    "following",
    "heartbeats",
    "metrics",
    "read_all",
    "read_up",
    "send",
]

RUN = ("-m", "streams.cli", "run")
KILLED = 256 - signal.SIGKILL
"""What a worker that was ended by SIGKILL leaves with: its leash says so by an exit code."""

STOPPED = 4
"""What a worker leaves with that ended itself without committing."""


def environment(settings: Settings, failpoint: str | None = None) -> dict[str, str]:
    """Our environment, with the settings that are not the default, for a child process."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    chosen = {f"{PREFIX}{name.upper()}": _plain(getattr(settings, name)) for name in settings.model_fields_set}
    return own | chosen | ({} if failpoint is None else {f"{PREFIX}FAILPOINT": failpoint})


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


class Worker(LeashedProcess):
    """One `outwatch run`, or the like by another `program`: arguments of Python."""

    def __init__(self, settings: Settings, log_path: Path, failpoint: str | None = None, program: Sequence[str] = RUN) -> None:
        super().__init__([sys.executable, *program], log_path, environment(settings, failpoint))
        self.failpoint = failpoint

    async def ended(self, wait_seconds: float = 20.0) -> int:
        """Wait for its end without blocking the loop, and return the exit code."""

        async def gone() -> bool:
            return not self.alive()

        await until(gone, wait_seconds)
        return self.wait()

    async def terminate(self, wait_seconds: float = 20.0) -> int:
        """SIGTERM, and wait for the end."""
        self.signal(signal.SIGTERM)
        return await self.ended(wait_seconds)


def _consumer(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.brokers, isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=100
    )


@asynccontextmanager
async def following(settings: Settings, *topics: str) -> AsyncIterator[list[ConsumerRecord]]:
    """All that a read_committed reader sees of these topics from their beginning on, as it comes."""
    consumer, seen = _consumer(settings), list[ConsumerRecord]()

    async def follow() -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                seen.extend(records)

    await consumer.start()
    partitions = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await consumer.stop()


async def read_all(settings: Settings, *topics: str) -> list[ConsumerRecord]:
    """Everything committed in these topics now, each partition in order.

    Up to where the logs end: a commit is acknowledged before its markers are written, and a committed reader sees less until then.
    """
    consumer, read = _consumer(settings), list[ConsumerRecord]()
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async with AIOKafkaConsumer(bootstrap_servers=settings.brokers) as uncommitted:
            ends = await uncommitted.end_offsets(partitions)
        async with asyncio.timeout(60):
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    read.extend(records)
        return read
    finally:
        await consumer.stop()


def answers(first: int, last: int) -> list[dict[str, Any]]:
    """Events `e{first}` to before `e{last}` of ten partners, a minute old."""
    answered = {"type": "contact.answered", "occurred_at": now_ms() - 60_000, "wait_seconds": 3}
    return [answered | {"event_id": f"e{number}", "partner_id": f"p{number % 10}"} for number in range(first, last)]


async def send(settings: Settings, topic: str, *events: dict[str, Any]) -> None:
    """Write events by their partner, each where Kafka's own partitioner puts its key."""
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, enable_idempotence=True, linger_ms=5) as producer:
        for event in events:
            await producer.send(topic, orjson.dumps(event), key=event["partner_id"].encode())
        await producer.flush()


@asynccontextmanager
async def administering(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client of the cluster's administration."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def committed(settings: Settings) -> dict[tuple[str, int], int]:
    """The group's offsets, by topic and partition: a mirror of what the state says."""
    found: dict[TopicPartition, OffsetAndMetadata] = {}

    async def answered() -> bool:
        with suppress(GroupCoordinatorNotAvailableError):  # The first question about a group makes the broker's topic of groups.
            found.update(await admin.list_consumer_group_offsets(settings.app_id))
            return True
        return False

    async with administering(settings) as admin:
        await until(answered)
    return {(each.topic, each.partition): offset.offset for each, offset in found.items()}


def heartbeats(seen: Iterable[ConsumerRecord], settings: Settings) -> dict[int, dict[str, Any]]:
    """The last heartbeat of each partition."""
    return {record.partition: orjson.loads(record.value) for record in seen if record.topic == settings.topics.heartbeats}


def counters(seen: Iterable[ConsumerRecord], settings: Settings) -> Counter[str]:
    """What the partitions counted, by their last heartbeats."""
    summed: Counter[str] = Counter()
    for heartbeat in heartbeats(seen, settings).values():
        summed.update(heartbeat["counters"])
    return summed


async def counting(seen: list[ConsumerRecord], settings: Settings, events: int, wait_seconds: float = 40) -> None:
    """Wait until so many events are counted, by the heartbeats in `seen`, and see that none was counted twice."""

    async def counted() -> bool:
        summed = counters(seen, settings)
        assert summed["events"] <= events
        return summed["events"] == events and summed["duplicates"] == 0

    await until(counted, wait_seconds)


async def ask(settings: Settings, path: str) -> tuple[int, str]:
    """Status and body of one of the endpoints; 0 while nobody answers."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{settings.http_port}{path}") as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def metrics(settings: Settings) -> dict[str, float]:
    """By name with labels; nothing while nobody answers."""
    lines = (await ask(settings, "/metrics"))[1].splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


async def read_up(settings: Settings) -> bool:
    """Whether the worker says that nothing is left to apply anywhere."""
    lag = [value for name, value in (await metrics(settings)).items() if name.startswith("outwatch_lag_records")]
    return len(lag) == len(settings.topics.subscribed) * settings.partitions and not any(lag)
