"""A worker's signs of life: the endpoints, the watchdog, and the thread that watches the loop; part of the worker's own services."""

import threading
from collections.abc import Sequence
from typing import Final

from mode import Service

from models.clock import now_ms
from models.settings import Settings
from streams.app import OutwatchApp
from streams.health.readiness import Note, Obstacle, notes, obstacles
from streams.health.server import endpoints
from streams.health.watchdog import LOOK_SECONDS, Stall, StallReason, Unchanged, Vitals, Watchdog
from streams.health.worker_metrics import Look
from streams.owner import end_process
from streams.topic_check import grown

__all__ = ["SignsOfLife"]

_LOOP: Final = (StallReason.LOOP, "the event loop")


class SignsOfLife(Service):
    """Started before the app, so that it answers while the app joins and recovers; stopped after it."""

    def __init__(self, app: OutwatchApp, settings: Settings) -> None:
        super().__init__()
        self._app = app
        self._settings = settings
        self._stall_looks = round(settings.stall_seconds / LOOK_SECONDS)
        self._watchdog = Watchdog(self._stall_looks)
        self._turns = 0
        self._ended = threading.Event()

    async def on_start(self) -> None:
        """Listen, and watch the loop from outside."""
        await self.add_async_context(endpoints(self._settings, self))
        threading.Thread(target=self._watch_loop, name="watch-loop", daemon=True).start()

    async def on_stop(self) -> None:
        """Let the thread end."""
        self._ended.set()

    @Service.task
    async def _keep_looking(self) -> None:
        while not self.should_stop:
            self._turns += 1
            self.look()
            await self.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look once, and end the worker where something stands still for too long, or a topic was given more partitions."""
        reader = self._app.reader
        more = [] if reader is None else grown(reader.partition_counts(), self._settings.partitions)
        if more:
            # Partners whose key moved would fall silent, as if nothing came of them; the next start is refused with the same text.
            end_process("; ".join(map(str, more)))
        stall = self._watchdog.look(self._vitals())
        if stall is not None:
            _end(stall)

    def _watch_loop(self) -> None:
        unchanged = Unchanged()
        while not self._ended.wait(LOOK_SECONDS):
            looks = unchanged.look({_LOOP: self._turns})[_LOOP]
            if looks >= self._stall_looks:
                _end(Stall(*_LOOP, looks))

    @property
    def _settling(self) -> bool:
        return self._app.rebalancing or not self._app.owner.accepting

    def _vitals(self) -> Vitals:
        owner, reader = self._app.owner, self._app.reader
        held = {number: holding for number, holding in owner.holdings.items() if holding.refused is None}
        idle = {} if reader is None else reader.idle_since()
        inputs = {source: (applied, idle.get(source)) for source, applied in owner.positions().items() if source[1] in held}
        return Vitals(self._settling, {number: holding.rounds for number, holding in held.items()}, inputs)

    def obstacles(self) -> Sequence[Obstacle]:
        """What keeps the worker from being ready."""
        owner = self._app.owner
        refused = {number: holding.refused for number, holding in owner.holdings.items() if holding.refused is not None}
        return obstacles(rebalancing=self._app.rebalancing, accepting=owner.accepting, refused=refused)

    def notes(self) -> Sequence[Note]:
        """Which sources have stopped saying that they live."""
        holdings = self._app.owner.holdings.items()
        return notes((number, sign) for number, holding in holdings for sign in holding.engine.sources())

    def metrics(self) -> bytes:
        """The worker's metrics now."""
        owner, reader, now = self._app.owner, self._app.reader, now_ms()
        looks = [
            Look(number, holding.refused is not None, holding.engine.frontier_ms, holding.engine.sizes(now), holding.engine.sources())
            for number, holding in owner.holdings.items()
        ]
        return owner.metrics.text(looks, {} if reader is None or self._settling else reader.lag_records(), now)


def _end(stall: Stall) -> None:
    end_process(f"stalled: {stall.reason}: {stall.what} stood still for {stall.looks * LOOK_SECONDS:.0f} s")
