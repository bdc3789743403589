"""Sending: over HTTP by aiohttp, mail by aiosmtplib; what the answers mean is said in `alerts.notify`."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from ipaddress import ip_network
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiosmtplib
import stamina
from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    InvalidURL,
    ServerDisconnectedError,
    TCPConnector,
)
from aiolimiter import AsyncLimiter

from alerts.notify.alertmanager import request
from alerts.notify.back.alertmanager import QUERY
from alerts.notify.render import read_answer, render, secrets_of
from alerts.notify.request import DETAIL_MAX, Answer, Circumstances, Letter, Request, Verdict, judge
from alerts.notify.text import cut, one_line
from models.errors import OutwatchError
from models.notifications import Notification
from models.receivers import AlertmanagerReceiver, Receiver
from models.settings import PREFIX, Settings
from streams.notifier.guard import ForbiddenAddressError, Guard
from streams.notifier.secrets import MissingSecretError, SecretsFolder, redact

__all__ = ["TRY_SECONDS_MAX", "Sender", "UnansweredError"]

TRY_SECONDS_MAX: Final = 10.0
"""Of one try, all in all."""
_TRIES: Final = 3
_ANSWER_BYTES_MAX: Final = 4096
_FINAL_FROM: Final = 500
"""Replies of a mail server from here on are final."""
_RATES: Final[Mapping[str, float]] = {"slack": 1.0, "pagerduty": 2.0, "teams": 1.0}
"""A second and receiver: what these allow."""
_LIMITERS_MAX: Final = 1000
_WORDS: Final = (
    (TimeoutError, f"no answer within {TRY_SECONDS_MAX:g} s"),
    (ClientConnectorDNSError, "its name is not known"),
    (ClientConnectorError, "it cannot be connected to"),
    (ServerDisconnectedError, "it closed the connection without an answer"),
)
"""What an error of a connection says; its own words may hold an address that is a secret."""
_E = TypeVar("_E", bound=BaseException)
_ALERTS_BYTES_MAX: Final = 8 << 20


class UnansweredError(OutwatchError):
    """Raised when an Alertmanager does not answer as it should."""


class _AgainError(Exception):
    """Raised within a round: the next try may succeed."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.kind)
        self.verdict = verdict


