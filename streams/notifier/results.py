"""Commands to the engines: what became of a page, and what pagers and chats call back. An id acts once, so that each may come twice."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid5

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from alerts.notify.request import DETAIL_MAX
from alerts.notify.text import cut
from models.notifications import RESULT, Notification, NotificationResult, Outcome
from models.operation import Command
from models.records import SCHEMA_VERSION
from models.settings import Settings
from models.topics import partition_of
from streams.connection import kafka

__all__ = ["ACTOR", "Commands", "result_of"]

ACTOR: Final = "notifier"
_NAMES: Final = UUID("b9f3a3a8-9f4f-4c0b-8f7e-0a6f2d0d7a55")
_RETRY_SECONDS: Final = 1.0


def result_of(notification: Notification, outcome: Outcome, detail: str, receipt: str | None, now_ms: int) -> Command:
    """The command that says what became of a notification; where it did not go out, of which receiver that is so."""
    if outcome is not Outcome.SENT:
        detail = cut(f"{notification.receiver.type} {notification.receiver.id}: {detail}", DETAIL_MAX)
    result = NotificationResult(
        notification=notification.id,
        incident=notification.incident,
        outcome=outcome,
        detail=detail,
        receipt=receipt[:200] if receipt else None,
    )
    return Command(
        id=str(uuid5(_NAMES, f"{notification.id}/{outcome}")),
        type=RESULT,
        actor=ACTOR,
        at=now_ms,
        partner=notification.partner,
        payload=result.model_dump(mode="json", exclude_none=True),
    )


class Commands:
    """Writes commands to the partition of their partner, each once and in order, as long as the broker is there."""

    def __init__(self, settings: Settings, failed: Callable[[], object]) -> None:
        self._settings = settings
        self._failed = failed
        self._producer: AIOKafkaProducer

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            aiokafka.errors.KafkaConnectionError: if no broker answers.
        """
        self._producer = AIOKafkaProducer(**kafka(self._settings), enable_idempotence=True, linger_ms=0)
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def write(self, command: Command) -> None:
        """Write a command.

        Raises:
            aiokafka.errors.KafkaError: if it was not acknowledged.
        """
        settings = self._settings
        where: dict[str, Any] = {"partition": partition_of(command.partner, settings.partitions, settings.partitioner)}
        where["headers"] = [("schema_version", SCHEMA_VERSION.encode())]
        value = command.model_dump_json().encode()
        await self._producer.send_and_wait(settings.topics.commands, value, command.partner.encode(), **where)

    async def surely(self, command: Command) -> None:
        """Write a command, however long the broker is away."""
        while True:
            try:
                await self.write(command)
            except KafkaError:
                self._failed()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return
