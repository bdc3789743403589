"""Waiting until the workers have counted all that a replay wrote, and reading the days that they closed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from models.errors import OutwatchError
from models.settings import Settings
from models.topics import partition_of
from models.windows import parse_record_key
from streams.connection import kafka
from streams.delivery import Source
from streams.replay.tally import Tally

__all__ = ["PATIENCE_SECONDS", "NobodyCountsError", "closed_days"]

PATIENCE_SECONDS: Final = 60.0
"""How long nothing may move before we give up: longer than a takeover by another worker."""

_POLL_SECONDS: Final = 0.5


class NobodyCountsError(OutwatchError):
    """Raised when the workers have not moved for too long."""


class _Reader:
    """What the workers have written so far."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings, tally: Tally) -> None:
        self._consumer = consumer
        self._rollups_topic = settings.topics.rollups_1d
        self._partners = tally.partners
        dates = [date for _, date in tally.days]
        self._first, self._last = min(dates, default=""), max(dates, default="")
        self.beats: dict[int, dict[str, Any]] = {}
        """The newest heartbeat by partition."""
        self.rollups: dict[str, dict[str, Any]] = {}
        """The newest record by key, of whole partners of the replay and its dates."""

    async def poll(self) -> None:
        """Take what arrived."""
        for records in (await self._consumer.getmany(timeout_ms=round(_POLL_SECONDS * 1000), max_records=5_000)).values():
            for record in records:
                if record.topic != self._rollups_topic:
                    beat = orjson.loads(record.value)
                    self.beats[beat["partition"]] = beat
                else:
                    self._rollup(record.key.decode(), record.value)

    def _rollup(self, key: str, value: bytes | None) -> None:
        partner, scope, date = parse_record_key(key)
        if value is None:
            self.rollups.pop(key, None)  # All that it held was taken back.
        elif str(scope) == "all" and partner in self._partners and self._first <= date <= self._last:
            self.rollups[key] = orjson.loads(value)

    async def read_to_end(self) -> None:
        """Take everything that is there now."""
        partitions = [tp for tp in self._consumer.assignment() if tp.topic == self._rollups_topic]
        ends = await self._consumer.end_offsets(partitions)
        for tp in partitions:
            while await self._consumer.position(tp) < ends[tp]:
                await self.poll()


async def closed_days(
    settings: Settings, tally: Tally, source: Source, end_ms: int, stop: asyncio.Event, on_progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The newest records of the closed days of the replay's partners, once all that was written is counted and published.

    Args:
        settings: of the installation that replays; its `app_id` names the workers' group.
        tally: whose days.
        source: where everything was written to.
        end_ms: the workers' frontier must have come here.
        stop: ends the waiting, with what there is by then.
        on_progress: is told what is waited for.

    Raises:
        NobodyCountsError: if nothing moves for `PATIENCE_SECONDS`.
        aiokafka.errors.KafkaError: if the brokers cannot be reached.
    """
    loop = asyncio.get_running_loop()
    numbers = range(settings.partitions)
    wanted = {partition_of(partner, settings.partitions, settings.partitioner) for partner in tally.partners}
    topics = settings.topics
    consumer = AIOKafkaConsumer(**kafka(settings), isolation_level="read_committed", enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**kafka(settings))
    await consumer.start()
    try:
        await admin.start()
        consumer.assign([TopicPartition(topic, number) for topic in (topics.rollups_1d, topics.heartbeats) for number in numbers])
        await consumer.seek_to_beginning(*[TopicPartition(topics.rollups_1d, number) for number in numbers])
        await consumer.seek_to_end(*[TopicPartition(topics.heartbeats, number) for number in numbers])
        fed = str(getattr(topics, source))
        written = await consumer.end_offsets([TopicPartition(fed, number) for number in wanted])
        reader = _Reader(consumer, settings, tally)
        moved_at, before = loop.time(), None
        counted_ms: dict[int, int] = {}
        while True:
            await reader.poll()
            behind = await _behind(admin, settings.app_id, written)
            for number in wanted:
                beat = reader.beats.get(number)
                if number not in counted_ms and beat is not None and number not in behind and _is_past(beat, end_ms):
                    counted_ms[number] = beat["as_of"]
            done = {number for number, at_ms in counted_ms.items() if _is_published(reader.beats[number], at_ms)}
            if done == wanted or stop.is_set():
                await reader.read_to_end()
                return list(reader.rollups.values())
            on_progress(f"{len(done)} of {len(wanted)} partitions counted and published")
            now = (behind, {number: reader.beats.get(number, {}).get("evaluated_to") for number in wanted}, done)
            if now != before:
                moved_at, before = loop.time(), now
            if loop.time() - moved_at > PATIENCE_SECONDS:
                msg = (
                    f"nothing of partitions {sorted(wanted - done)} was counted for {PATIENCE_SECONDS:g} s: does `outwatch run` run with "
                    f"OUTWATCH_CLOCK=log, OUTWATCH_APP_ID={settings.app_id} and OUTWATCH_TOPIC_PREFIX={settings.topic_prefix}?"
                )
                raise NobodyCountsError(msg)
    finally:
        await admin.close()
        await consumer.stop()


async def _behind(admin: AIOKafkaAdminClient, group: str, written: Mapping[TopicPartition, int]) -> dict[int, int]:
    """By partition number: records that were written and are not yet in a commit of the workers."""
    try:
        committed = await admin.list_consumer_group_offsets(group, partitions=list(written))
    except KafkaError:
        # The group may not exist yet, or its coordinator is moving: as good as nothing committed.
        return {tp.partition: end for tp, end in written.items()}
    behind: dict[int, int] = {}
    for tp, end in written.items():
        left = end - max(0, committed[tp].offset if tp in committed else 0)
        if left > 0:
            behind[tp.partition] = behind.get(tp.partition, 0) + left
    return behind


def _is_past(beat: dict[str, Any], end_ms: int) -> bool:
    return bool(beat["evaluated_to"] >= end_ms)


def _is_published(beat: dict[str, Any], counted_ms: int) -> bool:
    """Whether the workers have had the time for a round of publishing since everything was counted."""
    return bool(beat["as_of"] > counted_ms + beat["cadence_seconds"] * 1000)
