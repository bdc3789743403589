"""What does not cost: how wide windows are, and partners who lie idle. CPU of the engine alone, in memory.

    python -m bench.flat [EVENTS]

The same load under windows of another number and width, and beside partners each of whom had an event two hours before it.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import process_time
from typing import Final

import orjson

from bench.broker import PARTITIONS
from bench.engine import END_MS, Stopwatch, engines, finish, play, runs
from bench.load import EVENTS_A_SECOND
from models.settings import Settings
from models.topics import partition_of
from models.windows import HOUR_MS
from streams.engine import Budget, Engine
from streams.trial.offline import Record

__all__ = ["Case", "measure", "page"]

IDLE: Final = 1_000
_UNBOUND: Final = Budget(10**12, 10**12)


@dataclass(slots=True)
class Case:
    """One way to have the same events."""

    name: str
    windows: tuple[str, ...] | None
    """None for all ten."""
    idle: int = 0
    """Partners who lie idle beside the busy ones."""
    cpu_us: list[float] = field(default_factory=list)
    """Of an event, repeat by repeat; so are the others."""
    records_a_second: list[float] = field(default_factory=list)
    bytes_a_second: list[float] = field(default_factory=list)


def _cases() -> list[Case]:
    return [
        Case("one window of 5 min", ("5m",)),
        Case("one window of 30 days", ("30d",)),
        Case("four windows, 5 min to 24 h", ("5m", "15m", "1h", "24h")),
        Case("ten windows", None),
        Case(f"ten windows, {IDLE:,} partners idle", None, IDLE),
    ]


def _quieted(made: Sequence[Engine], settings: Settings, idle: int, at_ms: int) -> None:
    """Have partners who were heard of once, two hours before `at_ms`, and everything published of them."""
    for number, engine in enumerate(made):
        names = [name for name in (f"idle-{each:04}" for each in range(idle)) if partition_of(name, PARTITIONS) == number]
        event = {"type": "survey.response", "survey": "csat", "score": 4, "occurred_at": at_ms - 2 * HOUR_MS}
        values = [orjson.dumps(event | {"event_id": name, "partner_id": name}) for name in names]
        records = [
            Record(settings.topics.surveys, number, at, at_ms - 2 * HOUR_MS, name.encode(), value)
            for at, (name, value) in enumerate(zip(names, values, strict=True))
        ]
        if records:
            finish(engine.apply(settings.topics.surveys, 0, records, at_ms))
        for topic in settings.topics.subscribed:
            engine.idle(topic, at_ms)
        finish(engine.advance())
        engine.drain(at_ms, _UNBOUND)


def _once(case: Case, load: Sequence[Sequence[Record]]) -> None:
    settings, count = Settings(partitions=PARTITIONS), sum(map(len, load))
    made = engines(Stopwatch(), settings, case.windows)
    _quieted(made, settings, case.idle, END_MS - count * 1_000 // EVENTS_A_SECOND)
    gc.collect()
    gc.disable()  # What cycles cost depends on what else lives in the process.
    begun = process_time()
    written = play(Stopwatch(), made, load)
    case.cpu_us.append(1e6 * (process_time() - begun) / count)
    gc.enable()
    case.records_a_second.append(written["records"] / written["rounds"])
    case.bytes_a_second.append(written["record_bytes"] / written["rounds"])


def measure(count: int, repeats: int, say: Callable[[str], None]) -> list[Case]:
    """Each case so often, in turns."""
    cases, load = _cases(), runs(count, Settings(partitions=PARTITIONS).topics.interactions)
    for repeat in range(repeats):
        for case in cases:
            _once(case, load)
            say(f"flat, {repeat + 1} of {repeats}: {case.name}: {case.cpu_us[-1]:.1f} µs an event")
    return cases


def page(cases: Sequence[Case]) -> str:
    """The part of docs/benchmarks.md."""
    lines = [
        f"| {case.name} | {median(case.cpu_us):,.1f} ({min(case.cpu_us):,.1f} to {max(case.cpu_us):,.1f})"
        f" | {median(case.records_a_second):,.0f} | {median(case.bytes_a_second) / 1e6:,.2f} |"
        for case in cases
    ]
    table = "\n".join(lines)
    return f"""
## Width, and partners who lie idle

The engine alone, the same events; an idle partner had one event two hours before. Every window more is work where figures are made,
so CPU grows a little with their number; not with their width, nor with who lies idle. The limits of a worker (2,000 records and 5 MB a
second) bind in each case; transitions and heartbeats are outside them.

| policy | CPU µs an event: median (range) | records a second | MB of records a second |
| --- | --- | --- | --- |
{table}
"""


if __name__ == "__main__":
    print(page(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, 3, print)))
