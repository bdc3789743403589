"""Topics of the cluster: made as they must be, and looked at before a worker starts."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from models.settings import Settings
from models.topics import TopicSpec
from streams.connection import kafka
from streams.errors import TopicsError
from streams.topic_check import Finding, FoundTopic, Level, check_topics

__all__ = ["Creation", "check", "create", "partitions", "require_topics", "times_of_producers"]

REQUEST_TIMEOUT_MS: Final = 20_000
VISIBLE_SECONDS_MAX: Final = 15.0
_POLL_SECONDS: Final = 0.1
_OWN_CONFIG: Final = 1
"""The source of a value that was set for the topic itself (Kafka's DYNAMIC_TOPIC_CONFIG)."""


@dataclass(frozen=True, slots=True)
class Creation:
    """The names that were made now, and what is still not as it should be."""

    created: list[str]
    findings: list[Finding]


async def create(settings: Settings) -> Creation:
    """Make every topic that is missing, then look at all of them; one that exists is left as it is.

    Raises:
        aiokafka.errors.KafkaError: if the cluster cannot be reached.
    """
    specs = settings.topics.specs(settings.app_id)
    async with _client(settings) as client:
        names = [spec.name for spec in specs]
        existing = await _describe(client, names)
        # With replication -1 aiokafka wants to see an assignment of replicas; an empty one leaves it to the cluster.
        assignment: dict[int, list[int]] | None = {} if settings.replication < 0 else None
        missing = [spec for spec in specs if spec.name not in existing]
        wanted = [NewTopic(spec.name, settings.partitions, settings.replication, assignment, spec.config) for spec in missing]
        if not wanted:
            return Creation([], _check(settings, specs, existing))
        answer = await client.create_topics(wanted, timeout_ms=REQUEST_TIMEOUT_MS)
        refused = [
            Finding(name, Level.PROBLEM, f"the cluster does not make it: {text or f'error {code}'}", "outwatch topics create")
            for name, code, text in answer.topic_errors
            if code not in {0, TopicAlreadyExistsError.errno}
        ]
        created = [name for name, code, _ in answer.topic_errors if code == 0]
        found = await _describe_when_visible(client, names, created)
        already_said = {finding.topic for finding in refused}
        findings = [finding for finding in _check(settings, specs, found) if finding.topic not in already_said]
        return Creation(created, refused + findings)


async def check(settings: Settings) -> list[Finding]:
    """Look at the topics; nothing is changed.

    Raises:
        aiokafka.errors.KafkaError: if the cluster cannot be reached.
    """
    specs = settings.topics.specs(settings.app_id)
    async with _client(settings) as client:
        return _check(settings, specs, await _describe(client, [spec.name for spec in specs]))


async def partitions(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    """How many partitions these topics have; those that do not exist are left out.

    Raises:
        aiokafka.errors.KafkaError: if the cluster cannot be reached.
    """
    async with _client(settings) as client:
        return await _partitions(client, topics)


async def require_topics(settings: Settings) -> list[Finding]:
    """Check the topics before a worker starts, and return the remarks.

    Raises:
        TopicsError: if there is a problem; the text names each with its remedy.
        aiokafka.errors.KafkaError: if the cluster cannot be reached.
    """
    findings = await check(settings)
    problems = [str(finding) for finding in findings if finding.level is Level.PROBLEM]
    if problems:
        raise TopicsError("\n".join(problems))
    return findings


@asynccontextmanager
async def times_of_producers(settings: Settings, topics: Sequence[str]) -> AsyncIterator[None]:
    """Have these topics keep the times that records are sent with, for the length of a with statement; then stamp arrival again.

    Raises:
        TopicsError: if the cluster does not change them.
    """
    async with _client(settings) as client:
        await _stamp(client, topics, "CreateTime")
        try:
            yield
        finally:
            await _stamp(client, topics, "LogAppendTime")


async def _stamp(client: AIOKafkaAdminClient, topics: Sequence[str], by: str) -> None:
    # Kafka replaces all that a topic sets for itself, so all of it is sent.
    configs = await _configs(client, topics)
    own = {name: {key: entry[1] for key, entry in configs[name].items() if entry[3] == _OWN_CONFIG} for name in topics}
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name, own[name] | {"message.timestamp.type": by}) for name in topics]
    for answer in await client.alter_configs(wanted):
        for code, text, _, name in answer.resources:
            if code:
                msg = f"{name}: the cluster does not set message.timestamp.type={by}: {text or f'error {code}'}"
                raise TopicsError(msg)


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**kafka(settings), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


def _check(settings: Settings, specs: Sequence[TopicSpec], found: dict[str, FoundTopic]) -> list[Finding]:
    return check_topics(specs, found, settings.partitions, settings.brokers)


async def _describe(client: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, FoundTopic]:
    partitions = await _partitions(client, names)
    configs = await _configs(client, partitions) if partitions else {}
    return {name: FoundTopic(number, {key: entry[1] for key, entry in configs[name].items()}) for name, number in partitions.items()}


async def _partitions(client: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    # All topics are asked for: to ask for one by name makes it, on a cluster that creates topics by itself.
    wanted = set(names)
    return {topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics() if topic["topic"] in wanted}


async def _configs(client: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, tuple[Any, ...]]]:
    """By topic and key, Kafka's entry: (key, value, read only, source, ...)."""
    answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name, None) for name in names])
    configs = {}
    for code, text, _, name, entries in (resource for answer in answers for resource in answer.resources):
        if code:
            msg = f"the configuration of {name}: {text or f'error {code}'}"
            raise for_code(code)(msg)
        configs[name] = {entry[0]: entry for entry in entries}
    return configs


async def _describe_when_visible(client: AIOKafkaAdminClient, names: Sequence[str], created: Iterable[str]) -> dict[str, FoundTopic]:
    """Describe once the metadata shows what was created: the broker answers the creation a moment earlier."""
    deadline = monotonic() + VISIBLE_SECONDS_MAX
    while True:
        found = await _describe(client, names)
        if found.keys() >= set(created) or monotonic() > deadline:
            return found
        await asyncio.sleep(_POLL_SECONDS)
