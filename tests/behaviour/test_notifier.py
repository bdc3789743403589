"""The notifier between a real Kafka and Redis and real servers that answer as they are told."""

from collections import Counter
from pathlib import Path

import pytest

from models.settings import Settings
from streams.admin import create
from tests.notifiers import LOOPBACK, notifying, page, results, secrets_in, state, write
from tests.pagers import serving
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.redis]


@pytest.fixture
async def settings(kafka: str, redis_url: str, app_id: str, tmp_path: Path) -> Settings:
    settings = Settings(
        brokers=kafka,
        redis_url=redis_url,
        app_id=app_id,
        topic_prefix=f"{app_id}.",
        partitions=2,
        session_timeout_seconds=6,
        secrets_dir=secrets_in(tmp_path / "secrets"),
        notify_networks=LOOPBACK,
    )
    await create(settings)
    return settings


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
        await write(settings, state(first), first)
        await pager.until(lambda got: any(each.taken for each in got))
        await write(settings, state(last, ended_at=last.processed_at), last)
        await come_to(settings, {(first.id, "sent"): 1, (last.id, "sent"): 1})
        assert [(each.headers["webhook-id"], each.taken) for each in pager.got] == [
            (first.id, False),
            (first.id, False),
            (first.id, True),
            (last.id, True),
        ]
