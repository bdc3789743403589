"""What several notifiers, and one after a crash, tell each other by Redis; without it every page is sent all the same.

| key | holds |
| --- | --- |
| `APP:notify:lease:ID` | who is sending this notification, for a few seconds |
| `APP:notify:done:ID` | what became of it, and what the receiver answered to be called by, for two days |
| `APP:notify:thread:INCIDENT:RECEIVER` | the receiver's thread of an incident |
| `APP:notify:pages:PERSON` | the pages of the last ten minutes |
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from time import monotonic
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from models.notifications import Outcome
from streams.notifier.digests import PAGES_MAX, PAGES_SPAN_MS

__all__ = ["Lease", "Leases", "Taken"]

LEASE_MS: Final = 15_000
"""Longer than one try takes; renewed before each."""
_DONE_SECONDS: Final = 2 * 86_400
_THREAD_SECONDS: Final = 30 * 86_400
_ANSWER_SECONDS: Final = 1.0
_REST_SECONDS: Final = 5.0
"""For so long a Redis that did not answer is not asked again."""


class Lease(StrEnum):
    """Who sends a notification."""

    OURS = "ours"
    OTHERS = "others"
    DONE = "done"
    """It was sent already, or something else became of it."""
    ALONE = "alone"
    """Redis does not answer: nobody can be asked."""


class Taken(NamedTuple):
    """What became of taking a lease."""

    lease: Lease
    outcome: Outcome | None = None
    receipt: str | None = None


class Leases:
    """Of one notifier; `failed` is called for each question that Redis did not answer."""

    def __init__(self, client: Redis, app_id: str, owner: str, failed: Callable[[], object]) -> None:
        self._client = client
        self._prefix = f"{app_id}:notify:"
        self._owner = owner.encode()
        self._failed = failed
        self._rests_until = 0.0

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - as the client answers
        if monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await question()
        except (RedisError, TimeoutError, OSError):
            self._rests_until = monotonic() + _REST_SECONDS
            self._failed()
            return None

    async def take(self, identity: str) -> Taken:
        """Begin to send a notification, unless another does or somebody did."""

        async def question() -> list[Any]:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.get(f"{self._prefix}done:{identity}")
                pipe.set(f"{self._prefix}lease:{identity}", self._owner, nx=True, px=LEASE_MS)
                pipe.get(f"{self._prefix}lease:{identity}")
                return list(await pipe.execute())

        answer = await self._ask(question)
        if answer is None:
            return Taken(Lease.ALONE)
        done, _, owner = answer
        if done is not None:
            outcome, _, receipt = done.decode().partition(" ")
            return Taken(Lease.DONE, Outcome(outcome), receipt or None)
        return Taken(Lease.OURS if owner == self._owner else Lease.OTHERS)

    async def renew(self, identity: str) -> None:
        """Go on for another try."""
        await self._ask(lambda: self._client.set(f"{self._prefix}lease:{identity}", self._owner, px=LEASE_MS))

    async def release(self, identity: str) -> None:
        """It was not sent, and may be by whoever comes first."""
        await self._ask(lambda: self._client.delete(f"{self._prefix}lease:{identity}"))

    async def done(self, identity: str, outcome: Outcome, receipt: str | None = None, thread: tuple[str, str] = ("", "")) -> None:
        """It is done with; `thread` is incident and receiver, of which the first receipt is kept."""

        async def question() -> list[Any]:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.set(f"{self._prefix}done:{identity}", f"{outcome} {receipt or ''}", ex=_DONE_SECONDS)
                pipe.delete(f"{self._prefix}lease:{identity}")
                if receipt is not None:
                    pipe.set(f"{self._prefix}thread:{':'.join(thread)}", receipt, ex=_THREAD_SECONDS, nx=True)
                return list(await pipe.execute())

        await self._ask(question)

    async def thread(self, thread: tuple[str, str]) -> str | None:
        """What the receiver answered to the first page of an incident."""
        found = await self._ask(lambda: self._client.get(f"{self._prefix}thread:{':'.join(thread)}"))
        return None if found is None else str(found.decode())

    async def admit(self, person: str, page: str, now_ms: int) -> bool | None:
        """Whether a person may be paged now, of all notifiers together; None where Redis does not answer."""
        key = f"{self._prefix}pages:{person}"

        async def question() -> list[Any]:
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.zremrangebyscore(key, 0, now_ms - PAGES_SPAN_MS)
                pipe.zadd(key, {page: now_ms}, nx=True)
                pipe.zrank(key, page)
                pipe.pexpire(key, PAGES_SPAN_MS)
                return list(await pipe.execute())

        answer = await self._ask(question)
        if answer is None:
            return None
        if answer[2] < PAGES_MAX:
            return True
        await self._ask(lambda: self._client.zrem(key, page))
        return False
