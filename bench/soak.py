"""Hours in the life of workers: a steady load, and minute by minute what they hold, use and take.

    python -m bench.soak MINUTES EVENTS_A_SECOND [WORKERS]

writes docs/soak.md. The load is made, and its figures are read back, on the same machine. At most 55 minutes: the 1 h window must hold
everything.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import Final

from bench.crew import Crew, cpu_seconds, crew
from bench.environment import environment
from bench.latency import Follower, Waits, following
from bench.live import CONTACTS, Live, play
from bench.policy import policy
from models.clock import now_ms
from models.settings import Settings
from streams.admin import create
from streams.local.kafka import LocalKafka
from streams.policies import apply_policy
from streams.produce import Feed

__all__ = ["Minute", "Soak", "page", "soak"]

PARTITIONS: Final = 12
MINUTES_MAX: Final = 55
_SETTLED: Final = 15
"""Minutes until event ids are forgotten as fast as they come: before, memory grows by them."""
_POINTS_MIN: Final = 3
"""Two are always on a line."""
_CATCH_UP_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Minute:
    """What was seen in a minute, or at its end."""

    seconds: float
    events: float
    """Counted by the workers, in all."""
    p50_seconds: float | None
    p99_seconds: float | None
    max_seconds: float | None
    resident_bytes: int
    cpu_seconds: float
    broker_cpu_seconds: float
    seen_ids: float
    lag_records: float
    figures: int
    figure_bytes: int
    rows: int
    row_bytes: int
    load_average: float
    """Of the whole machine: over the number of its cores, somebody waits."""


@dataclass(frozen=True, slots=True)
class Soak:
    """The whole of it."""

    per_second: float
    workers: int
    minutes: list[Minute]
    alerts: Waits
    all_events: Waits
    behind_ms: int
    """By which the load itself was late at most."""
    missing: int
    """Events that were in no figure a minute after the end."""
    disk_bytes: dict[str, int]
    """Of the broker's logs, by topic, at the end."""

    @property
    def settled(self) -> int:
        """The minutes before memory has settled; half of them all, where it has not."""
        return _SETTLED if len(self.minutes) >= _SETTLED + _POINTS_MIN else len(self.minutes) // 2

    def slope(self, values: Sequence[float]) -> float | None:
        """By how much values, one a minute, grow an hour, since memory has settled; None for too few."""
        fitted = values[self.settled :]
        return 60 * linear_regression(range(len(fitted)), fitted).slope if len(fitted) >= _POINTS_MIN else None


class _Watch:
    """Takes the difference between now and the last time."""

    def __init__(self, workers: Crew, follower: Follower, settings: Settings, broker: int) -> None:
        self._workers = workers
        self._follower = follower
        self._topics = settings.topics.kpis, settings.topics.changelog(settings.app_id)
        self._broker = broker
        self._at_ms = now_ms()
        self._before = self._now(0.0)
        self.all_events = Waits()

    def _now(self, events: float) -> list[float]:
        follower, (kpis, rows) = self._follower, self._topics
        used = [sum(self._workers.cpu_seconds()), cpu_seconds(self._broker)]
        return [events, *used, follower.records[kpis], follower.sizes[kpis], follower.records[rows], follower.sizes[rows]]

    async def look(self) -> Minute:
        """Since the last look."""
        told = await self._workers.metrics()
        names = ("outwatch_events_total", "outwatch_seen_ids", "outwatch_lag_records")
        events, seen, lag = (sum(value for each in told for key, value in each.items() if key.partition("{")[0] == name) for name in names)
        before_ms, self._at_ms = self._at_ms, now_ms()
        before, self._before = self._before, self._now(events)
        counted, cpu, broker, figures, figure_bytes, rows, row_bytes = (now - then for now, then in zip(self._before, before, strict=True))
        waits = self._follower.waits.pop("all", Waits())
        self.all_events.update(waits)
        return Minute(
            (self._at_ms - before_ms) / 1000,
            counted,
            waits.quantile(0.5),
            waits.quantile(0.99),
            waits.quantile(1),
            sum(self._workers.resident_bytes()),
            cpu,
            broker,
            seen,
            lag,
            int(figures),
            int(figure_bytes),
            int(rows),
            int(row_bytes),
            os.getloadavg()[0],
        )


async def soak(seconds: float, per_second: float, workers: int, *, every_seconds: float = 60.0, contacts: int = CONTACTS) -> Soak:
    """Run."""
    load = Live(per_second, contacts=contacts)
    with TemporaryDirectory(prefix="outwatch-soak-") as folder, LocalKafka(Path(folder)) as kafka:
        settings = Settings(brokers=kafka.bootstrap, app_id="soak", partitions=PARTITIONS, replication=1)
        await create(settings)
        await apply_policy(settings, policy(), now_ms())
        async with (
            crew(settings, workers, Path(folder)) as running,
            following(settings, Follower()) as follower,
            Feed(settings, ("interactions",)) as feed,
        ):
            watch = _Watch(running, follower, settings, kafka.pid)
            minutes: list[Minute] = []
            playing = asyncio.create_task(play(feed, [load], seconds, follower.written))
            while not playing.done():
                await asyncio.wait([playing], timeout=every_seconds)
                minutes.append(await watch.look())
                print(line(len(minutes), minutes[-1]), flush=True)
            missing = await _caught_up(follower)
            last = follower.waits.pop("all", Waits())
            watch.all_events.update(last)
            disk = _disk(Path(folder) / "log")
            return Soak(per_second, workers, minutes, follower.alerts, watch.all_events, playing.result(), missing, disk)