class Sender:
    """Sends pages; holds connections while its context lasts."""

    def __init__(self, settings: Settings, secrets: SecretsFolder, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._secrets = secrets
        self._now_ms = now_ms
        networks = [ip_network(each.strip()) for each in settings.notify_networks.split(",") if each.strip()]
        self._guard = Guard(networks, rehearses=settings.clock == "log")
        self._limiters: OrderedDict[str, AsyncLimiter] = OrderedDict()
        self._paces_dropped = 0
        self._session: ClientSession

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        connector = TCPConnector(resolver=self._guard, use_dns_cache=False, limit=100)
        # A redirect could lead where the guard refuses to go, and a proxy of the environment would resolve names in our place.
        self._session = ClientSession(connector=connector, timeout=ClientTimeout(total=TRY_SECONDS_MAX), trust_env=False)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close them."""
        await self._session.close()

    async def deliver(self, notification: Notification, receipt: str | None, before: Callable[[], Awaitable[None]]) -> Verdict:
        """One round of tries within seconds; `before` is awaited before each of them, and what it raises ends the round."""
        try:
            async for attempt in stamina.retry_context(on=_AgainError, attempts=_TRIES, timeout=None, wait_initial=0.25, wait_max=2.0):
                with attempt:
                    await self._in_turn(notification.receiver)
                    await before()
                    return _settled(await self.once(notification, receipt))
        except _AgainError as error:
            return error.verdict
        msg = "a round has tries"
        raise AssertionError(msg)

    async def once(self, notification: Notification, receipt: str | None) -> Verdict:
        """One try; whatever happens is a verdict, without any secret in its detail."""
        receiver = notification.receiver
        try:
            secrets = self._secrets.read(secrets_of(receiver))
        except MissingSecretError as error:
            return Verdict("rejected", str(error))
        with_ = Circumstances(secrets, self._now_ms(), receipt, self._settings.mail_from)
        try:
            made = render(notification, with_)
            verdict = await (self._mail(made) if isinstance(made, Letter) else self._post(made, receiver))
        except (ClientError, TimeoutError, OSError, aiosmtplib.SMTPException) as error:
            verdict = _failed(error)
        except Exception as error:  # noqa: BLE001 - a page that cannot be made, or an answer that we do not understand, goes to the next tier.
            verdict = Verdict("rejected", f"a bug of ours: {type(error).__name__}")
        password = self._settings.smtp_password
        hidden = [*secrets.values(), *([] if password is None else [password.get_secret_value()])]
        detail = cut(one_line(redact(verdict.detail, hidden)), DETAIL_MAX)
        return Verdict(verdict.kind, detail, verdict.receipt, verdict.wait_seconds)

    async def ask(self, method: str, url: str) -> Verdict:
        """One request without a body, of an address that is itself a secret, as a dead man's switch has one."""
        try:
            self._guard.check(url)
            async with self._session.request(method, url, allow_redirects=False) as answer:
                verdict = judge(Answer(answer.status, await answer.content.read(_ANSWER_BYTES_MAX)), self._now_ms())
        except (ClientError, TimeoutError, OSError) as error:
            verdict = _failed(error)
        return Verdict(verdict.kind, redact(verdict.detail, [url]))

    async def at_alertmanager(self, receiver: AlertmanagerReceiver, alerts: Sequence[Mapping[str, Any]] | None = None) -> bytes:
        """What stands at an Alertmanager or, with `alerts`, what it answers to these.

        Raises:
            UnansweredError: if it could not be asked, or refuses; without any secret in the text.
        """
        try:
            made = request(alerts or (), receiver, self._secrets.read(secrets_of(receiver)))
            method, query, body = ("GET", f"?{QUERY}", None) if alerts is None else ("POST", "", made.body)
            self._guard.check(made.url)
            headers = made.headers
            async with self._session.request(method, made.url + query, data=body, headers=headers, allow_redirects=False) as answer:
                read = bytearray()
                async for part in answer.content.iter_any():
                    read += part
                    if len(read) > _ALERTS_BYTES_MAX:
                        break
        except (ClientError, TimeoutError, OSError) as error:
            raise UnansweredError(_failed(error).detail) from None
        except MissingSecretError as error:
            raise UnansweredError(str(error)) from None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES or len(read) > _ALERTS_BYTES_MAX:
            msg = f"it answered {answer.status} and {len(read)} bytes"
            raise UnansweredError(msg)
        return bytes(read)

    def take_paces_dropped(self) -> int:
        """How many receivers' paces were forgotten for the limit since the last call."""
        dropped, self._paces_dropped = self._paces_dropped, 0
        return dropped

    async def _in_turn(self, receiver: Receiver) -> None:
        rate = _RATES.get(receiver.type)
        if rate is None:
            return
        limiter = self._limiters.pop(receiver.id, None) or AsyncLimiter(1, 1 / rate)
        self._limiters[receiver.id] = limiter
        if len(self._limiters) > _LIMITERS_MAX:
            self._limiters.popitem(last=False)
            self._paces_dropped += 1
        await limiter.acquire()

    async def _post(self, request: Request, receiver: Receiver) -> Verdict:
        self._guard.check(request.url)
        async with self._session.post(request.url, data=request.body, headers=request.headers, allow_redirects=False) as answer:
            body = await answer.content.read(_ANSWER_BYTES_MAX)
            return read_answer(receiver, Answer(answer.status, body, answer.headers.get("Retry-After")), self._now_ms())

    async def _mail(self, letter: Letter) -> Verdict:
        settings = self._settings
        if settings.smtp_host is None:
            return Verdict("rejected", f"{PREFIX}SMTP_HOST is not set")
        if settings.clock == "log":
            return Verdict("rejected", f"with {PREFIX}CLOCK=log no mail is sent")
        arguments: dict[str, Any] = {
            "hostname": settings.smtp_host,
            "port": settings.smtp_port,
            "use_tls": settings.smtp_security == "tls",
            "start_tls": settings.smtp_security == "starttls",
            "timeout": TRY_SECONDS_MAX,
        }
        if settings.smtp_username is not None and settings.smtp_password is not None:
            arguments |= {"username": settings.smtp_username, "password": settings.smtp_password.get_secret_value()}
        async with asyncio.timeout(TRY_SECONDS_MAX):
            refused, said = await aiosmtplib.send(letter.message, recipients=letter.to, sender=settings.mail_from, **arguments)
        return Verdict("sent", f"{said}{f'; {len(refused)} addresses refused' if refused else ''}")


def _settled(verdict: Verdict) -> Verdict:
    """A verdict that no try within seconds would change."""
    if verdict.kind == "again" and verdict.wait_seconds is None:
        raise _AgainError(verdict)
    return verdict


def _failed(error: Exception) -> Verdict:
    """What an error means; its text is not repeated where it may hold an address that is a secret."""
    forbidden = _cause(error, ForbiddenAddressError)
    if forbidden is not None:
        return Verdict("rejected", str(forbidden))
    if isinstance(error, InvalidURL):
        return Verdict("rejected", "its address is none")
    untrusted = _cause(error, ssl.SSLCertVerificationError)
    if untrusted is not None:
        return Verdict("again", f"its certificate is not trusted: {untrusted.verify_message}")
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [each.code for each in error.recipients]
        return Verdict("rejected" if min(codes) >= _FINAL_FROM else "again", f"all addresses refused: {codes[0]}")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Verdict("rejected" if error.code >= _FINAL_FROM else "again", f"{error.code} {error.message}")
    if type(error) is aiosmtplib.SMTPException:
        # The library's own words: the server cannot do what the settings ask for, and nothing is said to it in the clear.
        return Verdict("rejected", str(error))
    return Verdict("again", next((words for kind, words in _WORDS if isinstance(error, kind)), type(error).__name__))


def _cause(error: BaseException | None, kind: type[_E]) -> _E | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error
