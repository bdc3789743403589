"""outwatch itself: the worker's own app, from a filled topic to committed figures.

A process of its own, with `OUTWATCH_` settings in its environment: `python -m bench.outwatch RECORDS` prints one JSON object when
everything is applied and committed, goes on like any worker so that its last figures can be read, and ends by SIGTERM.
"""

import asyncio
import sys
from time import perf_counter, process_time

import orjson

from models.settings import Settings
from streams.app import OutwatchApp, build_app
from streams.logs import configure_logging
from streams.worker import Worker

_POLL_SECONDS = 0.01


def _applied(app: OutwatchApp, topic: str) -> int:
    return sum(holding.engine.applied.get(topic, 0) for holding in app.owner.holdings.values())


async def measure(app: OutwatchApp, topic: str, records: int) -> None:
    """Watch from the first run that is applied to the commit after the last; the events of that first run are not counted."""
    process_begun = perf_counter()
    while (before := _applied(app, topic)) == 0:  # noqa: ASYNC110 - the app is as it is, and tells nobody
        await asyncio.sleep(_POLL_SECONDS)
    begun, cpu = perf_counter(), process_time()
    while _applied(app, topic) < records:  # noqa: ASYNC110 - as above
        await asyncio.sleep(_POLL_SECONDS)
    await app.owner.commit(everything=True)
    measured = {
        "events": records - before,
        "seconds": perf_counter() - begun,
        "cpu_seconds": process_time() - cpu,
        "ready_seconds": begun - process_begun,
        "counters": _counters(app),
    }
    sys.stdout.buffer.write(orjson.dumps(measured) + b"\n")
    sys.stdout.flush()


def _counters(app: OutwatchApp) -> dict[str, int]:
    engines = [holding.engine for holding in app.owner.holdings.values()]
    names = {name for engine in engines for name in engine.counters}
    return {name: sum(engine.counters.get(name, 0) for engine in engines) for name in sorted(names)}


def main(records: int) -> None:
    """Run the worker with the watch beside it."""
    settings = Settings()
    configure_logging()
    app = build_app(settings)
    app.task(lambda: measure(app, settings.topics.interactions, records))
    Worker(app, quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(int(sys.argv[1]))