async def _caught_up(follower: Follower) -> int:
    try:
        async with asyncio.timeout(_CATCH_UP_SECONDS_MAX):
            while follower.missing:  # noqa: ASYNC110 - it reads what another process writes
                await asyncio.sleep(0.2)
    except TimeoutError:
        pass
    return follower.missing


def _disk(log: Path) -> dict[str, int]:
    """Bytes by topic."""
    found: dict[str, int] = {}
    for folder in log.iterdir():
        if folder.is_dir():
            name = folder.name.rpartition("-")[0]
            found[name] = found.get(name, 0) + sum(each.stat().st_size for each in folder.glob("*.log"))
    return found


_COLUMNS: Final = (
    *("minute", "events/s", "p50 s", "p99 s", "worst s", "lag", "memory MB", "seen ids", "CPU µs an event", "broker's"),
    *("figures/s", "kB/s", "rows/s", "kB/s", "load average"),
)
HEAD: Final = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}"


def line(number: int, minute: Minute) -> str:
    """A row of the table."""
    events, seconds = max(1.0, minute.events), minute.seconds
    waits = [_seconds(each) for each in (minute.p50_seconds, minute.p99_seconds, minute.max_seconds)]
    cells = [
        f"{minute.events / seconds:,.0f}",
        *waits,
        f"{minute.lag_records:,.0f}",
        f"{minute.resident_bytes / 1e6:,.0f}",
        f"{minute.seen_ids:,.0f}",
        f"{1e6 * minute.cpu_seconds / events:.1f}",
        f"{1e6 * minute.broker_cpu_seconds / events:.1f}",
        f"{minute.figures / seconds:,.0f}",
        f"{minute.figure_bytes / 1000 / seconds:,.0f}",
        f"{minute.rows / seconds:,.0f}",
        f"{minute.row_bytes / 1000 / seconds:,.0f}",
        f"{minute.load_average:.1f}",
    ]
    return f"| {number} | {' | '.join(cells)} |"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _growth(value: float | None, unit: str) -> str:
    return "too short to say" if value is None else f"{value:+,.2f} {unit} an hour"


def page(result: Soak, where: dict[str, str]) -> str:
    """docs/soak.md."""
    minutes = result.minutes
    memory = result.slope([each.resident_bytes / 1e6 for each in minutes])
    p99 = result.slope([each.p99_seconds or 0.0 for each in minutes])
    disk = ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in sorted(result.disk_bytes.items(), key=lambda each: -each[1])[:4])
    lines = "\n".join(line(number, minute) for number, minute in enumerate(minutes, 1))
    waits, alerts = result.all_events, result.alerts
    return f"""\
# Soak

Written by `make soak`: {result.per_second:,.0f} events a second for {sum(each.seconds for each in minutes) / 60:.1f} minutes, 200 partners
of 9 scopes, {PARTITIONS} partitions, {result.workers} worker(s). The load is made, and every figure read back, on the same machine.

{chr(10).join(f"- {name}: {value}" for name, value in where.items())}

## What was seen

- from produce to the committed KPI record that holds the event, of {waits.count:,} events: p50 {_seconds(waits.quantile(0.5))} s,
  p99 {_seconds(waits.quantile(0.99))} s, p99.9 {_seconds(waits.quantile(0.999))} s (wanted: p99 under 1.5 s)
- from the moment an alert is decidable to its record, of {alerts.count:,} transitions: p50 {_seconds(alerts.quantile(0.5))} s,
  p99 {_seconds(alerts.quantile(0.99))} s (wanted: under 2.5 s)
- memory grows by {_growth(memory, "MB")}, p99 by {_growth(p99, "s")}, from minute {result.settled + 1} on
- lag at the end: {minutes[-1].lag_records:,.0f} records; events in no figure a minute after: {result.missing:,}
- the load itself was late by at most {result.behind_ms / 1000:.1f} s, which counts as waiting
- the broker's logs at the end: {disk}

## Minute by minute

Event ids are remembered for 15 minutes, and panes of 10 s kept for 35: until then memory grows with them. CPU is that of the workers
and of the broker, by event.

{HEAD}
{lines}
"""


def main(arguments: list[str]) -> int:
    """The exit code: 2 for arguments that mean nothing."""
    try:
        minutes, per_second, workers = float(arguments[0]), float(arguments[1]), int(arguments[2]) if arguments[2:] else 1
    except (IndexError, ValueError):
        minutes = per_second = workers = 0
    if not 0 < minutes <= MINUTES_MAX or per_second <= 0 or workers < 1:
        sys.stderr.write(f"usage: python -m bench.soak MINUTES (up to {MINUTES_MAX}) EVENTS_A_SECOND [WORKERS]\n")
        return 2
    where = environment()
    print(HEAD, flush=True)
    text = page(asyncio.run(soak(60 * minutes, per_second, workers)), where)
    (Path(__file__).parents[1] / "docs" / "soak.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
