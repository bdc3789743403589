"""What an engine is built from."""

from dataclasses import dataclass
from typing import Final

from models.topics import Partitioner, Topics
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS

__all__ = ["EngineConfig", "Limits"]

FUTURE_MS: Final = 5 * MINUTE_MS
"""An event further ahead of its record's timestamp than this comes from a wrong clock."""

FORECAST_MS: Final = 400 * DAY_MS
"""So is a forecast of an interval further ahead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one partition number's state; what exceeds one is counted."""

    seen_ids: int = 1_000_000
    seen_horizon_ms: int = 15 * MINUTE_MS
    open_contacts: int = 100_000
    tickets: int = 100_000
    tickets_horizon_ms: int = 48 * HOUR_MS
    """How long a ticket that is not open is held after the last that was heard of it."""
    records: int = 200_000
    """Contact records that can be replaced."""
    forecasts: int = 200_000
    """Intervals, of all queues and channels, up to 49 hours after they closed."""
    visits: int = 1_000_000
    """Handled contacts of known customers, by which repeats are recognised, of partners that ask for them."""
    agents: int = 10_000
    """Of a partner."""
    agents_horizon_ms: int = 48 * HOUR_MS
    """How long what an agent did and was to do is known, so that what comes late can correct it."""
    facts: int = 100_000
    """Amounts of periods, by line, of the last 760 days."""
    silences: int = 1_000
    annotations: int = 10_000
    overrides: int = 1_000
    """Of rotations."""
    incidents: int = 5_000
    """Open, and ended in the last 8 days."""
    commands: int = 10_000
    """Whose outcome is known for a day, so that none is done twice."""
    sources: int = 100
    """That say that they live."""
    unconfigured_partners: int = 1_000
    pending_outputs: int = 5_000
    """Dead letters and the like that force a commit before the second is over."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The same for every partition number of an application."""

    app_id: str
    worker: str
    topics: Topics
    partitions: int
    partitioner: Partitioner = Partitioner.MURMUR2
    clock_from_log: bool = False
    mask_letters: bool = False
    """Whether dead letters and late records are kept without what is personal in them."""
    limits: Limits = Limits()

    @property
    def source(self) -> str:
        """CloudEvents' `source` of what is written."""
        return f"/outwatch/{self.app_id}"
