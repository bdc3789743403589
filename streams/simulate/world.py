"""The simulated world: events in the order of their delivery. Pure, and the same for the same seed."""

import heapq
import itertools
from collections.abc import Iterator

from streams.delivery import Delivery, Source
from streams.simulate.config import Simulated
from streams.simulate.desk import Desk
from streams.simulate.script import Script

__all__ = ["World", "events"]


def events(config: Simulated, seed: int, from_ms: int, to_ms: int, script: Script | None = None) -> Iterator[Delivery]:
    """What is delivered in [from_ms, to_ms) of a world that begins empty, in order."""
    return World(config, seed, from_ms, script or Script()).until(to_ms)


class World:
    """All partners, from `from_ms` on; what it delivers is asked for stretch by stretch."""

    def __init__(self, config: Simulated, seed: int, from_ms: int, script: Script) -> None:
        self._script = script
        self._numbers = itertools.count()
        self._agenda: list[tuple[int, int, Desk, tuple[Source, bytes] | None]] = []
        """(when, a number that keeps the order, whose, what is delivered or None for the next contact)."""
        for partner in config.partners:
            desk = Desk(config, partner, seed, from_ms)
            self._plan(from_ms + desk.gap_ms(from_ms), desk, None)

    def _plan(self, at_ms: int, desk: Desk, what: tuple[Source, bytes] | None) -> None:
        heapq.heappush(self._agenda, (at_ms, next(self._numbers), desk, what))

    def until(self, to_ms: int | None) -> Iterator[Delivery]:
        """What is delivered before `to_ms` (None: for ever) and was not yet, in order; the script is asked as each contact arrives."""
        while self._agenda and (to_ms is None or self._agenda[0][0] < to_ms):
            at_ms, _, desk, what = heapq.heappop(self._agenda)
            if what is not None:
                yield Delivery(at_ms, what[0], desk.partner.id, what[1])
                continue
            desk.contact(at_ms, self._script.trouble(desk.partner.id, at_ms))
            for delivered_ms, source, value in desk.take():
                self._plan(delivered_ms, desk, (source, value))
            self._plan(at_ms + desk.gap_ms(at_ms), desk, None)
