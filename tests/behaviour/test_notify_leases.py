"""Leases, marks and the limit of pages a person, in a real Redis and without one."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from models.notifications import Outcome
from streams.notifier.digests import PAGES_MAX, PAGES_SPAN_MS
from streams.notifier.leases import LEASE_MS, Lease, Leases, Taken
from tests.pages import AT_MS

pytestmark = pytest.mark.redis


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


async def test_one_sends_and_the_other_learns_that_it_was_sent(client: Redis, app_id: str) -> None:
    one, two = (Leases(client, app_id, name, lambda: None) for name in ("one", "two"))
    assert [await each.take("a") for each in (one, two, one)] == [Taken(Lease.OURS), Taken(Lease.OTHERS), Taken(Lease.OURS)]
    assert 0 < await client.pttl(f"{app_id}:notify:lease:a") <= LEASE_MS
    await one.release("a")
    assert await two.take("a") == Taken(Lease.OURS)
    await two.renew("a")
    await two.done("a", Outcome.SENT, "1795435000.000100", ("incident", "chat"))
    assert await one.take("a") == Taken(Lease.DONE, Outcome.SENT, "1795435000.000100")
    await one.done("b", Outcome.SENT, "later", ("incident", "chat"))
    assert await one.thread(("incident", "chat")) == "1795435000.000100", "a thread is named by its first message"
    await one.done("c", Outcome.STALE)
    assert await two.take("c") == Taken(Lease.DONE, Outcome.STALE)


async def test_a_person_has_one_limit_whoever_sends(client: Redis, app_id: str) -> None:
    one, two = (Leases(client, app_id, name, lambda: None) for name in ("one", "two"))
    admitted = [await (one, two)[number % 2].admit("ana", f"page{number}", AT_MS + number) for number in range(PAGES_MAX + 2)]
    assert admitted == [True] * PAGES_MAX + [False] * 2
    assert await two.admit("ana", "page0", AT_MS + 9), "a page that is tried again counts once"
    assert await one.admit("ana", "page9", AT_MS + PAGES_SPAN_MS)


async def test_without_redis_nobody_is_asked_again_for_a_while(app_id: str) -> None:
    failures = []
    async with Redis.from_url("redis://127.0.0.1:1/0") as gone:
        leases = Leases(gone, app_id, "one", lambda: failures.append(1))
        assert await leases.take("a") == Taken(Lease.ALONE)
        await leases.done("a", Outcome.SENT)
        assert [await leases.thread(("incident", "pager")), await leases.admit("ana", "page", AT_MS)] == [None, None]
    assert len(failures) == 1
