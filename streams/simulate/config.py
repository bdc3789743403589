"""Who is simulated, and how ordinary their days are."""

import math
from dataclasses import dataclass
from typing import Final

from models.windows import DAY_MS, HOUR_MS

__all__ = ["Line", "Partner", "Simulated", "partners"]

_BUSIEST_MS: Final = 14 * HOUR_MS
"""The busiest hour of a day, UTC."""


@dataclass(frozen=True, slots=True)
class Line:
    """A queue on a channel, with its share of the partner's contacts."""

    queue: str
    channel: str
    share: float
    wait_factor: float = 1.0
    """A chat waits longer than a call, and is promised less."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A simulated partner."""

    id: str
    lines: tuple[Line, ...]
    zone: str = "UTC"
    """Of its contract: costs are reported by its days."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulation: its partners, and shares of what happens to their contacts and records.

    With these shares about 88 of 100 offered contacts are answered in time (20 s, a chat 60 s), 4 abandon, and 4 of 5 ratings are in
    the top two boxes.
    """

    partners: tuple[Partner, ...]
    rate_per_minute: float = 6.0
    """Contacts a minute and partner when it is quietest; gaps vary by half, so no minute has less than two thirds of it."""
    peak_factor: float = 1.6
    """Busiest to quietest hour of the day."""
    wait_seconds: float = 8.0
    talk_seconds: float = 240.0
    abandoned: float = 0.04
    left: float = 0.01
    """Called back or handed on instead."""
    unclosed: float = 0.0002
    """Contacts whose end never arrives."""
    surveyed: float = 0.45
    """Share of answered contacts whose customer answers; everybody is asked."""
    satisfied: float = 0.8
    duplicated: float = 0.01
    disordered: float = 0.02
    """Share of events that are delivered seconds to minutes late."""
    survey_delayed: float = 0.1
    """Share of survey answers that are delivered hours late."""
    ticketed: float = 0.06
    """Share of handled contacts that leave a ticket behind."""
    returning: float = 0.5
    """Share of customers whose contact did not solve it that come back, hours later."""
    evaluated: float = 0.08
    """Share of handled contacts that somebody evaluates."""
    poisoned: float = 0.002
    """Records that nobody can read, a contact."""
    future: bool = False
    """Whether poison may lie in the future: only a wall clock can tell."""

    def contacts_per_minute(self, at_ms: int) -> float:
        """Contacts a minute of a partner, by the hour of the day."""
        busy = (1 + math.cos((at_ms - _BUSIEST_MS) % DAY_MS / DAY_MS * math.tau)) / 2
        return self.rate_per_minute * (1 + (self.peak_factor - 1) * busy)


_LINES: Final = (
    Line("billing", "voice", 0.4),
    Line("support", "voice", 0.3),
    Line("support", "chat", 0.2, 2.5),
    Line("sales", "voice", 0.1),
)
_ZONES: Final = {
    "acme": "Europe/Lisbon",
    "boreal": "Europe/Helsinki",
    "cascade": "America/Bogota",
    "delta": "Asia/Manila",
    "evergreen": "Africa/Johannesburg",
    "fabrikam": "Europe/Paris",
}
"""The partners of the example policy, each with the zone of its contract."""


def partners(count: int) -> tuple[Partner, ...]:
    """The first `count` partners: those of the example policy, then `partner-07` and so on, which no policy names."""
    names = [*list(_ZONES)[:count], *(f"partner-{number:02d}" for number in range(len(_ZONES) + 1, count + 1))]
    return tuple(Partner(name, _LINES, _ZONES.get(name, "UTC")) for name in names)
