"""`outwatch run`: one worker, from start to end."""

import asyncio
import gc
from typing import Final, NoReturn

import faust
import structlog

from models.settings import Settings
from streams.admin import require_topics
from streams.app import build_app
from streams.health.signs import SignsOfLife
from streams.partitioner_check import partitioner_remark

__all__ = ["main"]

log = structlog.stdlib.get_logger("outwatch.worker")

_COLLECT_AFTER: Final = (1_000_000, 20, 20)
"""Objects made, and collections, after which the collector looks for cycles. Records come and go in thousands and hold none; at its
defaults, which count 700 objects, it took 6 of 29 µs an event, and at 100,000 still 3 of 19."""


class Worker(faust.Worker):
    """Faust's worker, without its banner and spinner; logging was configured before."""

    def _setup_logging(self) -> None:
        self.spinner = None

    def execute_from_commandline(self) -> NoReturn:
        """Run until a signal ends it, and exit."""
        gc.set_threshold(*_COLLECT_AFTER)
        gc.enable()
        super().execute_from_commandline()


async def _look(settings: Settings) -> list[str]:
    """See that the topics are as they must be; returns what else is worth knowing."""
    remarks = [str(finding) for finding in await require_topics(settings)]
    partitioner = await partitioner_remark(settings)
    return remarks if partitioner is None else [*remarks, partitioner]


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; leaves by `sys.exit` with Faust's exit code, or `streams.owner.INVARIANT_EXIT`.

    Raises:
        TopicsError: if topics are missing or wrong.
    """
    for remark in asyncio.run(_look(settings)):
        log.warning("remark", remark=remark)
    app = build_app(settings)
    log.info("starts", worker=settings.worker, app_id=settings.app_id, brokers=settings.brokers, partitions=settings.partitions)
    Worker(app, SignsOfLife(app, settings), quiet=True, redirect_stdouts=False).execute_from_commandline()
