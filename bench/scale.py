"""One, two and three workers over the same backlog: what they do together, and what an event costs them.

    python -m bench.scale

Workers share the partitions first; then ten minutes of events are written at once. Broker, writer and workers share the machine: where
it has two cores, workers cannot add up. The CPU time of an event is the figure that carries over.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.crew import cpu_seconds, crew
from bench.environment import environment
from bench.live import Live
from bench.policy import policy
from models.clock import now_ms
from models.settings import Settings
from streams.admin import create
from streams.local.kafka import LocalKafka
from streams.policies import apply_policy
from streams.produce import MAX_BUFFERED, Feed

__all__ = ["Scaled", "scale", "table"]

PARTITIONS: Final = 12
_SECONDS_MAX: Final = 200.0
_SPAN_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Scaled:
    """What some workers did."""

    held: list[int]
    """Partition numbers of each."""
    events: float
    seconds: float
    cpu_seconds: list[float]
    """Of each, from when the first event was written."""
    resident_bytes: list[int]
    """Of each, at the end."""
    broker_cpu_seconds: float


async def scale(events: int, crews: Iterable[int]) -> list[Scaled]:
    """Measure each number of workers, on topics of its own.

    Raises:
        TimeoutError: if a backlog is not counted in time.
    """
    found = []
    with TemporaryDirectory(prefix="outwatch-scale-") as folder, LocalKafka(Path(folder)) as kafka:
        for workers in crews:
            settings = Settings(
                brokers=kafka.bootstrap,
                app_id=f"scale-{workers}",
                topic_prefix=f"scale-{workers}.",
                partitions=PARTITIONS,
                replication=1,
            )
            await create(settings)
            await apply_policy(settings, policy(), now_ms())
            found.append(await _run(settings, workers, events, Path(folder), kafka.pid))
    return found


async def _run(settings: Settings, workers: int, events: int, folder: Path, broker: int) -> Scaled:
    async with crew(settings, workers, folder) as running:
        held = await running.held()
        before, broker_before, begun = running.cpu_seconds(), cpu_seconds(broker), time.monotonic()
        counted = await _fill(settings, events)
        async with asyncio.timeout(_SECONDS_MAX):
            while await running.total("outwatch_events_total") < counted:  # noqa: ASYNC110 - they are other processes
                await asyncio.sleep(0.2)
        seconds = time.monotonic() - begun
        used = [after - then for after, then in zip(running.cpu_seconds(), before, strict=True)]
        return Scaled(held, counted, seconds, used, running.resident_bytes(), cpu_seconds(broker) - broker_before)


async def _fill(settings: Settings, events: int) -> int:
    """Write a backlog of ten minutes, and return how many of its events count."""
    load, counted = Live(1000 * events / _SPAN_MS, contacts=min(16_000, events)), 0
    async with Feed(settings, ("interactions",)) as feed:
        for event in islice(load.events(now_ms() - _SPAN_MS), events):
            feed.put("interactions", event.partner, event.value)
            counted += event.counts
            if feed.buffered >= MAX_BUFFERED:
                await feed.flush()
        await feed.flush()
    return counted


def table(results: list[Scaled]) -> str:
    """What the page says."""
    lines = [
        "| workers | partitions of each | events/s | of each | CPU µs an event | the broker's | memory of each, MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in results:
        rate, workers = each.events / each.seconds, len(each.held)
        used, broker = 1e6 * sum(each.cpu_seconds) / each.events, 1e6 * each.broker_cpu_seconds / each.events
        held, memory = ", ".join(map(str, each.held)), ", ".join(f"{size / 1e6:.0f}" for size in each.resident_bytes)
        lines.append(f"| {workers} | {held} | {rate:,.0f} | {rate / workers:,.0f} | {used:.1f} | {broker:.1f} | {memory} |")
    return "\n".join(lines)


if __name__ == "__main__":
    for name, value in environment().items():
        sys.stdout.write(f"- {name}: {value}\n")
    sys.stdout.write(table(asyncio.run(scale(100_000, (1, 2, 3)))) + "\n")
