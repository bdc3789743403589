"""The notifier: reads intents and incidents, sends what is due, and commits what is done with, for as long as it is let."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any, Final

import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from redis.asyncio import Redis

from models import clock
from models.errors import OutwatchError
from models.notifications import Notification
from models.settings import Settings
from models.topics import partition_of
from streams.admin import require_topics
from streams.connection import redis
from streams.health.notifier_metrics import NotifierMetrics
from streams.health.readiness import Note, Noted, Obstacle, Unready
from streams.health.server import endpoints
from streams.notifier.callbacks import Callbacks, listening
from streams.notifier.delivery import Delivery
from streams.notifier.handovers import Handovers
from streams.notifier.incidents import Incidents
from streams.notifier.lanes import Intent, Lanes
from streams.notifier.leases import Leases
from streams.notifier.partners import Partners
from streams.notifier.progress import Progress
from streams.notifier.reconcile import Reconciler
from streams.notifier.results import ACTOR, Commands
from streams.notifier.secrets import SecretsFolder
from streams.notifier.sender import Sender
from streams.notifier.source import READ_MAX, IncidentSource, IntentSource
from streams.notifier.standing import standing
from streams.notifier.storms import absorbed, handed_on
from streams.oncall.calendar import read_calendar, read_incidents
from streams.signals import stop_on_signals, wait_or_stop

__all__ = ["Notifier", "run_notifier"]

IN_FLIGHT_MAX: Final = 32
RECEIVER_MAX: Final = 4
UNFINISHED_MAX: Final = 5_000
"""Intents in memory; beyond it the oldest that fails gives way, and nothing more is read."""
READ_SECONDS: Final = 0.25
TICK_SECONDS: Final = 1.0
STANDING_SECONDS: Final = 60.0
HANDOVER_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 1.0
LEAVE_SECONDS: Final = 12.0
"""For what is being sent when we end, or when its partition goes to another: longer than one try."""

_log = structlog.stdlib.get_logger("outwatch.notifier")


async def run_notifier(settings: Settings) -> None:
    """Send pages until SIGTERM or Ctrl-C.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaConnectionError: if no broker answers at the start; later it waits.
    """
    stop = stop_on_signals()
    await require_topics(settings)
    async with Redis.from_url(**redis(settings)) as client:
        notifier = Notifier(settings, client, clock.now_ms)
        async with endpoints(settings, notifier):
            await notifier.run(stop)


class Notifier:
    """Of one process; any number share the partitions.

    Args:
        settings: brokers, topics, the folder of secrets, the mail server, and the application id that group and keys begin with.
        client: the Redis of leases and marks; pages are sent without it too.
        now_ms: the wall clock.
    """

    def __init__(self, settings: Settings, client: Redis, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._metrics = metrics = NotifierMetrics()
        self._secrets = SecretsFolder(settings.secrets_dir)
        self._lanes = Lanes(IN_FLIGHT_MAX, RECEIVER_MAX)
        self._incidents = incidents = Incidents()
        self._partners = Partners()
        self._sender = Sender(settings, self._secrets, now_ms)
        self._commands = Commands(settings, metrics.kafka.inc)
        leases = Leases(client, settings.app_id, settings.worker, self._redis_failed)
        self._delivery = Delivery(self._lanes, incidents, leases, self._sender, self._commands, metrics, now_ms, awake=self._is_awake)
        self._callbacks = Callbacks(self._secrets, incidents, self._commands, metrics, now_ms)
        self._intent_source = IntentSource(settings, self._go_on, self._give_up)
        self._incident_source = IncidentSource(settings)
        self._reconciler = Reconciler(self._sender, incidents, self._lanes.idle, self._is_mine, metrics, now_ms)
        self._handovers = Handovers(lambda: read_calendar(settings), lambda: read_incidents(settings), self._is_mine, now_ms)
        self._committed: dict[int, Progress] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._frozen_seconds = settings.session_timeout_seconds / 2
        self._turned = monotonic()
        """When the loop that sends turned last, and we were known to be of the group."""
        self._absorbed: set[str] = set()
        """Commands that were written; beyond a bound they are written again, which changes nothing."""
        self._ready = False

    def obstacles(self) -> Sequence[Obstacle]:
        """What keeps the notifier from being ready."""
        return [] if self._ready else [Obstacle(Unready.JOINING, "incidents are read, or the group is joined")]

    def notes(self) -> Sequence[Note]:
        """Secrets that were missing when a page needed them."""
        return [Note(Noted.NO_SECRET, why) for _, why in sorted(self._secrets.missing.items())]

    def _redis_failed(self) -> None:
        self._metrics.redis.inc()
        _log.warning("Redis does not answer: pages are sent without leases, and may come twice after a crash")

    def metrics(self) -> bytes:
        """Its metrics now."""
        oldest_ms = self._lanes.oldest_ms()
        self._metrics.unfinished.set(len(self._lanes))
        self._metrics.parked.set(len(self._delivery.digests.waiting()))
        self._metrics.oldest.set(0 if oldest_ms is None else max(0, self._now_ms() - oldest_ms) / 1000)
        self._metrics.paces.inc(self._sender.take_paces_dropped())
        return self._metrics.catalogue.text()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then what is under way is ended, and the offsets are committed."""
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._incident_source)
            if not await self._read_all_incidents(stop):
                return
            await held.enter_async_context(self._sender)
            await held.enter_async_context(self._commands)
            await held.enter_async_context(self._intent_source)
            await held.enter_async_context(listening(self._settings, self._callbacks))
            self._ready = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep(stop, self._read_intents))
                group.create_task(self._keep(stop, self._read_incidents))
                group.create_task(self._keep(stop, self._tick))
                asking = [group.create_task(self._keep(stop, each)) for each in (self._hand_over, self._stand)]
                await self._send(stop)
                for each in asking:
                    each.cancel()  # It may be reading whole topics, or waiting for an answer; whoever comes next does it again.
            self._ready = False
            await self._settle(self._sending)
            await self._commit()

    async def _keep(self, stop: asyncio.Event, step: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """One step after another; Kafka away is waited for."""
        while not stop.is_set():
            try:
                await step(stop)
            except KafkaError as error:
                self._metrics.kafka.inc()
                _log.warning("waits", kind=type(error).__name__, next_try_seconds=RETRY_SECONDS)
                await wait_or_stop(stop, RETRY_SECONDS)
        self._wake.set()

    async def _read_all_incidents(self, stop: asyncio.Event) -> bool:
        """Nothing is sent before what is over is known; False if we were told to stop meanwhile."""
        ends = await self._incident_source.ends()
        while not await self._incident_source.reached(ends):
            if stop.is_set():
                return False
            await self._read_incidents(stop)
        return True

    async def _read_incidents(self, _: asyncio.Event) -> None:
        for record in await self._incident_source.batch(READ_SECONDS):
            held = self._partners if record.topic == self._settings.topics.policies else self._incidents
            if not held.put(record.key or b"", record.value):
                self._metrics.unreadable.inc()
                _log.error("unreadable", topic=record.topic, partition=record.partition, offset=record.offset)

    async def _read_intents(self, _: asyncio.Event) -> None:
        room = len(self._lanes) < UNFINISHED_MAX
        # Nothing is awaited between the two: what was read of a partition that has gone since would be taken for ours.
        for record in await self._intent_source.batch(READ_SECONDS, room=room):
            self._take(record)
        if not room:
            await self._delivery.make_room(len(self._lanes) - UNFINISHED_MAX + READ_MAX)
        self._wake.set()

    def _take(self, record: ConsumerRecord[bytes, bytes]) -> None:
        place = (record.partition, record.offset)
        try:
            # A newer release may say more; what it says of old is enough to page somebody.
            notification = Notification.model_validate_json(record.value or b"null", extra="ignore")
        except ValidationError as error:
            self._metrics.unreadable.inc()
            at = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            _log.error("unreadable", **at, errors=error.error_count())
            self._lanes.passed(place)
            return
        self._incidents.saw(notification)
        self._lanes.add(notification, place, self._now_ms())

    async def _send(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._wake.clear()
            if not self._is_awake() and not await self._is_ours():
                continue
            self._turned = monotonic()
            now_ms = self._now_ms()
            for intent in self._lanes.take(now_ms):
                self._begin(self._carry(intent))
            for digest in self._delivery.digests.take(now_ms):
                self._begin(self._delivery.tell(digest))
            due = [each for each in (self._lanes.next_due_ms(), self._delivery.digests.next_due_ms()) if each is not None]
            # A lane that is due already waits for its receiver, which wakes us.
            ahead = [each - now_ms for each in due if each > now_ms]
            try:
                async with asyncio.timeout(min([TICK_SECONDS, *(each / 1000 for each in ahead)])):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _is_awake(self) -> bool:
        return monotonic() - self._turned < self._frozen_seconds

    async def _is_ours(self) -> bool:
        """After a stretch in which we were frozen: whether the group still has us; it would not take our word for an offset else."""
        try:
            if await self._intent_source.commit(self._lanes.progress()):
                return True
        except KafkaError:
            self._metrics.kafka.inc()
        await asyncio.sleep(RETRY_SECONDS)
        return False

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Nothing of it is shown but its type: it may hold what an answer repeated.
            _log.error("failed", kind=type(error).__name__)

    async def _carry(self, intent: Intent) -> None:
        try:
            await self._delivery.carry(intent)
        except BaseException:
            # Whatever it was, or where we are to end: it is not lost.
            self._lanes.retry(intent, self._now_ms() + 10_000)
            raise

    async def _tick(self, stop: asyncio.Event) -> None:
        await wait_or_stop(stop, TICK_SECONDS)
        if not stop.is_set():
            await self._commit()
            await self._absorb()

    async def _commit(self) -> None:
        progress = self._lanes.progress()
        if progress != self._committed:
            await self._intent_source.commit(progress)
            self._committed = progress

    async def _absorb(self) -> None:
        now_ms, incidents, partners = self._now_ms(), self._incidents, self._partners
        handed = handed_on(incidents.open(), incidents.is_over, now_ms, ACTOR)
        for command in (*handed, *absorbed(incidents.open(), partners.storm_min, partners.sources, now_ms, ACTOR)):
            if self._number(command.partner) in self._intent_source.partitions() and command.id not in self._absorbed:
                await self._commands.write(command)
                if len(self._absorbed) >= UNFINISHED_MAX:
                    self._absorbed.clear()
                self._absorbed.add(command.id)
                self._metrics.absorbed.inc()

    async def _stand(self, stop: asyncio.Event) -> None:
        """Tell every Alertmanager what is open, and none what is not."""
        await wait_or_stop(stop, TICK_SECONDS)
        if stop.is_set() or not self._intent_source.partitions():
            return
        ours, now_ms = self._intent_source.partitions(), self._now_ms()
        for state in self._incidents.open():
            if self._number(state.partner) in ours:
                for notification in standing(state, now_ms):
                    if self._lanes.idle(notification):
                        self._lanes.add(notification, None, now_ms)
        self._wake.set()
        # Behind the telling, so that nothing an Alertmanager answers keeps back what must not end there.
        await self._reconciler.look()
        await wait_or_stop(stop, STANDING_SECONDS)

    async def _hand_over(self, stop: asyncio.Event) -> None:
        """Tell whoever comes on call; of a stream that is played again nobody comes."""
        await wait_or_stop(stop, HANDOVER_SECONDS)
        if stop.is_set() or self._settings.clock == "log":
            return
        try:
            made = await self._handovers.take()
        except (OutwatchError, ValueError) as error:
            _log.warning("no shift reports", why=str(error)[:500])
            return
        for notification in made:
            self._lanes.add(notification, None, self._now_ms())
        self._wake.set()

    def _is_mine(self, name: str) -> bool:
        return self._number(name) in self._intent_source.partitions()

    def _number(self, partner: str) -> int:
        return partition_of(partner, self._settings.partitions, self._settings.partitioner)

    async def _go_on(self, partitions: Collection[int]) -> None:
        """Partitions come to us: what others were done with is not begun anew."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                committed = await self._intent_source.committed()
        except (KafkaError, TimeoutError):
            self._metrics.kafka.inc()  # Redis remembers most of it, and what comes twice comes with the same key.
            committed = {}
        for partition in partitions:
            self._lanes.go_on(partition, committed.get(partition, Progress(0, 0)))
        self._committed = {}
        self._wake.set()

    async def _give_up(self, partitions: Collection[int]) -> None:
        """Partitions go to another notifier: what is being sent of them comes first, then how far they are done with."""
        ends_at = asyncio.get_running_loop().time() + LEAVE_SECONDS
        self._lanes.hold(partitions)
        while self._lanes.of(partitions) and asyncio.get_running_loop().time() < ends_at:
            await asyncio.wait(self._sending, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        try:
            await self._commit()
        except KafkaError:
            self._metrics.kafka.inc()
        self._lanes.forget(partitions)
        self._delivery.digests.keep([intent for intent in self._delivery.digests.waiting() if self._lanes.holds(intent)])

    async def _settle(self, sending: set[asyncio.Task[None]]) -> None:
        """Let what is being sent end, and cut short what does not."""
        tasks = [*sending]
        if tasks:
            _, slow = await asyncio.wait(tasks, timeout=LEAVE_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
