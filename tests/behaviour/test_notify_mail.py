"""Mail by TLS, from the first byte or by STARTTLS, to a real server: what is not trusted, or cannot be secret, is not sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message as Mail
from pathlib import Path
from typing import Any, Literal

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult

from alerts.notify.request import Verdict
from models.settings import Settings
from streams.local.service import free_port
from streams.notifier.secrets import SecretsFolder
from streams.notifier.sender import Sender
from tests.pages import AT_MS, notification

Security = Literal["tls", "starttls", "none"]


class Post(Message):
    """What came in by mail."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Mail] = []

    def handle_message(self, message: Mail) -> None:
        self.got.append(message)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Of which this process knows, as an operator lets it know of an own one."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


@asynccontextmanager
async def office(by: trustme.CA, security: Security, name: str = "127.0.0.1", **more: Any) -> AsyncIterator[tuple[Post, int]]:
    """A mail server with a certificate for `name`."""
    post, port, context = Post(), free_port(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    by.issue_cert(name).configure_cert(context)
    ways: dict[Security, dict[str, Any]] = {"tls": {"ssl_context": context}, "starttls": {"tls_context": context, "require_starttls": True}}
    controller = Controller(post, hostname="127.0.0.1", port=port, **ways.get(security, {}), **more)
    await asyncio.to_thread(controller.start)
    try:
        yield post, port
    finally:
        await asyncio.to_thread(controller.stop)


async def sent(port: int, security: Security, **over: Any) -> Verdict:
    said: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": security, "mail_from": "outwatch@client.example"}
    async with Sender(Settings(**said | over), SecretsFolder(None), lambda: AT_MS) as sender:
        return await sender.once(notification("mail"), None)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_mail_goes_to_a_server_whose_certificate_is_trusted(authority: trustme.CA, security: Security) -> None:
    async with office(authority, security) as (post, port):
        assert (await sent(port, security)).kind == "sent"
        (mail,) = post.got
        assert mail["Subject"].startswith("[CRITICAL] Northwind")


@pytest.mark.usefixtures("authority")
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_nothing_goes_to_one_whose_authority_nobody_knows(security: Security) -> None:
    async with office(trustme.CA(), security) as (post, port):
        verdict = await sent(port, security)
        assert verdict.kind == "again"
        assert verdict.detail.startswith("its certificate is not trusted: ")
        assert post.got == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_nothing_goes_to_one_whose_certificate_is_anothers(authority: trustme.CA, security: Security) -> None:
    async with office(authority, security, "mail.example") as (post, port):
        verdict = await sent(port, security)
        assert verdict.detail.startswith("its certificate is not trusted: ")
        assert "127.0.0.1" in verdict.detail
        assert post.got == []


async def test_nothing_is_said_in_the_clear_to_a_server_without_starttls(authority: trustme.CA) -> None:
    """Neither the page nor the password: it is rejected, so that the next is told."""
    heard: list[object] = []

    def asked(*said: object) -> AuthResult:
        heard.append(said)
        return AuthResult(success=True)

    async with office(authority, "none", auth_require_tls=False, authenticator=asked) as (post, port):
        verdict = await sent(port, "starttls", smtp_username="outwatch", smtp_password="tops3cret")
        assert (verdict.kind, verdict.detail) == ("rejected", "SMTP STARTTLS extension not supported by server.")
        assert (post.got, heard) == ([], [])


async def test_the_password_is_said_where_nobody_else_hears_it(authority: trustme.CA) -> None:
    heard: list[Any] = []

    def asked(_server: object, session: Any, _envelope: object, _mechanism: str, said: Any) -> AuthResult:
        heard.append((session.ssl is not None, said.login, said.password))
        return AuthResult(success=said.password == b"tops3cret", handled=False)

    async with office(authority, "starttls", authenticator=asked, auth_required=True) as (post, port):
        assert (await sent(port, "starttls", smtp_username="outwatch", smtp_password="tops3cret")).kind == "sent"
        refused = await sent(port, "starttls", smtp_username="outwatch", smtp_password="wr0ng")
        assert (refused.kind, refused.detail[:3]) == ("rejected", "535")
        assert set(heard) == {(True, b"outwatch", b"tops3cret"), (True, b"outwatch", b"wr0ng")}
        assert len(post.got) == 1
