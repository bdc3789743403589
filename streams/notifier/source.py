"""What the notifier reads, as committed: intents by a consumer group, incidents whole by each notifier."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaTimeoutError

from models.settings import Settings
from streams.connection import kafka, stop_consumer
from streams.notifier.progress import Progress

__all__ = ["READ_MAX", "IncidentSource", "IntentSource", "group_of"]

READ_MAX: Final = 200
"""Records at once."""
_COMMIT_SECONDS: Final = 5.0
"""The client would try for as long as the broker is away."""

Assigned = Callable[[Collection[int]], Awaitable[None]]
Revoked = Callable[[Collection[int]], Awaitable[None]]


def group_of(settings: Settings) -> str:
    """The consumer group of the notifiers."""
    return f"{settings.app_id}-notify"


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, assigned: Assigned, revoked: Revoked) -> None:
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._revoked({each.partition for each in revoked})

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        await self._assigned({each.partition for each in assigned})


class IntentSource:
    """`outwatch.notifications`; `assigned` is awaited when partitions come, `revoked` before they go to another notifier."""

    def __init__(self, settings: Settings, assigned: Assigned, revoked: Revoked) -> None:
        self._settings = settings
        self._topic = settings.topics.notifications
        self._listener = _Listener(assigned, revoked)
        self._consumer = AIOKafkaConsumer(
            **kafka(settings),
            group_id=group_of(settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            # A first start tells of what is open, and of what is over in one digest.
            auto_offset_reset="earliest",
            session_timeout_ms=round(settings.session_timeout_seconds * 1000),
            heartbeat_interval_ms=round(settings.session_timeout_seconds * 250),
        )

    async def __aenter__(self) -> Self:
        """Join the group.

        Raises:
            aiokafka.errors.KafkaConnectionError: if no broker answers.
        """
        self._consumer.subscribe([self._topic], listener=self._listener)
        try:
            await self._consumer.start()
        except BaseException:
            await stop_consumer(self._consumer)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave it."""
        await stop_consumer(self._consumer)

    def partitions(self) -> set[int]:
        """Those that are ours now."""
        return {each.partition for each in self._consumer.assignment()}

    async def batch(self, wait_seconds: float, *, room: bool) -> list[ConsumerRecord[bytes, bytes]]:
        """The next intents; none where there is no room, while the group is told that we live."""
        assigned = self._consumer.assignment()
        try:
            (self._consumer.resume if room else self._consumer.pause)(*assigned)
        except IllegalStateError:
            return []  # A rebalance took them between the two lines.
        found = await self._consumer.getmany(timeout_ms=round(wait_seconds * 1000), max_records=READ_MAX)
        return [record for records in found.values() for record in records]

    async def committed(self) -> dict[int, Progress]:
        """How far each partition was done with when that was said last.

        Raises:
            aiokafka.errors.KafkaError: if the broker does not answer.
        """
        admin = AIOKafkaAdminClient(**kafka(self._settings))
        try:
            await admin.start()
            found = await admin.list_consumer_group_offsets(group_of(self._settings))
        finally:
            await admin.close()
        return {place.partition: Progress.of(said.offset, said.metadata) for place, said in found.items() if place.topic == self._topic}

    async def commit(self, progress: Mapping[int, Progress]) -> bool:
        """Say how far the topic is done with; False where the group has moved on, so that another does.

        Raises:
            aiokafka.errors.KafkaError: if the broker does not answer.
        """
        ours = self.partitions()
        said = {
            TopicPartition(self._topic, number): OffsetAndMetadata(each.offset, each.words())
            for number, each in progress.items()
            if number in ours
        }
        if said:
            try:
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await self._consumer.commit(said)
            except (CommitFailedError, IllegalStateError):
                return False
            except TimeoutError as error:
                msg = "no answer to a commit"
                raise KafkaTimeoutError(msg) from error
        return True


class IncidentSource:
    """`outwatch.incidents` and `outwatch.policies`, all of them: call-backs and storms are of any partner."""

    def __init__(self, settings: Settings) -> None:
        topics = settings.topics.incidents, settings.topics.policies
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
        self._consumer = AIOKafkaConsumer(
            **kafka(settings), isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
        )

    async def __aenter__(self) -> Self:
        """Connect, and go to the beginning.

        Raises:
            aiokafka.errors.KafkaConnectionError: if no broker answers.
        """
        try:
            await self._consumer.start()
        except BaseException:
            await stop_consumer(self._consumer)
            raise
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning(*self._partitions)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect."""
        await stop_consumer(self._consumer)

    async def batch(self, wait_seconds: float) -> list[ConsumerRecord[bytes, bytes]]:
        """The next records."""
        found = await self._consumer.getmany(timeout_ms=round(wait_seconds * 1000), max_records=READ_MAX)
        return [record for records in found.values() for record in records]

    async def ends(self) -> dict[TopicPartition, int]:
        """The offset after the last committed record of every partition."""
        return dict(await self._consumer.end_offsets(self._partitions))

    async def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether everything up to there was read."""
        return all([await self._consumer.position(each) >= end for each, end in ends.items()])
