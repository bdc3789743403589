"""The desk: the API in a process of its own. Nothing is kept in it, so that any number of them may stand side by side."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from secrets import token_bytes, token_hex
from time import monotonic
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from redis.asyncio import Redis

from desk.api import Api, Send
from desk.identity import Identity
from desk.metrics import Metrics
from desk.server import application
from desk.sessions import Sessions
from desk.streams import Streams
from desk.users import UsersFile
from desk.view import ViewReader
from desk.watch import Watch
from models.settings import Settings
from models.topics import partition_of
from models.view import Keys

__all__ = ["Desk"]

KEEPALIVE_SECONDS: Final = 75.0
"""A connection on which nothing is asked is closed, also one that has not said all of its first request by then."""


_log = structlog.stdlib.get_logger("outwatch.desk")


class Desk:
    """Serves the API until it is told to end.

    Args:
        settings: where to listen, who may look, and the application id that the keys of the view begin with.
        client: the Redis of the view.
        send: writes a command to Kafka.
        now_ms: the wall clock.
        metrics: takes counts.

    Raises:
        FileError: if the file of users does not hold.
    """

    def __init__(self, settings: Settings, client: Redis, send: Send, now_ms: Callable[[], int], metrics: Metrics) -> None:
        secret = settings.desk_secret
        # Without a secret of its own a desk signs what only itself can read, until it ends.
        key = token_bytes(32) if secret is None else secret.get_secret_value().encode()
        users = UsersFile(settings.desk_users, monotonic)
        header, proxies = settings.desk_identity_header, settings.desk_trusted_proxies
        identity = Identity(users, Sessions(key), header, proxies, now_ms, monotonic, metrics.forgotten)
        place = partial(partition_of, partitions=settings.partitions, partitioner=settings.partitioner)
        self._settings = settings
        self._stop = asyncio.Event()
        self._watch = Watch(ViewReader(client, Keys(settings.app_id)), now_ms, settings.clock, place)
        streams = Streams(self._watch, now_ms, self._stop, metrics)
        # The ids of commands are new each time: the workers only ever repeat ids.
        api = Api(self._watch, identity, streams, send, partial(token_hex, 8), now_ms, metrics)
        self._app = application(api, identity, metrics)
        self.port = settings.desk_port
        """Where it listens, once it does."""
        if not users.now().users:
            _log.warning("nobody may use the desk: name users in a file (OUTWATCH_DESK_USERS; outwatch desk token)")

    @property
    def sees(self) -> bool:
        """Whether Redis answers."""
        return self._watch.fresh

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`.

        Raises:
            OSError: if the port is taken.
        """
        # No body is unpacked: of what is sent as gzip nothing is JSON, and nothing grows.
        how: dict[str, Any] = {"keepalive_timeout": KEEPALIVE_SECONDS, "auto_decompress": False, "logger": _http_log()}
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1.0, **how)
        await runner.setup()
        watching = asyncio.create_task(self._watch.run(self._stop))
        try:
            site = web.TCPSite(runner, self._settings.desk_host, self._settings.desk_port)
            await site.start()
            self.port = runner.addresses[0][1]
            _log.info("listens", host=self._settings.desk_host, port=self.port)
            await stop.wait()
        finally:
            self._stop.set()
            await watching
            await runner.cleanup()


class _NoTraceback(logging.Filter):
    """Whoever sends what is no HTTP leaves a line in the log: a traceback of the parser says nothing of us."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            record.exc_info = None
        return True


def _http_log() -> logging.Logger:
    made = logging.getLogger("outwatch.desk.http")
    made.filters = [_NoTraceback()]
    return made
