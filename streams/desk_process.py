"""The process around the desk: its connections, health and metrics. The desk knows the models alone, and is found by its entry point."""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from redis.asyncio import Redis

from models import clock
from models.operation import Command
from models.records import SCHEMA_VERSION
from models.settings import Settings
from streams.asking import addressed
from streams.connection import kafka, redis
from streams.health.desk_metrics import DeskMetrics
from streams.health.readiness import Note, Obstacle, Unready
from streams.health.server import endpoints
from streams.signals import stop_on_signals

__all__ = ["CommandWriter", "found", "run_desk"]

_GROUP: Final = "outwatch.desk"


def found(name: str) -> Callable[..., Any]:
    """What the desk offers under this name: `Desk`, or `hashed`."""
    (point,) = entry_points(group=_GROUP, name=name)
    loaded: Callable[..., Any] = point.load()
    return loaded


async def run_desk(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C; Redis and Kafka may come later.

    Raises:
        FileError: if the file of users does not hold.
        OSError: if a port is taken.
    """
    stop, metrics = stop_on_signals(), DeskMetrics()
    async with Redis.from_url(**redis(settings)) as client, CommandWriter(settings) as writer:
        desk = found("Desk")(settings, client, writer.send, clock.now_ms, metrics)
        async with endpoints(settings, _Patient(desk, metrics)):
            await desk.run(stop)


class CommandWriter:
    """Writes commands, by a producer that connects with the first of them: a desk without Kafka still shows what there is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Nothing is connected yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, command: Command) -> None:
        """Write a command to the partition of its partner, or to every one.

        Raises:
            ConnectionError: if Kafka does not take it.
        """
        value, headers = command.model_dump_json().encode(), [("schema_version", SCHEMA_VERSION.encode())]
        try:
            producer = await self._connected()
            futures = [
                await producer.send(self._settings.topics.commands, value, command.partner.encode(), partition=number, headers=headers)
                for number in addressed(self._settings, command.partner)
            ]
            await asyncio.gather(*futures)
        except KafkaError as error:
            raise ConnectionError(str(error)) from error

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(**kafka(self._settings), enable_idempotence=True)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


class _Patient:
    """What the endpoints tell of a desk."""

    def __init__(self, desk: Any, metrics: DeskMetrics) -> None:  # noqa: ANN401 - known by its entry point alone
        self._desk = desk
        self._metrics = metrics

    def obstacles(self) -> Sequence[Obstacle]:
        return [] if self._desk.sees else [Obstacle(Unready.NO_VIEW, "Redis does not answer: see the log")]

    def notes(self) -> Sequence[Note]:
        return ()

    def metrics(self) -> bytes:
        return self._metrics.catalogue.text()
