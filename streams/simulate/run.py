"""The simulation on Kafka: a past, written at once, then the stream at its speed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from models.settings import Settings
from models.windows import GRID_MS
from streams.delivery import Source
from streams.play import Player
from streams.produce import Feed
from streams.simulate.config import Simulated
from streams.simulate.script import Script
from streams.simulate.world import World

__all__ = ["Stretch", "simulate"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which stretch of stream time is simulated, and how fast it goes by."""

    now_ms: int
    """Stream time when the past is over, rounded down to a grid point."""
    past_ms: int = 0
    for_ms: int | None = None
    """After `now_ms`; None for without end."""
    speed: float = 1.0
    """Seconds of stream time a second, from `now_ms` on."""

    @property
    def zero_ms(self) -> int:
        """Where the past ends and the stream begins."""
        return self.now_ms - self.now_ms % GRID_MS


async def simulate(
    settings: Settings,
    config: Simulated,
    stretch: Stretch,
    *,
    seed: int,
    script: Script,
    stop: asyncio.Event,
    on_past_written: Callable[[], None] = lambda: None,
) -> int:
    """Simulate until the stretch is over or `stop` is set; the number of events written.

    Under `clock: log` the stream's clock is written with the events. `script` may be changed by the caller's own task meanwhile.

    Raises:
        TopicsError: if the source topics are not as the settings say.
        aiokafka.errors.KafkaConnectionError: if no broker answers.
    """
    zero_ms, from_ms = stretch.zero_ms, stretch.zero_ms - stretch.past_ms
    world = World(config, seed, from_ms, script)
    end_ms = None if stretch.for_ms is None else zero_ms + stretch.for_ms
    async with Feed(settings, get_args(Source)) as feed:
        player = Player(feed, from_ms, clock=settings.clock == "log")
        if stretch.past_ms:
            await player.play(world.until(zero_ms), to_ms=zero_ms, speed=None, stop=stop)
        if not stop.is_set():
            on_past_written()
            await player.play(world.until(end_ms), to_ms=end_ms, speed=stretch.speed, stop=stop)
        return player.written
