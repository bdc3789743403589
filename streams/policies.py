"""Policies on their topic: what is current there, and a whole policy put there in one transaction.

The shared part goes to every partition and each partner's own part to the partner's, under a key that names the revision and under
`current`; what is there already is not written again. A partner that the policy no longer names gets a tombstone under `current`.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from models.errors import PolicyError
from models.policy_file import parts
from models.policy_record import CURRENT, PolicyChange, decode_policy, encode_policy, policy_key
from models.policy_spec import PartnerPart, PolicyFile, SharedPart
from models.records import SCHEMA_VERSION
from models.settings import Settings
from models.topics import BROADCAST, partition_of
from streams.connection import kafka
from streams.policy_history import Stored, restored
from streams.present import POLL_MS, READ_SECONDS_MAX, read_present

__all__ = ["Applied", "Write", "apply_policy", "plan", "read_policies", "roll_back"]


@dataclass(frozen=True, slots=True)
class Write:
    """A record to be written; None as value deletes."""

    partition: int
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What an application changed: revisions by partner (`*`: what is shared), and who was left as they were or is gone."""

    changed: dict[str, str]
    unchanged: list[str]
    retired: list[str]


def plan(policy: PolicyFile, stored: Stored, settings: Settings, at_ms: int) -> tuple[list[Write], Applied]:
    """The records that make `policy` the current one where `stored` is what the topic holds. What is shared comes first.

    Raises:
        PolicyError: if a part does not fit in a record.
    """
    writes: list[Write] = []
    applied = Applied({}, [], [])
    wanted: set[tuple[int, bytes]] = set()
    for partner, part, partitions in _addressed(policy, settings):
        record = encode_policy(part, at_ms)
        value, current = record.model_dump_json().encode(), policy_key(partner, CURRENT)
        places = [(partition, current) for partition in partitions]
        wanted.update(places)
        stale = [partition for partition, key in places if _revision(key, stored.get((partition, key))) != record.revision]
        for partition in stale:
            writes += [Write(partition, policy_key(partner, record.revision), value), Write(partition, current, value)]
        if stale:
            applied.changed[partner] = record.revision
        else:
            applied.unchanged.append(partner)
    for partition, key in sorted(stored):
        change = _decoded(key, None)
        if change is not None and change.current and (partition, key) not in wanted:
            writes.append(Write(partition, key, None))
            if not any(place[1] == key for place in wanted):
                applied.retired.append(change.partner)
    return writes, applied


def _addressed(policy: PolicyFile, settings: Settings) -> Iterator[tuple[str, SharedPart | PartnerPart, range]]:
    shared, own = parts(policy)
    yield BROADCAST, shared, range(settings.partitions)
    for partner, part in own.items():
        at = partition_of(partner, settings.partitions, settings.partitioner)
        yield partner, part, range(at, at + 1)


def _revision(key: bytes, value: bytes | None) -> str | None:
    change = None if value is None else _decoded(key, value)
    return None if change is None else change.revision


def _decoded(key: bytes, value: bytes | None) -> PolicyChange | None:
    try:
        return decode_policy(key, value)
    except PolicyError:
        return None


async def apply_policy(settings: Settings, policy: PolicyFile, at_ms: int) -> Applied:
    """Make `policy` the current one, whole or not at all.

    Raises:
        PolicyError: if a part does not fit in a record.
        TopicsError: if the topic is missing or has not as many partitions as the settings say.
        aiokafka.errors.KafkaError: if Kafka cannot be reached, or another `apply` began meanwhile.
    """
    return await _apply(settings, lambda _: policy, at_ms)


async def roll_back(settings: Settings, revision: str, at_ms: int) -> Applied:
    """Make an earlier revision of one part the current one again, if it holds together with the others; raises as `apply_policy`."""
    return await _apply(settings, lambda stored: restored(stored, revision), at_ms)


async def _apply(settings: Settings, choose: Callable[[Stored], PolicyFile], at_ms: int) -> Applied:
    topic = settings.topics.policies
    # Connecting fences another application and ends what it left open, so what is read next is all there is.
    producer = AIOKafkaProducer(**kafka(settings), transactional_id=f"{settings.topic_prefix}outwatch-policy-apply")
    try:
        await producer.start()
        stored = await read_policies(settings)
        writes, applied = plan(choose(stored), stored, settings, at_ms)
        if writes:
            headers = [("schema_version", SCHEMA_VERSION.encode())]
            async with producer.transaction():
                for each in writes:
                    await producer.send(topic, key=each.key, value=each.value, partition=each.partition, headers=headers)
            with suppress(TimeoutError):  # It is applied all the same; another application may have replaced it already.
                await _shown(settings, writes)
        return applied
    finally:
        await producer.stop()


async def _shown(settings: Settings, writes: list[Write]) -> None:
    """Wait until readers are shown what was committed: Kafka says so before the transaction's markers stand in every partition."""
    newest = {(each.partition, each.key): each.value for each in writes if each.value is not None}
    async with asyncio.timeout(READ_SECONDS_MAX):
        while not newest.items() <= (await read_policies(settings)).items():  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(POLL_MS / 1000)


async def read_policies(settings: Settings) -> Stored:
    """Everything on the topic; raises as `streams.present.read_present`."""
    return await read_present(settings, settings.topics.policies)
