"""The projector between a real Kafka and a real Redis: the view is what the topics say, whatever happens on the way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from models import clock
from models.happened import line
from models.history import Tier, blocks, pack, unpack
from models.policy_record import encode_policy, policy_key
from models.policy_spec import PartnerPart
from models.settings import Settings
from models.view import LAYOUT, TRANSITIONS_MAX, Health, Keys
from models.windows import HOUR_MS
from streams.admin import create
from streams.local.redis import LocalRedis
from streams.projector.projector import Projector
from tests.view_records import AT_MS, alert_event, alert_state, heartbeat, kpi_record, outcome, rollup, stretch
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

SEEN_FLUSH_SECONDS = 5.0


class Bench:
    """An installation of its own on the shared broker, with a producer and a reader of its view."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, redis: Redis) -> None:
        self.settings = settings
        self.topics = settings.topics
        self.keys = Keys(settings.app_id)
        self.producer = producer
        self.redis = redis

    async def write(self, topic: str, *records: tuple[bytes, bytes | None], partition: int = 0) -> None:
        async with self.producer.transaction():
            for key, value in records:
                await self.producer.send(topic, value, key=key, partition=partition)

    async def write_and_abort(self, topic: str, key: bytes, value: bytes) -> None:
        await self.producer.begin_transaction()
        await self.producer.send_and_wait(topic, value, key=key, partition=0)
        await self.producer.abort_transaction()

    @asynccontextmanager
    async def projector(self, worker: str = "p1") -> AsyncIterator[None]:
        stop = asyncio.Event()
        client = Redis.from_url(self.settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
        projector = Projector(self.settings.model_copy(update={"worker": worker}), client, clock.now_ms)
        task = asyncio.create_task(projector.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 10)
            await client.aclose()

    async def health(self) -> Health | None:
        text = await self.redis.get(self.keys.projector)
        return None if text is None else Health.model_validate_json(text)

    async def view(self) -> dict[str, Any]:
        """Everything but the offsets."""
        found: dict[str, Any] = {}
        async for name in self.redis.scan_iter(match=f"{self.keys.view}*"):
            key = name.decode().removeprefix(self.keys.view)
            kind = await self.redis.type(name)
            found[key] = await self.redis.hgetall(name) if kind == b"hash" else set(await self.redis.zrange(name, 0, -1))
        found.pop("offsets", None)
        return found

    async def figure(self, key: bytes) -> bytes | None:
        return await self.redis.hget(self.keys.figures("15m", "all"), key)  # type: ignore[return-value]


@asynccontextmanager
async def bench_on(brokers: str, redis_url: str, app_id: str) -> AsyncIterator[Bench]:
    settings = Settings(brokers=brokers, redis_url=redis_url, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2)
    assert (await create(settings)).findings == []
    producer = AIOKafkaProducer(bootstrap_servers=brokers, transactional_id=app_id)
    await producer.start()
    try:
        async with Redis.from_url(redis_url) as redis:
            yield Bench(settings, producer, redis)
    finally:
        await producer.stop()


@pytest.fixture
async def bench(kafka: str, redis_url: str, app_id: str) -> AsyncIterator[Bench]:
    async with bench_on(kafka, redis_url, app_id) as made:
        yield made


@pytest.fixture
async def own_bench(kafka: str, private_redis: LocalRedis, app_id: str) -> AsyncIterator[Bench]:
    async with bench_on(kafka, private_redis.url, app_id) as made:
        yield made


ACME = kpi_record("acme", {"answered": 9, "answered_within": 8, "abandoned": 1})
BOREAL = kpi_record("boreal", {"answered": 10, "answered_within": 2})


async def test_what_the_topics_say_now_stands_in_the_view(bench: Bench) -> None:
    state, event, beat = alert_state("acme"), alert_event("acme", 1), heartbeat(1)
    policy = encode_policy(PartnerPart(id="cascade", name="Cascade"), AT_MS).model_dump_json().encode()
    await bench.write(bench.topics.kpis, (ACME[0], b"{}"), ACME)
    await bench.write(bench.topics.kpis, BOREAL, partition=1)
    await bench.write(bench.topics.alerts_state, state, (b"gone", b"{}"), (b"gone", None))
    await bench.write(bench.topics.alerts, event)
    await bench.write(bench.topics.heartbeats, beat, partition=1)
    day = stretch(rollup({"answered": 3}), "2026-11-22")
    await bench.write(bench.topics.rollups_1d, day)
    await bench.write(bench.topics.alerts, outcome("c1"))
    await bench.write(bench.topics.incidents, (b"i1", b"{}"))
    await bench.write(bench.topics.policies, (policy_key("cascade", "current"), policy))

    async def whole() -> bool:
        view = await bench.view()
        totals = json.loads(view.get("totals", {}).get(b"15m", b"{}"))
        return len(view) == 10 and totals.get("missing") == 1 and totals["partners"] == 2

    async with bench.projector():
        await until(whole)
        # Also what one record said alone: a key that does not expire is never removed.
        lasting = [key async for key in bench.redis.scan_iter(match=f"{bench.keys.view}h*:*") if await bench.redis.ttl(key) < 0]
    assert lasting == []
    view = await bench.view()
    total = json.loads(view.pop("totals")[b"15m"])
    assert (total["kpis"]["service_level"]["numerator"], total["kpis"]["service_level"]["denominator"]) == (10, 20)
    assert view == {
        "kpis:15m:all": dict([ACME, BOREAL]),
        "alerts": dict([state]),
        "transitions": {event[1]},
        "heartbeats": {b"1": beat[1]},
        "history:1d:acme/all:2026-11": {b"22": pack(json.loads(day[1]))},
        "happened:acme": {line(json.loads(event[1]))},
        "outcomes": {outcome("c1")[1]},
        "incidents": {b"i1": b"{}"},
        "policies": {b"cascade": policy},
    }


async def test_an_aborted_record_never_shows_and_a_bad_one_stops_nothing(bench: Bench) -> None:
    await bench.write_and_abort(bench.topics.kpis, *BOREAL)
    await bench.write(bench.topics.kpis, (b"no key of ours", b"{}"), ACME)

    async def whole() -> bool:
        health = await bench.health()
        return await bench.figure(ACME[0]) is not None and health is not None and health.unreadable == 1

    async with bench.projector():
        await until(whole)
    assert (await bench.view())["kpis:15m:all"] == dict([ACME])


async def test_the_sign_of_life_says_when_everything_is_in_the_view(bench: Bench) -> None:
    await bench.write(bench.topics.kpis, ACME, BOREAL)
    before_ms = clock.now_ms()

    async def caught_up() -> bool:
        health = await bench.health()
        return health is not None and health.lag_records == 0 and await bench.figure(ACME[0]) is not None

    async with bench.projector("desk-1"):
        await until(caught_up)
    health = await bench.health()
    assert health is not None
    assert (health.worker, health.unreadable, health.rebuilds) == ("desk-1", 0, 1)
    assert health.as_of >= before_ms


async def test_a_flush_is_seen_while_nothing_comes_in_and_the_view_is_the_same_again(bench: Bench) -> None:
    await bench.write(bench.topics.kpis, ACME, BOREAL)
    await bench.write(bench.topics.alerts_state, alert_state("acme"))
    await bench.write(bench.topics.alerts, alert_event("acme", 1))

    async def whole() -> bool:
        return len(await bench.view()) == 4

    async with bench.projector():
        await until(whole)
        before = await bench.view()
        await bench.redis.delete(*[key async for key in bench.redis.scan_iter(match=f"{bench.settings.app_id}:*")])
        await until(whole, SEEN_FLUSH_SECONDS)
        assert await bench.view() == before


async def test_what_is_present_comes_back_first_and_history_after_it_with_its_progress(bench: Bench) -> None:
    """Redis is flushed beside a long history: what it says on the way back is never history without the present."""
    begin_ms = AT_MS - AT_MS % HOUR_MS
    minutes = [stretch(rollup({"answered": number + 1}, at_ms=begin_ms + number * 60_000)) for number in range(2400)]
    for first in range(0, len(minutes), 400):
        await bench.write(bench.topics.rollups_1m, *minutes[first : first + 400])
    await bench.write(bench.topics.kpis, ACME)
    keys = [f"history:{Tier.MINUTE}:acme/all:{block}" for block in blocks(Tier.MINUTE, begin_ms, begin_ms + 2400 * 60_000)]
    said: list[Health] = []

    async def whole() -> bool:
        health = await bench.health()
        if health is not None:
            said.append(health)
        # In this order, since one look at all keys takes its time.
        if await bench.redis.exists(*(f"{bench.keys.view}{key}" for key in keys)):
            assert await bench.figure(ACME[0]) is not None
        view = await bench.view()
        return all(len(view.get(key, {})) == 60 for key in keys) and said != [] and said[-1].history_left == 0

    async with bench.projector():
        await until(whole)
        await bench.redis.delete(*[key async for key in bench.redis.scan_iter(match=f"{bench.settings.app_id}:*")])
        said.clear()
        await until(whole)
    view = await bench.view()
    assert unpack(view[keys[0]][b"07"]).measures == [1, 8]
    assert said[-1].rebuilds == 2
    assert said[-1].history_begun_with >= len(minutes)
    assert said[0].history_left <= said[0].history_begun_with


async def test_the_next_projector_goes_on_where_the_last_one_ended(bench: Bench) -> None:
    await bench.write(bench.topics.kpis, ACME)

    async def has(key: bytes) -> bool:
        return await bench.figure(key) is not None

    async with bench.projector():
        await until(lambda: has(ACME[0]))
    # Were the topic read again, the written value would come back.
    await bench.redis.hset(bench.keys.figures("15m", "all"), ACME[0], ACME[1].replace(b'"acme"', b'"kept"'))
    await bench.write(bench.topics.kpis, BOREAL)
    async with bench.projector():
        await until(lambda: has(BOREAL[0]))

        async def summed() -> bool:
            total = await bench.redis.hget(bench.keys.totals, "15m")
            return bool(json.loads(total or b"{}").get("partners") == 2)

        await until(summed)
    assert b'"kept"' in (await bench.figure(ACME[0]) or b"")


async def test_offsets_beyond_the_end_mean_another_topic_and_a_new_view(bench: Bench) -> None:
    await bench.write(bench.topics.kpis, ACME)
    await bench.redis.hset(bench.keys.offsets, mapping={"layout": LAYOUT, f"{bench.topics.kpis}:0": "1000000"})
    await bench.redis.hset(bench.keys.figures("15m", "all"), "ghost/all/15m", "{}")

    async def rebuilt() -> bool:
        return (await bench.view()).get("kpis:15m:all") == dict([ACME])

    async with bench.projector():
        await until(rebuilt)


async def test_two_projectors_are_harmless(bench: Bench) -> None:
    """Every record is written once more than the last: the view must end with the last of each, and never step back on the way."""
    revisions = 40
    seen: list[int] = []

    async def last() -> bool:
        value = await bench.figure(ACME[0])
        if value is not None:
            seen.append(json.loads(value)["revision"])
        return bool(seen) and seen[-1] == revisions

    async with bench.projector("p1"), bench.projector("p2"):
        writer = asyncio.create_task(_write_revisions(bench, revisions))
        await until(last)
        await writer
    assert seen == sorted(seen)


async def _write_revisions(bench: Bench, revisions: int) -> None:
    for revision in range(1, revisions + 1):
        await bench.write(bench.topics.kpis, kpi_record("acme", {"answered": revision}, revision=revision))
        await asyncio.sleep(0.02)


async def test_a_frozen_redis_is_waited_for_and_nothing_is_missing_after(own_bench: Bench, private_redis: LocalRedis) -> None:
    bench = own_bench
    await bench.write(bench.topics.kpis, ACME)

    async def figures(count: int) -> bool:
        return len((await bench.view()).get("kpis:15m:all", {})) == count

    async with bench.projector():
        await until(lambda: figures(1))
        private_redis.pause()
        many = [kpi_record(f"partner-{number}", {"answered": number}) for number in range(1, 700)]
        await bench.write(bench.topics.kpis, *many)
        # Longer than a time-out of its client, so that a write is under way whose outcome is unknown.
        await asyncio.sleep(1.5)
        private_redis.resume()
        await until(lambda: figures(700))


async def test_another_redis_in_its_place_is_filled_from_the_topics(own_bench: Bench, private_redis: LocalRedis) -> None:
    bench = own_bench
    await bench.write(bench.topics.kpis, ACME)

    async def holds(*records: tuple[bytes, bytes]) -> bool:
        try:
            return (await bench.view()).get("kpis:15m:all") == dict(records)
        except RedisConnectionError:  # The reader's own connection was to the Redis before.
            return False

    async with bench.projector():
        await until(lambda: holds(ACME))
        private_redis.kill()
        await bench.write(bench.topics.kpis, BOREAL)
        private_redis.start()
        await until(lambda: holds(ACME, BOREAL))


async def test_only_the_newest_transitions_are_kept_also_by_a_new_view(bench: Bench) -> None:
    count = TRANSITIONS_MAX + 200
    events = [alert_event("acme", number, at_ms=AT_MS + number) for number in range(count)]
    for first in range(0, count, 100):
        await bench.write(bench.topics.alerts, *events[first : first + 100])

    async def whole() -> bool:
        return events[-1][1] in (await bench.view()).get("transitions", set())

    async with bench.projector():
        await until(whole)
    assert (await bench.view())["transitions"] == {value for _, value in events[-TRANSITIONS_MAX:]}


async def test_a_new_view_is_told_of_what_happened_further_back_once_all_that_is_so_now_is_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.projector.source.TRANSITIONS_MAX", 5)
    events = [alert_event("acme", number, at_ms=AT_MS + number) for number in range(60)]
    for first in range(0, 60, 20):
        await bench.write(bench.topics.alerts, *events[first : first + 20])
    await bench.write(bench.topics.kpis, ACME)
    lines = [line(json.loads(value)) for _, value in events]

    async def told() -> list[bytes]:
        found: Any = await bench.redis.zrange(bench.keys.happened("acme"), 0, -1)
        return list(found)

    async def all_is_told() -> bool:
        health = await bench.health()
        return await told() == lines and health is not None and (health.history_left, health.lag_records) == (0, 0)

    async with bench.projector():
        await until(all_is_told)
        later = alert_event("acme", 60, at_ms=AT_MS + 60)
        await bench.write(bench.topics.alerts, later)
        lines.append(line(json.loads(later[1])))
        await until(all_is_told)
        monkeypatch.setattr("streams.projector.source.ALERTS_AGAIN", 30)
        await bench.redis.delete(*[key async for key in bench.redis.scan_iter(match=f"{bench.settings.app_id}:*")])

        async def some_are_told() -> bool:
            return len(await told()) > 10

        await until(some_are_told)
        found = await told()
        assert found == lines[-len(found) :]
        assert len(found) < 31, "some offsets are those of commits"
        assert await bench.figure(ACME[0]) == ACME[1]
