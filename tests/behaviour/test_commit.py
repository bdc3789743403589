"""A commit on Apache Kafka: all of it or nothing, and where it ends."""

from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from models.settings import Settings
from streams.engine import Budget, Commit, Engine, Output
from streams.errors import CommitError
from streams.health.worker_metrics import WorkerMetrics
from streams.holding import Holding, new_producer
from tests.workers import read_all

pytestmark = pytest.mark.kafka

VALUE = b"x" * 20_000


class Says:
    """An engine that has this to say."""

    counters: dict[str, int] = {}  # noqa: RUF012 - never written

    def __init__(self, rows: int, records: list[Output]) -> None:
        self._commit = Commit(1, [(b"%d" % number, VALUE) for number in range(rows)], records, {}, [])

    def drain(self, now_ms: int, budget: Budget) -> Commit:
        return self._commit


async def commit(settings: Settings, rows: int, records: list[Output]) -> Holding:
    producer = new_producer(settings, 0)
    await producer.start()
    holding = Holding(0, cast("Engine", Says(rows, records)), producer, f"{settings.app_id}-log", settings.app_id)
    try:
        await holding.commit(Budget(1, 1), WorkerMetrics())
    finally:
        await producer.stop()
    return holding


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    configs: dict[str, dict[str, str]] = {"log": {}, "records": {}, "small": {"max.message.bytes": "10000"}}
    await client.create_topics([NewTopic(f"{app_id}-{name}", 1, 1, None, config) for name, config in configs.items()])
    await client.close()
    return Settings(brokers=kafka, app_id=app_id, partitions=1)


async def test_records_keep_their_order_over_many_batches_and_the_end_is_known(settings: Settings) -> None:
    name = f"{settings.app_id}-records"
    outputs = [Output(name, b"%d" % number, VALUE, [("ce_id", b"%d" % number)]) for number in range(100)]
    holding = await commit(settings, 90, outputs)
    found: list[Any] = await read_all(settings, name)
    assert [(record.key, record.headers) for record in found] == [(each.key, tuple(each.headers)) for each in outputs]
    assert len(await read_all(settings, holding.changelog)) == 90
    place = TopicPartition(holding.changelog, 0)
    async with AIOKafkaConsumer(bootstrap_servers=settings.brokers) as consumer:
        assert holding.end == (await consumer.end_offsets([place]))[place]


async def test_what_the_broker_refuses_of_one_topic_is_not_left_out_of_the_rest(settings: Settings) -> None:
    refused = Output(f"{settings.app_id}-small", b"k", VALUE, [])
    with pytest.raises(CommitError, match="MessageSizeTooLarge"):
        await commit(settings, 3, [refused, Output(f"{settings.app_id}-records", b"k", b"v", [])])
    assert await read_all(settings, f"{settings.app_id}-log", f"{settings.app_id}-records") == []
