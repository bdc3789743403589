"""A holding: what comes after a commit that was refused, or cut off, commits nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.errors import CommitError
from streams.health.worker_metrics import WorkerMetrics
from streams.holding import Holding
from tests.conditions import START_MS
from tests.engines import Rig, budget, event


class RefusesOnce:
    """A producer whose first transaction fails after a while."""

    def __init__(self) -> None:
        self.transactions = 0
        self.begun = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.transactions += 1
        self.begun.set()
        await asyncio.sleep(0)
        if self.transactions:
            raise KafkaTimeoutError
        yield


async def test_no_commit_follows_a_refused_one() -> None:
    rig = Rig()
    rig.send(event("contact.left", START_MS, "e1"), at_ms=START_MS)
    rig.poll()
    producer: Any = RefusesOnce()
    holding = Holding(0, rig.engine, producer, "changelog", "group")
    refused = asyncio.create_task(holding.commit(budget(), WorkerMetrics()))
    await producer.begun.wait()
    rig.send(event("contact.left", START_MS, "e2"), at_ms=START_MS)
    rig.poll()
    first, second = await asyncio.gather(refused, holding.commit(budget(), WorkerMetrics()), return_exceptions=True)
    assert isinstance(first, CommitError)
    assert second is None, "what the first had drained is nowhere, and the second would have committed offsets past it"
    assert producer.transactions == 1


class NeverEnds:
    """A producer whose transaction waits for ever."""

    def __init__(self) -> None:
        self.transactions = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.transactions += 1
        await asyncio.Event().wait()
        yield


async def test_no_commit_follows_one_that_was_cut_off() -> None:
    rig = Rig()
    rig.send(event("contact.left", START_MS, "e1"), at_ms=START_MS)
    rig.poll()
    producer: Any = NeverEnds()
    holding = Holding(0, rig.engine, producer, "changelog", "group")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(holding.commit(budget(), WorkerMetrics()), 0.05)
    rig.send(event("contact.left", START_MS, "e2"), at_ms=START_MS)
    rig.poll()
    assert await holding.commit(budget(), WorkerMetrics()) is None
    assert producer.transactions == 1


class GivesUp:
    """A producer whose client cancels what it was asked for."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future
        yield


async def test_what_the_client_cancels_by_itself_is_a_refused_commit_and_ends_nobody_without_a_word() -> None:
    rig = Rig()
    rig.send(event("contact.left", START_MS, "e1"), at_ms=START_MS)
    rig.poll()
    producer: Any = GivesUp()
    holding = Holding(0, rig.engine, producer, "changelog", "group")
    with pytest.raises(CommitError, match="cut off by the client"):
        await holding.commit(budget(), WorkerMetrics())
    assert holding.broken
