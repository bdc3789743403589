"""Events and the clock as they lie in Kafka."""

import asyncio
from itertools import pairwise
from typing import get_args

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from models.clock import now_ms
from models.settings import Settings
from models.topics import partition_of
from models.windows import HOUR_MS, MINUTE_MS
from streams.admin import create
from streams.delivery import Source
from streams.errors import TopicsError
from streams.produce import Feed
from streams.simulate import Script, Simulated, Stretch, events, partners, simulate

pytestmark = pytest.mark.kafka


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=3, clock="log")
    assert (await create(made)).findings == []
    return made


async def read(settings: Settings, topic: str) -> dict[int, list[ConsumerRecord]]:
    """Everything in a topic, by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: dict[int, list[ConsumerRecord]] = {number: [] for number in range(settings.partitions)}
        async with asyncio.timeout(30):
            while sum(map(len, found.values())) < sum(ends.values()):
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[tp.partition] += records
        return found
    finally:
        await consumer.stop()


def clock_of(records: list[ConsumerRecord]) -> list[dict[str, object]]:
    return [orjson.loads(record.value) for record in records if record.key is None]


async def test_a_simulation_writes_its_past_and_goes_on_with_the_clock_in_every_partition(settings: Settings) -> None:
    config, at_ms, past = Simulated(partners(4)), now_ms(), []
    stretch = Stretch(at_ms, past_ms=HOUR_MS, for_ms=MINUTE_MS, speed=60.0)
    written = await simulate(
        settings, config, stretch, seed=1, script=Script(), stop=asyncio.Event(), on_past_written=lambda: past.append(now_ms())
    )
    assert len(past) == 1
    expected = list(events(config, 1, stretch.zero_ms - HOUR_MS, stretch.zero_ms + MINUTE_MS))
    assert written == len(expected)
    topics = {source: getattr(settings.topics, source) for source in get_args(Source)}
    for source, topic in topics.items():
        found = await read(settings, topic)
        for number, records in found.items():
            mine = [each for each in expected if each.source == source and partition_of(each.partner_id, settings.partitions) == number]
            sent = [(record.key.decode(), record.value) for record in records if record.key is not None]
            assert sent == [(each.partner_id, each.value) for each in mine], "in order, in the partner's partition"
            clock = clock_of(records)
            assert all(body["topics"] == list(topics.values()) for body in clock)
            points = [body["to"] for body in clock]
            assert points == list(range(stretch.zero_ms - HOUR_MS + 10_000, stretch.zero_ms + MINUTE_MS + 1, 10_000))
            assert all(record.timestamp > at_ms - 60_000 for record in records), "no record bears an event's time"


async def test_nothing_is_written_before_the_clock_that_says_so(settings: Settings) -> None:
    config = Simulated(partners(2), disordered=0.0, duplicated=0.0, survey_delayed=0.0, poisoned=0.0)
    await simulate(settings, config, Stretch(now_ms(), HOUR_MS, 0), seed=1, script=Script(), stop=asyncio.Event())
    for records in (await read(settings, settings.topics.interactions)).values():
        bodies = [orjson.loads(record.value) for record in records]
        times = [body["to"] if record.key is None else body["occurred_at"] for record, body in zip(records, bodies, strict=True)]
        assert all(before <= after for before, after in pairwise(times))


async def test_stopping_ends_a_stream_without_end(settings: Settings) -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(20):
        await simulate(
            settings, Simulated(partners(1)), Stretch(now_ms(), HOUR_MS), seed=1, script=Script(), stop=stop, on_past_written=stop.set
        )


async def test_more_than_a_batch_arrives_whole_and_in_order(settings: Settings) -> None:
    values = [b"%d" % number + b"x" * 1000 for number in range(12_000)]
    async with Feed(settings, ("interactions",)) as feed:
        for value in values:
            feed.put("interactions", "acme", value)
        await feed.flush()
    found = await read(settings, settings.topics.interactions)
    assert [record.value for record in found[partition_of("acme", settings.partitions)]] == values


async def test_topics_of_another_size_are_refused(settings: Settings) -> None:
    with pytest.raises(TopicsError, match="has 3 partitions, OUTWATCH_PARTITIONS says 4"):
        async with Feed(settings.model_copy(update={"partitions": 4}), ("interactions",)):
            pass
