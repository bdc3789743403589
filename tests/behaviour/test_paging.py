"""From events to a pager and back: a worker, its incident, the notifier, a call-back that acknowledges it, and the end."""

from pathlib import Path

import aiohttp
import orjson
import pytest

from alerts.notify.webhook import signature
from models import clock
from models.settings import Settings
from streams.local.service import free_port
from tests.notifiers import LOOPBACK, notifying, secrets_in
from tests.pagers import Got, serving
from tests.topics import install
from tests.workers import Worker, following, heartbeats, send

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

POLICY = """
version: 1
defaults: {{settle_seconds: 0}}
partners:
  - {{id: acme, name: Acme}}
rules:
  - id: lost
    kpi: abandon_rate
    window: 5m
    direction: above
    escalation: ops
    levels:
      - {{severity: critical, enter: 0.2, exit: 0.15, for: 0}}
    recover_for: 0
    min_samples: 1
receivers:
  - {{id: hook, type: webhook, url: "{url}/hook", signing: hook-key}}
  - {{id: chat, type: slack, url: "{url}/slack", channel: C0123456789, token: slack-bot}}
escalations:
  - id: ops
    group_wait: 0s
    steps:
      - tell: [{{receiver: hook}}, {{receiver: chat}}]
"""


def told(got: list[Got]) -> list[str]:
    """What came to the webhook."""
    return [each.body["type"] for each in got if each.path == "/hook"]


async def events(settings: Settings, kind: str, count: int) -> None:
    at_ms = clock.now_ms()
    made = {
        "type": f"contact.{kind}",
        "partner_id": "acme",
        "occurred_at": at_ms,
        "queue": "billing",
        "channel": "voice",
        "wait_seconds": 30,
    }
    await send(settings, settings.topics.interactions, *(made | {"event_id": f"{kind}{number}"} for number in range(count)))


async def acknowledge(settings: Settings, incident: str) -> int:
    body = orjson.dumps({"type": "incident.acknowledge", "data": {"incident": incident, "actor": "ana"}})
    seconds = clock.now_ms() // 1000
    headers = {"webhook-id": "1", "webhook-timestamp": str(seconds), "webhook-signature": signature(b"back", "1", seconds, body)}
    url = f"http://127.0.0.1:{settings.callbacks_port}/webhook"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_a_breach_is_paged_acknowledged_by_a_call_back_and_its_end_told(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as pager:
        settings = Settings(
            brokers=kafka,
            redis_url=redis_url,
            app_id=app_id,
            topic_prefix=f"{app_id}.",
            partitions=1,
            secrets_dir=secrets_in(tmp_path / "secrets", callback_webhook="back"),
            notify_networks=LOOPBACK,
            callbacks_port=free_port(),
        )
        await install(settings, POLICY.format(url=pager.url), monkeypatch)
        topics = settings.topics
        async with following(settings, topics.heartbeats, topics.incidents) as seen, notifying(settings):
            with Worker(settings, tmp_path / "worker.log"):
                await events(settings, "abandoned", 10)
                await pager.until(lambda got: told(got) == ["incident.trigger"], 60)
                page = next(each.body["data"] for each in pager.got if each.path == "/hook")
                assert (page["partner"], page["labels"]["rule"], page["reason"]) == ("acme", "lost", "opened")
                assert page["text"].startswith("Acme")
                assert await acknowledge(settings, page["incident"]) == 200
                await pager.until(lambda got: told(got)[1:] == ["incident.acknowledge"], 30)
                await events(settings, "answered", 90)
                await pager.until(lambda got: told(got)[-1] == "incident.resolve", 60)
                await pager.until(lambda got: len([each for each in got if each.path == "/slack"]) >= 3, 10)
                assert heartbeats(seen, settings)
        states = [orjson.loads(each.value) for each in seen if each.topic == topics.incidents]
        assert {state["held"]["by"] for state in states if state["held"]} == {"webhook:ana"}
        assert (states[-1]["attention"], states[-1]["unseen"]) == ("resolved", False)
        hooks = {each["receiver"]["id"]: (each["outcome"], each["receipt"]) for each in states[-1]["told"]}
        chat = [each.body.get("thread_ts") for each in pager.got if each.path == "/slack"]
        assert hooks["hook"] == ("sent", None)
        assert hooks["chat"][0] == "sent"
        assert set(chat) == {None, hooks["chat"][1]}, "one thread, named by its first message"
