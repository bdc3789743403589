"""Signs of life of real processes: ready when they serve, metrics that count what was committed, a transition's line in the log."""

import json
import re
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from models import clock
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.local.process import LeashedProcess
from streams.local.service import free_port
from tests.engines import event
from tests.waiting import until
from tests.workers import Worker, ask, environment, metrics

pytestmark = pytest.mark.kafka

EVENTS = 300
PARTNERS = ("acme", "globex", "initech")


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    settings = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, session_timeout_seconds=6)
    await create(settings)
    return settings


async def ready(settings: Settings) -> bool:
    return (await ask(settings, "/readyz"))[0] == 200


async def produce(settings: Settings, count: int) -> None:
    """Events of three partners, every tenth twice, and one record that is not JSON."""
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        for at in range(count):
            partner = PARTNERS[at % len(PARTNERS)]
            body = event("contact.answered", clock.now_ms(), f"{count}-{at}", partner=partner)
            number = partition_of(partner, settings.partitions, settings.partitioner)
            for _ in range(2 if at % 10 == 0 else 1):
                await producer.send(settings.topics.interactions, json.dumps(body).encode(), key=partner.encode(), partition=number)
        await producer.send(settings.topics.interactions, b"{", key=b"acme", partition=0)


async def test_workers_are_ready_and_count_what_they_committed_over_a_takeover(settings: Settings, tmp_path: Path) -> None:
    one, two, spare = (settings.model_copy(update={"http_port": free_port(), "worker": name}) for name in ("one", "two", "spare"))
    with Worker(one, tmp_path / "one.log") as first:
        await until(lambda: ready(one), 40)
        await produce(settings, EVENTS)

        async def counted(*workers: Settings) -> dict[str, float]:
            seen = [await metrics(each) for each in workers]
            return {name: sum(each.get(name, 0) for each in seen) for each in seen for name in each}

        async def first_counted() -> bool:
            seen = await counted(one)
            return seen["outwatch_events_total"] == EVENTS and not any(seen[name] for name in seen if name.startswith("outwatch_lag"))

        await until(first_counted)
        seen = await counted(one)
        assert seen["outwatch_duplicates_total"] == EVENTS / 10
        assert seen['outwatch_dead_letters_total{reason="json"}'] == 1
        assert len([name for name in seen if name.startswith("outwatch_lag_records")]) == 7 * settings.partitions
        assert [seen[f'outwatch_partition_refused{{partition="{number}"}}'] for number in (0, 1)] == [0, 0]
        assert all(seen[f'outwatch_frontier_behind_seconds{{partition="{number}"}}'] < 5 for number in (0, 1))
        assert (seen["outwatch_partners"], seen["outwatch_seen_ids"]) == (len(PARTNERS), EVENTS)
        assert seen["outwatch_event_age_seconds_count"] > 0
        assert 0 < seen["outwatch_publish_latency_seconds_sum"] / seen["outwatch_publish_latency_seconds_count"] < 10
        assert seen["outwatch_recovery_seconds_count"] >= 1
        assert seen[f'outwatch_records_written_total{{topic="{settings.topics.kpis}"}}'] > 0

        with Worker(two, tmp_path / "two.log"), Worker(spare, tmp_path / "spare.log"):
            # Two partitions, three workers: one is left without, and is ready all the same.
            for each in (one, two, spare):
                await until(lambda each=each: ready(each), 40)  # type: ignore[misc]
            assert await first.terminate() == 0
            await until(lambda: ready(two), 40)
            await until(lambda: ready(spare), 40)
            await produce(settings, 2 * EVENTS)

            async def others_counted() -> bool:
                return (await counted(two, spare))["outwatch_events_total"] == 2 * EVENTS

            await until(others_counted)
            held = [name for each in (two, spare) for name in await metrics(each) if name.startswith("outwatch_partition_refused")]
            assert sorted(re.findall(r"\d+", "".join(held))) == ["0", "1"]
    lines = [json.loads(line) for line in (tmp_path / "one.log").read_text().splitlines()]
    assert {"starts", "assigned"} <= {line["message"] for line in lines}


@pytest.mark.redis
async def test_a_projector_is_ready_once_it_has_its_place_in_the_view(settings: Settings, redis_url: str, tmp_path: Path) -> None:
    own = settings.model_copy(update={"http_port": free_port(), "redis_url": redis_url})
    with LeashedProcess([sys.executable, "-m", "streams.cli", "project"], tmp_path / "projector.log", environment(own)):
        await until(lambda: ready(own), 40)

        async def said() -> bool:
            return (await metrics(own))["outwatch_projector_said_timestamp_seconds"] > 0

        await until(said)
        seen = await metrics(own)
        assert (seen["outwatch_projector_rebuilds_total"], seen["outwatch_projector_lag_records"]) == (1, 0)
        assert (await ask(own, "/livez"))[0] == 200
