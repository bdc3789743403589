"""What is seen, and the connection by which; made anew where it cannot be gone on with."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from alerts.audit.seen import Seen
from models.settings import Settings
from streams.auditor.source import AnewError, Source
from streams.errors import TopicsError

__all__ = ["Watch"]

CONNECT_SECONDS_MAX: Final = 20.0
CLOSE_SECONDS_MAX: Final = 5.0

_log = structlog.stdlib.get_logger("outwatch.auditor")


class Watch:
    """Of one auditor; `seen` is another object after each connection.

    Args:
        settings: brokers, topics and partitions.
        started_ms: as in `alerts.audit.seen.Seen`.
    """

    def __init__(self, settings: Settings, started_ms: int) -> None:
        self._settings = settings
        self._source: Source | None = None
        self.seen = Seen(started_ms)
        self.records = 0
        self.unreadable = 0

    async def look(self, now_ms: int) -> bool:
        """Bring `seen` up to now; False with the obstacle said where that is not reached."""
        try:
            source = await self._connected(now_ms)
            try:
                await source.look(now_ms)
            finally:
                self.records += source.records
                self.unreadable += source.unreadable
                source.records = source.unreadable = 0
        except (KafkaError, TopicsError, TimeoutError, OSError) as error:
            kind, text = type(error).__name__, str(error).partition("\n")[0]
            # aiokafka's errors begin with their name.
            why = text if text.startswith(kind) else f"{kind}: {text}" if text else kind
            if isinstance(error, AnewError):
                await self.close()
            if why != self.seen.obstacle:
                _log.warning("cannot see", why=why)
            self.seen.obstacle = why
            return False
        return True

    async def _connected(self, now_ms: int) -> Source:
        if self._source is None:
            # What was deleted while nobody read may have left no trace: everything is read anew.
            former, self.seen = self.seen, Seen(self.seen.started_ms)
            self.seen.obstacle = former.obstacle
            source = Source(self._settings, self.seen)
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                await source.__aenter__()
            self._source = source
            try:
                await source.begin(now_ms)
            except BaseException:
                await self.close()
                raise
        return self._source

    async def close(self) -> None:
        """Disconnect."""
        source, self._source = self._source, None
        if source is not None:
            with suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await source.__aexit__(None, None, None)
