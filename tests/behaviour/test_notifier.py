"""The notifier between a real Kafka and Redis and real servers that answer as they are told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from alerts.notify.text import moment
from alerts.notify.webhook import key_of, signature
from models import clock
from models.notifications import Notification
from models.settings import Settings
from streams.admin import create
from streams.local.service import free_port
from tests.alertmanagers import alertmanager
from tests.notifiers import notifying, page, results, settings_for, state, uuid, write
from tests.pagers import serving
from tests.pages import SECRETS
from tests.waiting import until
from tests.workers import read_all

pytestmark = [pytest.mark.kafka, pytest.mark.redis]


class Post(Message):
    """What came in by mail."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Mail] = []

    def handle_message(self, message: Mail) -> None:
        self.got.append(message)


@asynccontextmanager
async def post_office(port: int) -> AsyncIterator[Post]:
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(controller.start)
    try:
        yield post
    finally:
        await asyncio.to_thread(controller.stop)


@pytest.fixture
async def settings(kafka: str, redis_url: str, app_id: str, tmp_path: Path) -> Settings:
    settings = settings_for(
        kafka,
        redis_url,
        app_id,
        tmp_path,
        smtp_host="127.0.0.1",
        smtp_port=free_port(),
        smtp_security="none",
        mail_from="outwatch@client.example",
        callbacks_port=free_port(),
    )
    await create(settings)
    return settings


class Newer(Notification):
    """As a newer release writes it."""

    said_since: int = 1


async def come_to(settings: Settings, expected: dict[tuple[str, str], int]) -> None:
    async def reached() -> bool:
        found = await results(settings)
        assert not found - Counter(expected), found
        return found == expected

    await until(reached, 30)


async def test_pages_are_sent_in_order_and_tell_what_became_of_them(settings: Settings) -> None:
    """500, a connection that closes, and 202: one page; its resolve waits for it."""
    async with serving() as pager, notifying(settings):
        pager.script["/hook"].extend([500, "close"])
        first = page(pager.url, 1, 1)
        last = page(pager.url, 1, 2, kind="resolve", reason="resolved", epoch=2)
        await write(settings, state(first), Newer(**first.model_dump()))
        await pager.until(lambda got: any(each.taken for each in got))
        await write(settings, state(last, ended_at=last.processed_at), last)
        await come_to(settings, {(first.id, "sent"): 1, (last.id, "sent"): 1})
        assert [(each.headers["webhook-id"], each.taken) for each in pager.got] == [
            (first.id, False),
            (first.id, False),
            (first.id, True),
            (last.id, True),
        ]


