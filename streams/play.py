"""Deliveries in the order of stream time, written as fast as possible or at a pace, with the stream's clock between them."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.windows import GRID_MS
from streams.delivery import Delivery
from streams.produce import MAX_BUFFERED, Feed
from streams.signals import wait_or_stop

__all__ = ["Player", "Tick", "ticked"]


class Tick(NamedTuple):
    """A grid point of stream time: everything before it was delivered."""

    at_ms: int


def ticked(deliveries: Iterable[Delivery], after_ms: int, to_ms: int | None) -> Iterator[Delivery | Tick]:
    """The deliveries with a tick at every grid point after `after_ms`: before what is delivered at it, and on up to `to_ms`."""
    tick = after_ms - after_ms % GRID_MS + GRID_MS
    for delivery in deliveries:
        while tick <= delivery.at_ms:
            yield Tick(tick)
            tick += GRID_MS
        yield delivery
    while to_ms is not None and tick <= to_ms:
        yield Tick(tick)
        tick += GRID_MS


class Player:
    """Plays deliveries into a feed, one stretch of stream time after the other."""

    def __init__(self, feed: Feed, from_ms: int, *, clock: bool) -> None:
        """Begin at `from_ms`; with `clock` the ticks are written as `clock.advanced`."""
        self._feed = feed
        self._clock = clock
        self.at_ms = from_ms
        """Stream time: where the player stands."""
        self.written = 0
        """Events, apart from the clock."""

    async def play(self, deliveries: Iterable[Delivery], *, to_ms: int | None, speed: float | None, stop: asyncio.Event) -> None:
        """Play on from where the player stands.

        Args:
            deliveries: in order of `at_ms`.
            to_ms: go on to this moment after the last of them; None to end with it.
            speed: seconds of stream time a second; None for as fast as possible.
            stop: end early, with what is due written.
        """
        loop = asyncio.get_running_loop()
        began, began_at_ms = loop.time(), self.at_ms
        for step in ticked(deliveries, self.at_ms, to_ms):
            if self._feed.buffered >= MAX_BUFFERED:
                await self._feed.flush()
            if speed is not None:
                ahead = (step.at_ms - began_at_ms) / 1000 / speed - (loop.time() - began)
                if ahead > 0:
                    await self._feed.flush()
                    await wait_or_stop(stop, ahead)
            if stop.is_set():
                break
            self.at_ms = max(self.at_ms, step.at_ms)
            if isinstance(step, Delivery):
                self._feed.put(step.source, step.partner_id, step.value)
                self.written += 1
            elif self._clock:
                self._feed.advance(step.at_ms)
        await self._feed.flush()
