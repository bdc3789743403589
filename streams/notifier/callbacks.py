"""The listener for what pagers and chats call back: acknowledge and resolve become commands.

| path | who calls | secret, a file in the folder; a line a key that is accepted |
| --- | --- | --- |
| `POST /pagerduty` | PagerDuty's webhooks, version 3 | `callback-pagerduty` |
| `POST /slack` | Slack's interactivity | `callback-slack` |
| `POST /webhook` | a server of yours, by Standard Webhooks | `callback-webhook` |

200 is taken, or of no concern to us; 401 is a signature that does not hold, 400 what makes no sense, 413 too large, 503 Kafka away:
call again. No answer says more. The command's id is made of the delivery's, so that one that comes twice acts once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, Protocol
from uuid import UUID, uuid5

import structlog
from aiohttp import web
from aiokafka.errors import KafkaError
from pydantic import BaseModel

from alerts.notify.back import pagerduty, slack, webhook
from alerts.notify.back.reply import Ask, CallbackError, ForgedError, Reply
from alerts.notify.text import cut, one_line
from models.incident_commands import INCIDENT_ACK, INCIDENT_RESOLVE, IncidentAck, IncidentResolve
from models.operation import Command
from models.settings import Settings
from streams.health.notifier_metrics import NotifierMetrics
from streams.notifier.incidents import Incidents
from streams.notifier.results import Commands
from streams.notifier.secrets import MissingSecretError, SecretsFolder

__all__ = ["BODY_BYTES_MAX", "Callbacks", "command_of", "listening"]

BODY_BYTES_MAX: Final = 64 << 10
_ACTOR_MAX: Final = 100
_ANSWER_SECONDS: Final = 2.5
"""Slack waits for three; what is written after that acts once, however often it is called."""
_NAMES: Final = UUID("5c9a0d6e-4b7e-4f60-8f3b-7d1d3b2d9c44")

_log = structlog.stdlib.get_logger("outwatch.notifier")


class _Read(Protocol):
    def __call__(self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], now_ms: int) -> Reply | None: ...


_READERS: Final[dict[str, _Read]] = {"pagerduty": pagerduty.read, "slack": slack.read, "webhook": webhook.read}
_TYPES: Final[dict[Ask, tuple[str, type[BaseModel]]]] = {
    Ask.ACKNOWLEDGE: (INCIDENT_ACK, IncidentAck),
    Ask.RESOLVE: (INCIDENT_RESOLVE, IncidentResolve),
}


def command_of(reply: Reply, partner: str, now_ms: int) -> Command:
    """The command that does what somebody asked for."""
    kind, payload = _TYPES[reply.ask]
    return Command(
        id=str(uuid5(_NAMES, reply.delivery)),
        type=kind,
        actor=cut(one_line(reply.actor), _ACTOR_MAX),
        at=now_ms,
        partner=partner,
        payload=payload(incident=reply.incident).model_dump(mode="json", exclude_none=True),
    )


class Callbacks:
    """Answers call-backs."""

    def __init__(
        self, secrets: SecretsFolder, incidents: Incidents, commands: Commands, metrics: NotifierMetrics, now_ms: Callable[[], int]
    ) -> None:
        self._secrets = secrets
        self._incidents = incidents
        self._commands = commands
        self._metrics = metrics
        self._now_ms = now_ms

    async def answer(self, request: web.Request) -> web.Response:
        """One call-back."""
        source = request.match_info["source"]
        read = _READERS.get(source)
        if read is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                status, outcome = await self._take(source, read, request.headers, await request.read())
        except TimeoutError:
            status, outcome = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
        self._metrics.callbacks.labels(source, outcome).inc()
        return web.Response(status=status)

    async def _take(self, source: str, read: _Read, headers: Mapping[str, str], body: bytes) -> tuple[HTTPStatus, str]:
        name, now_ms = f"callback-{source}", self._now_ms()
        try:
            keys = self._secrets.read([name])[name].split()
            reply = read(headers, body, keys, now_ms)
        except (MissingSecretError, ForgedError):
            return HTTPStatus.UNAUTHORIZED, "refused"
        except CallbackError:
            return HTTPStatus.BAD_REQUEST, "unreadable"
        known = None if reply is None else self._incidents.known(reply.incident)
        partner = None if reply is None else self._incidents.partner(reply.incident)
        if reply is None or known is None or partner is None or not known.open:
            return HTTPStatus.OK, "ignored"
        if reply.epoch is not None and reply.epoch < known.epoch:
            # What was answered is a page of before it became worse, or before somebody else answered.
            return HTTPStatus.OK, "stale"
        command = command_of(reply, partner, now_ms)
        try:
            await self._commands.write(command)
        except KafkaError:
            return HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
        _log.info("called back", source=source, what=command.type, incident=reply.incident, actor=command.actor)
        return HTTPStatus.OK, "taken"


@asynccontextmanager
async def listening(settings: Settings, callbacks: Callbacks) -> AsyncIterator[None]:
    """Answer until the context ends; does nothing where the port is 0.

    Raises:
        OSError: if the port is taken.
    """
    if settings.callbacks_port == 0:
        yield
        return
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.add_routes([web.post("/{source}", callbacks.answer)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.callbacks_host, settings.callbacks_port).start()
        yield
    finally:
        await runner.cleanup()
