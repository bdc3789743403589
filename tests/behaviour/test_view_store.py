"""The view and its offsets are one, on Redis and on what stands in for it where none is installed."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from models.view import LAYOUT, Keys
from streams.local.redis import LocalRedis
from streams.projector.store import ViewStore
from tests.services import running

pytestmark = pytest.mark.redis

KEYS = Keys("app")


@pytest.fixture(params=["redis-server", "fakeredis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "fakeredis":
            patch.setattr(shutil, "which", lambda _: None)
        elif shutil.which("redis-server") is None:
            pytest.skip("no redis-server on the path")
        with running(LocalRedis(tmp_path)) as server:
            yield server.url


@pytest.fixture
async def client(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url) as made:
        yield made


async def test_a_batch_and_its_offsets_are_applied_together(client: Redis) -> None:
    store = ViewStore(client, KEYS)
    await store.begin({"t:0": 0, "t:1": 5})
    value = "é \r\n x".encode() * 5_000
    assert await store.apply([("HSET", "h", b"f", value), ("HDEL", "h", b"g")], {"t:0": 0}, {"t:0": 7})
    assert await client.hgetall("h") == {b"f": value}
    assert await store.positions() == {"t:0": 7, "t:1": 5}


async def test_a_batch_that_does_not_follow_changes_nothing(client: Redis) -> None:
    store = ViewStore(client, KEYS)
    await store.begin({"t:0": 3})
    assert not await store.apply([("SET", "k", b"v")], {"t:0": 2}, {"t:0": 4})
    assert not await store.apply([("SET", "k", b"v")], {"t:0": 3, "t:1": 0}, {"t:0": 4, "t:1": 1})
    assert await client.get("k") is None
    assert await store.positions() == {"t:0": 3}


async def test_a_batch_after_a_flush_changes_nothing(client: Redis) -> None:
    store = ViewStore(client, KEYS)
    await store.begin({"t:0": 3})
    await client.flushall()
    assert not await store.apply([("SET", "k", b"v")], {"t:0": 3}, {"t:0": 4})
    assert await client.keys() == []


async def test_a_view_of_an_older_release_is_no_view(client: Redis) -> None:
    store = ViewStore(client, KEYS)
    await client.hset(KEYS.offsets, mapping={"t:0": "3"})
    assert await store.positions() == {}
    await store.begin({"t:0": 0})
    assert await store.positions() == {"t:0": 0}
    await client.hset(KEYS.offsets, "layout", LAYOUT - 1)
    assert await store.positions() == {}


async def test_of_two_batches_at_once_one_is_applied(client: Redis, url: str) -> None:
    """The second comes between the first one's look at the offsets and its write."""
    store = ViewStore(client, KEYS)
    await store.begin({"t:0": 0})
    async with Redis.from_url(url) as other_client, client.pipeline(transaction=True) as pipe:
        pipe_class = type(pipe)
        execute = pipe_class.execute

        async def overtaken(self: object, *arguments: object) -> object:
            pipe_class.execute = execute  # type: ignore[method-assign]
            assert await ViewStore(other_client, KEYS).apply([("SET", "k", b"other")], {"t:0": 0}, {"t:0": 1})
            return await execute(self, *arguments)  # type: ignore[arg-type]

        pipe_class.execute = overtaken  # type: ignore[method-assign, assignment]
        try:
            assert not await store.apply([("SET", "k", b"mine")], {"t:0": 0}, {"t:0": 1})
        finally:
            pipe_class.execute = execute  # type: ignore[method-assign]
    assert await client.get("k") == b"other"


async def test_a_new_view_leaves_nothing_of_the_old_and_all_that_is_not_of_the_view(client: Redis) -> None:
    store = ViewStore(client, KEYS)
    await client.mset({"app:view:kpis:15m:all": "x", "app:view:rollups.1d:2026-11-22": "x", "app:lease:1": "x", "apple:view:x": "x"})
    await store.begin({"t:0": 3})
    assert sorted(await client.keys()) == [b"app:lease:1", b"app:view:offsets", b"apple:view:x"]
