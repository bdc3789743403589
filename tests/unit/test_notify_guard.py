"""Where pages may go, and that secrets stay where they are."""

import asyncio
import socket
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from models.settings import Settings
from streams.local.service import free_port
from streams.notifier.guard import ForbiddenAddressError, Guard
from streams.notifier.secrets import MissingSecretError, SecretsFolder, redact
from streams.notifier.sender import Sender
from tests.notifiers import LOOPBACK, secrets_in
from tests.pagers import serving
from tests.pages import AT_MS, notification

PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),
    *("[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
)


@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        Guard([]).check(f"http://{host}/hook")


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "pages.example"])
def test_a_public_one_and_a_name_are_let_through(host: str) -> None:
    Guard([]).check(f"https://{host}/hook")


def test_a_setting_allows_a_network_and_no_other() -> None:
    guard = Guard([ip_network("10.1.0.0/16"), ip_network("::1/128")])
    guard.check("http://10.1.2.3:9093")
    guard.check("http://[::1]:9093")
    with pytest.raises(ForbiddenAddressError):
        guard.check("http://10.2.0.1")


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
async def test_a_name_that_means_a_private_address_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        await Guard([]).resolve(host, 80)


async def test_a_name_is_refused_as_a_whole_if_one_of_its_addresses_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(ForbiddenAddressError):
        await Guard([]).resolve("pages.example", 80)


async def test_a_page_goes_nowhere_private_and_follows_no_redirect(tmp_path: Path) -> None:
    async with serving() as pager:
        pager.otherwise = 307
        page = notification("webhook", receiver={"id": "hook", "type": "webhook", "url": f"{pager.url}/hook"})
        named = page.receiver.model_copy(update={"url": pager.url.replace("127.0.0.1", "localhost")})
        by_name = page.model_copy(update={"receiver": named})
        async with Sender(Settings(), SecretsFolder(None), lambda: AT_MS) as sender:
            verdicts = [await sender.once(each, None) for each in (page, by_name)]
        assert [(each.kind, "not public" in each.detail) for each in verdicts] == [("rejected", True)] * 2
        assert pager.got == []
        async with Sender(Settings(notify_networks=LOOPBACK), SecretsFolder(None), lambda: AT_MS) as sender:
            verdict = await sender.once(page, None)
        assert (verdict.kind, verdict.detail[:3], len(pager.got)) == ("rejected", "307", 1)


async def test_a_stream_that_is_played_again_pages_this_machine_only(tmp_path: Path) -> None:
    settings = Settings(clock="log", notify_networks="10.0.0.0/8", smtp_host="127.0.0.1", secrets_dir=secrets_in(tmp_path / "secrets"))
    async with serving() as pager, Sender(settings, SecretsFolder(settings.secrets_dir), lambda: AT_MS) as sender:
        urls = (pager.url, "http://8.8.8.8/hook", "http://10.0.0.1/hook")
        pages = [notification("webhook", receiver={"id": "hook", "type": "webhook", "url": url}) for url in urls]
        verdicts = [await sender.once(each, None) for each in (*pages, notification("mail"))]
    assert [each.kind for each in verdicts] == ["sent", "rejected", "rejected", "rejected"]


async def test_a_round_is_three_tries_and_a_name_that_is_none_may_be_one_later() -> None:
    page = notification("webhook", receiver={"id": "hook", "type": "webhook", "url": "http://nowhere.invalid/"})
    tries = []

    async def before() -> None:
        tries.append(1)

    async with Sender(Settings(), SecretsFolder(None), lambda: AT_MS) as sender:
        verdict = await sender.deliver(page, None, before)
    assert (verdict.kind, len(tries)) == ("again", 3)


async def test_the_pace_of_so_many_receivers_is_kept_and_what_is_forgotten_is_counted() -> None:
    page = notification("slack")
    async with Sender(Settings(), SecretsFolder(None), lambda: AT_MS) as sender:
        for number in range(1002):
            await sender._in_turn(page.receiver.model_copy(update={"id": f"chat{number}"}))
        assert [sender.take_paces_dropped() for _ in range(2)] == [2, 0]


async def test_an_answer_that_repeats_a_secret_is_told_without_it(tmp_path: Path) -> None:
    settings = Settings(secrets_dir=secrets_in(tmp_path / "secrets"), notify_networks=LOOPBACK)
    async with serving() as pager, Sender(settings, SecretsFolder(settings.secrets_dir), lambda: AT_MS) as sender:
        pager.otherwise = 400
        page = notification("pagerduty", receiver={"id": "p", "type": "pagerduty", "routing_key": "pagerduty-ops", "url": f"{pager.url}/"})
        verdict = await sender.once(page, None)
    assert (verdict.kind, "[secret]" in verdict.detail, "R0UT1NG" in verdict.detail) == ("rejected", True, False)


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff", "is not UTF-8")])
def test_a_secret_that_cannot_be_read_is_named_until_it_can(tmp_path: Path, content: bytes | None, why: str) -> None:
    folder = SecretsFolder(tmp_path)
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(MissingSecretError, match=f"secret key .*{why}"):
        folder.read(["key"])
    assert list(folder.missing) == ["key"]
    (tmp_path / "key").write_text("value\n")
    assert folder.read(["key"]) == {"key": "value"}
    assert folder.missing == {}


def test_the_longest_secret_is_taken_out_first() -> None:
    assert redact("abcd and ab", ["ab", "abcd"]) == "[secret] and [secret]"


async def test_why_a_receiver_did_not_answer_is_said_in_words_that_hold_no_address(tmp_path: Path) -> None:
    settings = Settings(notify_networks=LOOPBACK)
    async with serving() as pager, Sender(settings, SecretsFolder(None), lambda: AT_MS) as sender:
        pager.otherwise = "close"
        urls = (pager.url, f"http://127.0.0.1:{free_port()}/", "http://nowhere.invalid/secret")
        pages = [notification("webhook", receiver={"id": "hook", "type": "webhook", "url": url}) for url in urls]
        details = [(await sender.once(each, None)).detail for each in pages]
    assert details == ["it closed the connection without an answer", "it cannot be connected to", "its name is not known"]
