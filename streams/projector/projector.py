"""The projector: from the topics into Redis, batch by batch, for as long as it is let."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from models import clock
from models.settings import Settings
from models.view import Health, Keys
from streams.admin import require_topics
from streams.connection import is_refused, redis
from streams.health.projector_metrics import ProjectorMetrics
from streams.health.readiness import Note, Obstacle, Unready
from streams.health.server import endpoints
from streams.projector.projection import Command, Projection, Record, UnreadableError, together
from streams.projector.source import Batch, Source
from streams.projector.store import Positions, ViewStore
from streams.projector.totals import Totals
from streams.signals import stop_on_signals, wait_or_stop

__all__ = ["Projector", "run_projector"]

BATCH_WAIT_SECONDS: Final = 0.25
HEALTH_SECONDS: Final = 1.0
"""A flush while nothing comes in is seen within this."""
TOTALS_SECONDS: Final = 1.0
"""Between two sums over all partners."""
RETRY_SECONDS_MIN: Final = 0.2
RETRY_SECONDS_MAX: Final = 5.0

_log = structlog.stdlib.get_logger("outwatch.projector")


async def run_projector(settings: Settings) -> None:
    """Keep the view up to date until SIGTERM or Ctrl-C.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaConnectionError: if no broker answers at the start; later it waits.
    """
    stop = stop_on_signals()
    await require_topics(settings)
    async with Redis.from_url(**redis(settings)) as client:
        projector = Projector(settings, client, clock.now_ms)
        async with endpoints(settings, projector):
            await projector.run(stop)


class Projector:
    """Carries committed records into the view.

    Args:
        settings: brokers, topics, and the application id that the keys begin with.
        client: the Redis of the view.
        now_ms: the wall clock, for the sign of life.
    """

    def __init__(self, settings: Settings, client: Redis, now_ms: Callable[[], int]) -> None:
        keys = Keys(settings.app_id)
        self._settings = settings
        self._now_ms = now_ms
        self._store = ViewStore(client, keys)
        self._projection = Projection(settings.topics, keys, Totals())
        self._source = Source(settings, self._projection.present, self._projection.history)
        self._positions: dict[str, int] | None = None
        self._is_new = False
        """Whether the view was begun anew, and holds the end of the alerts alone so far."""
        self._said_at = 0.0
        self._summed_at = 0.0
        self._unreadable = 0
        self._rebuilds = 0
        self._history_begun_with = 0
        self._metrics = ProjectorMetrics()

    def obstacles(self) -> Sequence[Obstacle]:
        """What keeps the projector from being ready."""
        return [] if self._positions is not None else [Obstacle(Unready.NO_VIEW, "no place in the view: see the log")]

    def notes(self) -> Sequence[Note]:
        """Nothing that a worker would not tell."""
        return ()

    def metrics(self) -> bytes:
        """Its metrics now."""
        return self._metrics.catalogue.text()

    async def run(self, stop: asyncio.Event) -> None:
        """Project until `stop`; Redis or Kafka away is waited for, with nothing read meanwhile.

        Raises:
            redis.exceptions.RedisError: if Redis turns us away; whoever starts us again reads the secret anew.
        """
        retry_seconds = RETRY_SECONDS_MIN
        async with self._source:
            while not stop.is_set():
                try:
                    await self._step()
                    retry_seconds = RETRY_SECONDS_MIN
                except (RedisError, KafkaError) as error:
                    if isinstance(error, RedisError) and is_refused(error):
                        raise
                    # Whether the last batch was applied is not known; the offsets in Redis will tell.
                    self._positions = None
                    self._metrics.failures.inc()
                    _log.warning("waits", kind=type(error).__name__, error=str(error), next_try_seconds=round(retry_seconds, 1))
                    await wait_or_stop(stop, retry_seconds)
                    retry_seconds = min(2 * retry_seconds, RETRY_SECONDS_MAX)

    async def _step(self) -> None:
        if self._positions is None:
            self._positions = await self._find_place()
        batch = await self._source.batch(BATCH_WAIT_SECONDS)
        done = await (self._apply(batch, self._positions) if batch else self._sum(self._positions))
        if not done:
            self._positions = None
            return
        if self._is_new and not self._source.begins:
            await self._read_again(self._positions)
        if monotonic() - self._said_at >= HEALTH_SECONDS:
            await self._say_health(self._positions)

    async def _find_place(self) -> dict[str, int]:
        """Go on where the view stands, or begin it anew if there is none, or none of these topics."""
        stored, ends = await self._store.positions(), await self._source.ends()
        starts = await self._source.starts(ends)
        # Beyond the end there was another topic of that name: what the view holds of it is no more.
        if not stored or any(stored.get(name, 0) > end for name, end in ends.items()):
            _log.info("the view is built anew from the topics")
            self._rebuilds += 1
            self._metrics.rebuilds.inc()
            await self._store.begin(starts)
            self._is_new = True
            stored = starts
        elif starts.keys() - stored.keys():
            await self._store.add({name: starts[name] for name in starts.keys() - stored.keys()})
        positions = starts | {name: stored[name] for name in starts.keys() & stored.keys()}
        self._projection.go_on_with(await self._store.totals())
        self._source.seek(positions, ends)
        history = [name for name in positions if name.rpartition(":")[0] in self._projection.history]
        self._history_begun_with = sum(ends[name] - positions[name] for name in history)
        return positions

    async def _read_again(self, positions: dict[str, int]) -> None:
        """Read the alerts from further back: what is so now is in the view, and what happened to partners follows as history does."""
        again = await self._source.again(positions)
        if again:
            await self._store.add(again)
            self._history_begun_with += sum(positions[name] - offset for name, offset in again.items())
            positions.update(again)
        self._is_new = False

    async def _apply(self, batch: Batch, positions: dict[str, int]) -> bool:
        commands: list[Command] = []
        follows: dict[str, int] = {}
        leads_to: dict[str, int] = {}
        for name, records in batch.items():
            if records[0].offset < positions[name]:
                return False  # The topic was made anew while we read it.
            follows[name], leads_to[name] = positions[name], records[-1].offset + 1
            for record in records:
                commands += self._project(record)
        # What was gathered says in its order when a key expires, and is one command a hash already.
        commands = together(commands) + self._projection.gathered()
        # Every batch changes them, and each takes all partners: a start would do little else, and waits with them for its end. A view
        # that was left before goes on with what it holds, and sums that anew.
        if not self._source.begins and monotonic() - self._summed_at >= TOTALS_SECONDS:
            commands += self._projection.totals()
            self._summed_at = monotonic()
        if not await self._store.apply(commands, follows, leads_to):
            _log.info("the view was flushed, or another projector is at work")
            return False
        positions.update(leads_to)
        self._metrics.records.inc(sum(len(records) for records in batch.values()))
        return True

    async def _sum(self, positions: Positions) -> bool:
        """Write the totals that waited, where nothing else comes in."""
        commands = self._projection.totals()
        name = next(iter(positions))
        return not commands or await self._store.apply(commands, {name: positions[name]}, {name: positions[name]})

    def _project(self, record: ConsumerRecord[bytes, bytes]) -> list[Command]:
        try:
            return self._projection.project(Record(record.topic, record.partition, record.key or b"", record.value))
        except UnreadableError as error:
            self._unreadable += 1
            self._metrics.unreadable.inc()
            where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            _log.error("unreadable", **where, error=str(error))
            return []

    async def _say_health(self, positions: Positions) -> None:
        if not positions.items() <= (await self._store.positions()).items():
            self._positions = None
            return
        health = Health(
            as_of=self._now_ms(),
            worker=self._settings.worker,
            lag_records=await self._source.lag_records(),
            history_left=await self._source.history_left(),
            history_begun_with=self._history_begun_with,
            unreadable=self._unreadable,
            rebuilds=self._rebuilds,
        )
        await self._store.say(health)
        self._metrics.lag.set(health.lag_records)
        self._metrics.history_left.set(health.history_left)
        self._metrics.said.set(health.as_of / 1000)
        self._said_at = monotonic()
