"""What a part of a simulated partner tells: events, some of them late and some twice."""

from random import Random
from typing import Any

import orjson

from models.windows import MINUTE_MS
from streams.delivery import Source
from streams.simulate.config import Simulated

__all__ = ["Outbox"]


class Outbox:
    """It draws from its own randomness, so that what one part of a partner does changes nothing of another."""

    def __init__(self, config: Simulated, partner_id: str, random: Random, name: str) -> None:
        """`name` begins the ids of its events."""
        self.config = config
        self.partner_id = partner_id
        self.random = random
        self.name = name
        self.made = 0
        self.waiting: list[tuple[int, Source, bytes]] = []
        """What was not taken yet: (delivered at, source, value)."""

    def event(self, at_ms: int, kind: str, fields: dict[str, Any], source: Source = "interactions", late_ms: int = 0) -> None:
        """An event that occurs at `at_ms`: delivered at once, or late, or twice."""
        config, random = self.config, self.random
        value = orjson.dumps(self.common(at_ms, kind) | fields)
        if random.random() < config.disordered:
            late_ms += round(random.expovariate(1 / 40) * 1000) + 2000
        self.waiting.append((at_ms + late_ms, source, value))
        if random.random() < config.duplicated:
            self.waiting.append((at_ms + late_ms + random.randint(0, MINUTE_MS), source, value))

    def common(self, at_ms: int, kind: str) -> dict[str, Any]:
        """The fields that every event has; each call makes another event."""
        self.made += 1
        return {"event_id": f"{self.name}{self.made}", "type": kind, "partner_id": self.partner_id, "occurred_at": at_ms}

    def take(self) -> list[tuple[int, Source, bytes]]:
        """What was told since the last call."""
        waiting, self.waiting = self.waiting, []
        return waiting
