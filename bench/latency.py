"""From produce to figure, as a reader sees it: how long each event took until a committed KPI record held it.

The record of the whole partner and the 1 h window says how many events it holds. A partner's events lie in one partition, in order, so
that number names the last event that is in. An alert is held against the moment at which it could be decided: its grid point and the
time that is allowed for stragglers.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from bench.live import Event
from models.clock import now_ms
from models.settings import Settings

__all__ = ["Follower", "Waits", "following"]

_COUNTED: Final = ("arrivals", "answered", "abandoned", "handled", *(f"csat_{score}" for score in range(1, 6)))
"""The measures of which each event of the load adds one to one."""
_STEP_MS: Final = 10
_SETTLE_MS: Final = 5_000
"""The example policy's."""


class Waits:
    """How long events waited, in steps of 10 ms."""

    def __init__(self) -> None:
        self._steps: Counter[int] = Counter()

    def add(self, wait_ms: int, count: int = 1) -> None:
        """`count` events waited `wait_ms`."""
        self._steps[max(0, wait_ms) // _STEP_MS] += count

    def update(self, other: "Waits") -> None:
        """Those of others too."""
        self._steps.update(other._steps)

    @property
    def count(self) -> int:
        """Of events."""
        return self._steps.total()

    def quantile(self, share: float) -> float | None:
        """The time that a share of the events did not wait longer than, in seconds; None without events."""
        left = share * self.count
        for step in sorted(self._steps):
            left -= self._steps[step]
            if left <= 0:
                return (step + 1) * _STEP_MS / 1000
        return None


@dataclass
class Follower:
    """Reads what workers write."""

    group_of: Callable[[str], str] = lambda _: "all"
    """Which of `waits` an event of a partner counts in."""
    waits: dict[str, Waits] = field(default_factory=dict)
    """By group; whoever reads them may take them away."""
    alerts: Waits = field(default_factory=Waits)
    records: Counter[str] = field(default_factory=Counter)
    """Of each topic that is followed, tombstones included."""
    sizes: Counter[str] = field(default_factory=Counter)
    """Bytes of keys and values, by topic."""
    _written: dict[str, deque[tuple[int, int]]] = field(default_factory=dict)
    """By partner: (when, how many) of what no record holds yet."""
    _seen: Counter[str] = field(default_factory=Counter)
    """By partner: how many events its last record held."""

    def written(self, events: Iterable[Event]) -> None:
        """These are being written, at their times."""
        for event in events:
            if event.counts:
                queue = self._written.setdefault(event.partner, deque())
                if queue and queue[-1][0] == event.at_ms:
                    queue[-1] = event.at_ms, queue[-1][1] + 1
                else:
                    queue.append((event.at_ms, 1))

    @property
    def missing(self) -> int:
        """Events that no record holds yet."""
        return sum(count for queue in self._written.values() for _, count in queue)

    def take(self, record: ConsumerRecord, settings: Settings, at_ms: int) -> None:
        """A record was read at `at_ms`."""
        self.records[record.topic] += 1
        self.sizes[record.topic] += len(record.key or b"") + len(record.value or b"")
        if record.value is None:
            return
        if record.topic == settings.topics.kpis and record.key.endswith(b"/all/1h"):
            body = orjson.loads(record.value)
            self._figure(body["partner"], sum(body["measures"].get(name, 0) for name in _COUNTED), at_ms)
        elif record.topic == settings.topics.alerts:
            self.alerts.add(at_ms - orjson.loads(record.value)["evaluated_at"] - _SETTLE_MS)

    def _figure(self, partner: str, count: int, at_ms: int) -> None:
        queue = self._written.get(partner)
        new = count - self._seen[partner]
        self._seen[partner] = count
        waits = self.waits.setdefault(self.group_of(partner), Waits())
        while queue and new > 0:
            written_ms, left = queue.popleft()
            taken = min(left, new)
            waits.add(at_ms - written_ms, taken)
            new -= taken
            if taken < left:
                queue.appendleft((written_ms, left - taken))


@asynccontextmanager
async def following(settings: Settings, follower: Follower) -> AsyncIterator[Follower]:
    """Read figures, alerts and the changelog from now on, until the end of the with statement."""
    topics = (settings.topics.kpis, settings.topics.alerts, settings.topics.changelog(settings.app_id))
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)

    async def follow() -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=200)
            at_ms = now_ms()
            for records in fetched.values():
                for record in records:
                    follower.take(record, settings, at_ms)

    task = asyncio.create_task(follow())
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await consumer.stop()
