"""The same KPIs in plain Faust: an agent a message, and a hopping table of 5 minutes by 10 seconds, by partner.

As its documentation has it, and less than outwatch does: no queues and channels, one window instead of four, no duplicates, no rules, no
lateness; figures once a second for the partners that changed. A process of its own, with `OUTWATCH_` settings in its environment:
`python -m bench.plain_faust TOPIC RECORDS` prints one JSON object.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from time import perf_counter, process_time
from typing import Any, Final

import faust
import orjson

from bench.broker import PARTITIONS
from bench.load import Arrival, Measures, measures_of
from models.kpis import figures
from models.measures import from_names
from models.policy import DEFAULT_SHARED
from models.settings import Settings

HOP_MS: Final = 10_000
WIDTH_MS: Final = 300_000
OUT: Final = "plain-faust-kpis"


class _Progress:
    def __init__(self) -> None:
        self.read = 0
        self.begun = self.cpu = 0.0
        self.changed: set[str] = set()
        self.last_ms = 0


def _plus(have: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return have | {name: have.get(name, 0) + value for name, value in more.items()}


def build_app(settings: Settings, topic: str, records: int) -> faust.App:
    """An app that counts, publishes, and reports after `records`."""
    app = faust.App(
        settings.app_id,
        broker=f"kafka://{settings.brokers}",
        autodiscover=False,
        consumer_auto_offset_reset="earliest",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        value_serializer="json",
        web_enabled=False,
    )
    windows: Any = app.Table("figures", default=dict, partitions=PARTITIONS).hopping(WIDTH_MS / 1000, HOP_MS / 1000, expires=3_600)
    table = windows.relative_to(lambda event: event.value["occurred_at"] / 1000)
    out = app.topic(OUT, partitions=PARTITIONS)
    progress = _Progress()

    @app.agent(app.topic(topic))
    async def count(stream: Any) -> None:
        async for event in stream:
            if progress.read == 0:
                progress.begun, progress.cpu = perf_counter(), process_time()
            table[event["partner_id"]].apply(_plus, dict(+measures_of(event)))
            progress.changed.add(event["partner_id"])
            progress.last_ms = event["occurred_at"]
            progress.read += 1
            if progress.read == records:
                _report(progress, table)

    @app.timer(interval=1.0)  # type: ignore[untyped-decorator] # Faust's
    async def publish() -> None:
        end = progress.last_ms - progress.last_ms % HOP_MS
        window = ((end - WIDTH_MS) / 1000 + HOP_MS / 1000, end / 1000 + HOP_MS / 1000 - 0.1)
        for partner in list(progress.changed):
            flat = from_names(table.table.data.get((partner, window), {}))
            await out.send(key=partner, value=figures(flat, None, DEFAULT_SHARED.definition, mixed_basis=False))
        progress.changed.clear()

    return app


def _report(progress: _Progress, table: Any) -> None:
    measured = {
        "events": progress.read,
        "seconds": perf_counter() - progress.begun,
        "cpu_seconds": process_time() - progress.cpu,
        "windows": [[partner, round(1000 * start), measures] for (partner, (start, _)), measures in table.table.data.items()],
    }
    sys.stdout.buffer.write(b"\n" + orjson.dumps(measured) + b"\n")  # Faust has left its greeting on the line.
    sys.stdout.flush()


def truth_of_windows(arrivals: Iterable[Arrival]) -> dict[tuple[str, int], Measures]:
    """By partner and window start, what must stand in the table; duplicates count, since nothing removes them."""
    found: dict[tuple[str, int], Measures] = {}
    for arrival in arrivals:
        last = arrival.event["occurred_at"] - arrival.event["occurred_at"] % HOP_MS
        for start in range(last - WIDTH_MS + HOP_MS, last + 1, HOP_MS):
            found.setdefault((arrival.partner, start), Counter()).update(measures_of(arrival.event))
    return {place: +measures for place, measures in found.items()}


def main(topic: str, records: int) -> None:
    """Run it as Faust's own command line does."""
    faust.Worker(build_app(Settings(), topic, records), quiet=True, loglevel="warn", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
