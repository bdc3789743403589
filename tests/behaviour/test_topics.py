"""Topics on a real cluster: made, checked, and a worker kept from starting over wrong ones."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from models.settings import Settings
from streams.admin import check, create, require_topics
from streams.errors import TopicsError
from streams.topic_check import Level

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(kafka: str, app_id: str) -> Settings:
    return Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2)


async def make(settings: Settings, name: str, partitions: int, config: dict[str, str]) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await client.start()
    try:
        await client.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
    finally:
        await client.close()


async def test_created_topics_pass_their_check_and_a_second_creation_makes_none(settings: Settings) -> None:
    names = [spec.name for spec in settings.topics.specs(settings.app_id)]
    first = await create(settings)
    assert (first.created, first.findings) == (names, [])
    assert await check(settings) == []
    assert (await create(settings)).created == []
    assert await require_topics(settings) == []


async def test_before_creation_every_topic_is_missing_and_none_is_made_by_looking(settings: Settings) -> None:
    names = {spec.name for spec in settings.topics.specs(settings.app_id)}
    assert {finding.topic for finding in await check(settings)} == names
    assert {finding.topic for finding in await check(settings)} == names


async def test_creation_leaves_a_wrong_topic_as_it_is_and_says_so(settings: Settings) -> None:
    await make(settings, settings.topics.kpis, 2, {"cleanup.policy": "delete"})
    done = await create(settings)
    assert settings.topics.kpis not in done.created
    assert {(finding.topic, finding.level) for finding in done.findings} == {
        (settings.topics.kpis, Level.PROBLEM),
        (settings.topics.kpis, Level.REMARK),
    }
    with pytest.raises(TopicsError, match=r"cleanup\.policy=compact"):
        await require_topics(settings)


async def test_what_the_cluster_refuses_is_a_problem_in_its_words(settings: Settings) -> None:
    done = await create(settings.model_copy(update={"replication": 3}))
    assert done.created == []
    assert len(done.findings) == len(settings.topics.specs(settings.app_id))
    assert "replication factor" in done.findings[0].message.lower()
