"""Somebody who writes all the time, whatever happens."""

import asyncio
from typing import Self

from models.settings import Settings
from tests.workers import answers, send

__all__ = ["Trickle"]


class Trickle:
    """Writes events all the time for the length of a with statement; every one was acknowledged."""

    def __init__(self, settings: Settings, first: int = 0) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self.written = first

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._task

    async def _write(self) -> None:
        while not self._stop.is_set():
            await send(self._settings, self._settings.topics.interactions, *answers(self.written, self.written + 50))
            self.written += 50
            await asyncio.sleep(0.05)
