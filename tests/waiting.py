"""Waiting in tests: for a condition, never for a fixed time."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], wait_seconds: float = 20.0) -> None:
    """Return as soon as `condition` holds; TimeoutError after `wait_seconds`."""
    async with asyncio.timeout(wait_seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process.
            await asyncio.sleep(0.05)
