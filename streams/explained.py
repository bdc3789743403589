"""What the topics hold of one figure: its record, the stretches it was summed from, the policy, letters and offsets. Workers are not asked.

Bounded: of each topic one partition (of letters all), from a time on, filtered by key; the compacted topic of figures is read whole only
where its newest minutes do not hold the record.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiokafka import ConsumerRecord

from models.days import day_start
from models.errors import OutwatchError, PolicyError
from models.policy import PartnerPolicy
from models.policy_record import decode_policy
from models.settings import Settings
from models.topics import partition_of
from models.windows import DAY_MS, MINUTE_MS, Scope, parse_record_key, record_key
from models.yaml_file import suggest
from streams.engine.policies import Policies
from streams.letters.letter import Letter, read_record
from streams.past import Past, reading
from streams.policies import read_policies
from streams.policy_history import Stored

__all__ = ["Held", "NoFigureError", "Offsets", "hold", "newest", "policies_in", "records_of"]

_RECENT_MS: Final = 6 * MINUTE_MS
"""Everything that a partner has is written again every 5 minutes."""
_QUARTER_MS: Final = 15 * MINUTE_MS
_BEATS_MS: Final = 20_000
"""Heartbeats come every 5 s, unless the worker is busy."""

Json = Mapping[str, Any]


class NoFigureError(OutwatchError):
    """Raised when the topics hold no such figure; the message says what they hold instead."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """What was applied when a record was written: at least the offsets of the heartbeat before, at most those of the one after."""

    at_least: Json | None
    """A `models.operation.Heartbeat`; None where none is kept of that time."""
    at_most: Json | None


@dataclass(frozen=True, slots=True)
class Held:
    """What the topics hold of one figure."""

    record: Json
    stretches: dict[str, list[Json]]
    """By topic, the longest first."""
    policy: PartnerPolicy
    """As it is now."""
    offsets: Offsets
    closed_ms: int
    """Stretches that ended by then were closed when the newest heartbeat was written, or the record."""
    dead_letters: Counter[str]
    """Of the partner since the window began, by reason; so are late ones."""
    late: Counter[str]


async def hold(settings: Settings, partner_id: str, scope: Scope, window: str, now_ms: int) -> Held:
    """Read it.

    Raises:
        NoFigureError: if there is no such partner, scope or window.
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached, or the end of a topic is not.
    """
    topics, number = settings.topics, partition_of(partner_id, settings.partitions, settings.partitioner)
    policies = policies_in(await read_policies(settings))
    policy = policies.of(partner_id)
    key = record_key(partner_id, scope, window)
    async with reading(settings) as past:
        figures = await newest(past, [topics.kpis], number, now_ms - _RECENT_MS)
        if key not in figures:
            figures = await newest(past, [topics.kpis], None, None)
        if key not in figures:
            raise NoFigureError(_instead(figures, policies.partner_ids, partner_id, scope, window))
        record = figures[key]
        stretches = {
            topic: list((await newest(past, [topic], number, since_ms, record_key(partner_id, scope, ""))).values())
            for topic, since_ms in _since(settings, policy, record).items()
        }
        beats = [each async for each in records_of(past, [topics.heartbeats], number, record["as_of"] - _BEATS_MS)]
        offsets, frontier_ms = _offsets(beats, record)
        dead: Counter[str] = Counter()
        late: Counter[str] = Counter()
        async for letter in records_of(past, [topics.dead_letters, topics.late], None, record["from"]):
            if letter.topic == topics.late:
                if letter.key == partner_id.encode():
                    late[dict(letter.headers).get("late.reason", b"").decode()] += 1
            elif isinstance(said := read_record(letter), Letter) and said.partner == partner_id:
                dead[said.reason] += 1
    return Held(record, stretches, policy, offsets, frontier_ms - policy.settle_ms, dead, late)


def policies_in(stored: Stored) -> Policies:
    """What of it holds now, as workers read it."""
    policies = Policies()
    for (_, name), value in stored.items():
        with suppress(PolicyError):  # A worker refuses it too, and the last good one stays.
            policies.take(decode_policy(name, value))
    return policies


def _since(settings: Settings, policy: PartnerPolicy, record: Json) -> dict[str, int]:
    """From when on each topic is read: shorter stretches are wanted only where the window, or what has closed, ends within a longer."""
    topics, from_ms = settings.topics, record["from"]
    closed_ms = record["frontier"] - policy.settle_ms
    quarters_ms = minutes_ms = from_ms
    if from_ms == day_start(from_ms, policy.timezone):
        quarters_ms = max(from_ms, day_start(closed_ms, policy.timezone) - DAY_MS)
    if from_ms % _QUARTER_MS == 0:
        minutes_ms = max(from_ms, closed_ms - closed_ms % _QUARTER_MS - _QUARTER_MS)
    return {topics.rollups_1d: from_ms, topics.rollups_15m: quarters_ms, topics.rollups_1m: minutes_ms}


async def records_of(
    past: Past, topics: Iterable[str], number: int | None, since_ms: int | None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """What is there of these topics, of one partition number or of all, since a time."""
    starts = {place: at for place, at in (await past.starts(topics, since_ms)).items() if number in (None, place.partition)}
    async for record in past.records(starts):
        yield record


async def newest(past: Past, topics: Iterable[str], number: int | None, since_ms: int | None, prefix: str = "") -> dict[str, Json]:
    """By key, the newest record whose key begins with `prefix`; tombstones delete."""
    values: dict[str, bytes | None] = {}
    async for record in records_of(past, topics, number, since_ms):
        if record.key is not None and (key := record.key.decode()).startswith(prefix):
            values[key] = record.value
    return {key: orjson.loads(value) for key, value in values.items() if value is not None}


def _offsets(beats: Iterable[ConsumerRecord[bytes, bytes]], record: Json) -> tuple[Offsets, int]:
    """The heartbeats around a record, and how far the newest of both is."""
    before = after = None
    frontier_ms = record["frontier"]
    for beat in beats:
        said = orjson.loads(beat.value or b"{}")
        frontier_ms = max(frontier_ms, said["frontier"])
        if said["revision"] <= record["revision"]:
            before = said
        if said["revision"] >= record["revision"] and after is None:
            after = said
    return Offsets(before, after), frontier_ms


def _instead(figures: Iterable[str], configured: Iterable[str], partner_id: str, scope: Scope, window: str) -> str:
    """What there is instead of what was asked for."""
    held = [parse_record_key(key) for key in figures]
    partners = sorted({partner for partner, _, _ in held})
    if partner_id not in partners:
        if partner_id in configured:
            return f"{partner_id!r} has no figures yet: nothing of it was counted"
        return f"no figures of a partner {partner_id!r} ({suggest(partner_id, partners, None if partners else 'there are none at all')})"
    scopes = sorted({str(each) for partner, each, _ in held if partner == partner_id})
    if str(scope) not in scopes:
        return f"no figures of {partner_id!r} in the scope {str(scope)!r} ({suggest(str(scope), scopes)})"
    windows = [each for partner, place, each in held if (partner, place) == (partner_id, scope)]
    return f"no figures of {partner_id!r} in a window {window!r} (write one of {', '.join(windows)})"