async def test_each_receiver_is_told_in_its_own_way_and_no_secret_is_shown(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """PagerDuty refuses and repeats our key, Slack asks us to wait and keeps a thread, mail comes, a secret and an address are wrong."""
    async with serving() as pager, post_office(settings.smtp_port) as post, notifying(settings) as notifier:
        pager.script["/pagerduty"].append(400)
        pager.script["/slack"].append((429, 1))
        pages = {name: page(pager.url, number, number, name) for number, name in enumerate(("pagerduty", "slack", "mail", "webhook"), 1)}
        elsewhere = page("http://10.0.0.1:9", 5, 5)
        lost = {"id": "lost", "type": "webhook", "url": pager.url, "signing": "not-there"}
        hidden = page(pager.url, 6, 6, receiver=lost)
        await write(settings, *(state(each) for each in pages.values()), *pages.values(), elsewhere, hidden)
        sent = {(pages[name].id, "sent"): 1 for name in ("slack", "mail", "webhook")}
        refused = {(each.id, "rejected"): 1 for each in (pages["pagerduty"], elsewhere, hidden)}
        await come_to(settings, sent | refused)
        ended = page(pager.url, 2, 7, "slack", kind="resolve", reason="resolved", epoch=2)
        await write(settings, ended)
        await come_to(settings, sent | refused | {(ended.id, "sent"): 1})
        (mail,) = post.got
        assert mail["Subject"].startswith("[CRITICAL] Northwind")
        thread = [each.body.get("thread_ts") for each in pager.got if each.path == "/slack" and each.taken]
        assert thread == [None, thread[1]]
        assert thread[1] is not None
        assert [note.reason for note in notifier.notes()] == ["no_secret"]
        written = await read_all(settings, settings.topics.commands)
        shown = b"".join(record.value for record in written) + notifier.metrics() + capsys.readouterr().out.encode()
        assert all(said in shown for said in (b"not-there", b"will be tried again", b"[secret]"))
        assert [name for name, secret in SECRETS.items() if secret.encode() in shown] == []


async def test_what_is_called_back_becomes_one_command(settings: Settings) -> None:
    """Twice the same delivery, one with a signature that does not hold, one of an incident that nobody knows."""
    assert settings.secrets_dir is not None
    (settings.secrets_dir / "callback-webhook").write_text("whsec_b2xk\nwhsec_bmV3\n")
    url = f"http://127.0.0.1:{settings.callbacks_port}"

    async def call(identity: str, incident: str, key: str = "whsec_bmV3", ask: str = "incident.acknowledge") -> int:
        body = orjson.dumps({"type": ask, "data": {"incident": incident, "actor": "ana"}})
        seconds = clock.now_ms() // 1000
        headers = {"webhook-id": identity, "webhook-timestamp": str(seconds)}
        headers["webhook-signature"] = signature(key_of(key), identity, seconds, body)
        async with aiohttp.ClientSession() as session, session.post(f"{url}/webhook", data=body, headers=headers) as answer:
            assert await answer.read() == b""
            return answer.status

    opened = page("http://pages.example", 1, 1)
    await write(settings, state(opened))
    async with notifying(settings):
        assert [await call("one", uuid(1)), await call("one", uuid(1)), await call("two", uuid(1), "whsec_b2xk")] == [200, 200, 200]
        async with aiohttp.ClientSession() as session:
            answers = [
                await session.post(f"{url}/{path}", data=b"x" * size) for path, size in (("webhook", 100_000), ("slack", 1), ("x", 1))
            ]
        assert [answer.status for answer in answers] == [413, 401, 404]
        assert [await call("three", uuid(1), "wrong"), await call("four", uuid(9)), await call("five", uuid(1), ask="x")] == [401, 200, 200]
    commands = [orjson.loads(record.value) for record in await read_all(settings, settings.topics.commands)]
    assert {(each["type"], each["actor"], each["partner"], each["payload"]["incident"]) for each in commands} == {
        ("incident.ack", "webhook:ana", "northwind", uuid(1))
    }
    assert len({each["id"] for each in commands}) == 2


async def test_an_alertmanager_is_told_again_of_what_is_open_after_a_start_and_what_is_over_is_ended(settings: Settings) -> None:
    async with alertmanager(clock.now_ms) as there:
        receiver = {"id": "am", "type": "alertmanager", "url": there.url}
        opened, over = (page(there.url, number, number, receiver=receiver) for number in (1, 2))
        left = {"incident": uuid(2), "alertname": "service_level_low"}
        there.put({"labels": left, "annotations": {}, "startsAt": moment(clock.now_ms()), "endsAt": moment(clock.now_ms() + 120_000)})
        told = {
            "receiver": opened.receiver.model_dump(mode="json"),
            "target": opened.target.model_dump(mode="json"),
            "side": "client",
            "loop": 0,
            "step": 0,
            "epoch": 1,
            "reason": "opened",
            "notification": opened.id,
            "at": opened.processed_at,
            "outcome": "sent",
        }
        member: dict[str, Any] = {"fingerprint": "f" * 32, "episode": uuid(1, 9), "rule": "service_level_low", "scope": "queue=billing"}
        member |= {"severity": "critical", "counted": "critical", "text": opened.text, "fired_at": opened.opened_at}
        ended = state(over, ended_at=clock.now_ms(), attention="resolved")
        await write(settings, state(opened, told=[told], members=[member], labels={"queue": "billing"}), opened, ended)
        async with notifying(settings):

            async def tended() -> bool:
                return there.ended == [left] and bool(there.firing())

            await until(tended)
        (labels,) = there.firing()
        assert labels == {
            "alertname": "service_level_low",
            "incident": uuid(1),
            "partner": "northwind",
            "severity": "critical",
            "queue": "billing",
            "rule": "service_level_low",
            "scope": "queue=billing",
        }
        assert await results(settings) == {}, "what the incident knows of is neither sent nor told again"
