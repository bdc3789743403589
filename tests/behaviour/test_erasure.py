"""Erasing a customer whose contacts are remembered for repeats, on a real broker: the workers forget the hash of the key."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from models import clock
from models.customers import customer_hash
from models.settings import Settings
from models.topics import partition_of
from streams.cli import app
from tests.topics import install
from tests.waiting import until
from tests.workers import Worker, counting, following, heartbeats, read_all, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

PARTITIONS = 3
HOME = partition_of("acme", PARTITIONS)
KEY = "k3y0facustomerk3y0facustomer2345"
POLICY = """
version: 1
defaults:
  definition: {repeat_window_seconds: 7d}
partners:
  - {id: acme, name: Acme}
"""
WAIT_SECONDS = 120.0


@pytest.fixture
async def settings(kafka: str, app_id: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=PARTITIONS)
    await install(made, POLICY, monkeypatch)
    return made


def events(at_ms: int) -> list[dict[str, Any]]:
    """A contact and a record of the customer, and a contact of another."""
    common = {"partner_id": "acme", "occurred_at": at_ms, "talk_seconds": 60}
    record = {"type": "contact.record", "outcome": "answered", "wait_seconds": 1, "contact_id": "r", "updated_at": at_ms}
    return [
        common | {"type": "contact.completed", "event_id": "a", "customer_key": KEY},
        common | record | {"event_id": "b", "customer_key": KEY},
        common | {"type": "contact.completed", "event_id": "c", "customer_key": "somebody else"},
    ]


async def test_workers_forget_a_customer_that_is_erased(settings: Settings, tmp_path: Path) -> None:
    topics, hashed = settings.topics, customer_hash(KEY)
    needles = hashed.to_bytes(8, "big"), b"%016x" % hashed
    async with following(settings, topics.heartbeats, topics.alerts) as seen:
        with Worker(settings, tmp_path / "worker.log") as worker:

            async def knows_the_policy() -> bool:
                return bool(heartbeats(seen, settings).get(HOME, {"offsets": {}})["offsets"].get(topics.policies, 0))

            async def holds(*, wanted: bool) -> bool:
                newest = {each.key: each.value or b"" for each in await read_all(settings, topics.changelog(settings.app_id))}
                held = [needle for needle in needles if any(needle in value for value in newest.values())]
                return held == (list(needles) if wanted else [])

            async def outcomes() -> bool:
                alerts = [orjson.loads(each.value) for each in seen if each.topic == topics.alerts]
                reasons = [each["reason"] for each in alerts if each.get("id") == said["command"] and each["outcome"] == "applied"]
                assert len(reasons) <= PARTITIONS
                return len(reasons) == PARTITIONS and any("of 1 partners" in reason for reason in reasons)

            try:
                await until(knows_the_policy, WAIT_SECONDS)
                await send(settings, topics.interactions, *events(clock.now_ms()))
                await counting(seen, settings, 3, WAIT_SECONDS)
                assert await holds(wanted=True)
                told = await asyncio.to_thread(CliRunner().invoke, app, ["erase", "--customer-key", KEY, "--json"])
                said = orjson.loads(told.stdout)
                assert (told.exit_code, len(said["found"]) - said["in_state"], said["in_state"] >= 1) == (1, 2, True)
                await until(outcomes, WAIT_SECONDS)
                assert await holds(wanted=False), "what is left of the log is compacted away"
            except TimeoutError:
                raise AssertionError(worker.tail()) from None
            await worker.terminate()
    assert KEY not in (tmp_path / "worker.log").read_text()
