"""Windows and scopes by name, as records, rules and keys write them."""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args
from urllib.parse import quote, unquote

from models.days import day_start, days_before, month_start

__all__ = [
    "DAY_MS",
    "DIMENSIONS",
    "GRID_MS",
    "HOUR_MS",
    "MINUTE_MS",
    "QUARTER_MS",
    "SIDES",
    "WINDOWS",
    "Calendar",
    "Dimension",
    "Edge",
    "Scope",
    "Side",
    "Window",
    "parse_record_key",
    "record_key",
    "window",
]

GRID_MS: Final = 10_000
"""Rules are judged, and panes begin, at multiples of this."""
MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 15 * MINUTE_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


Side = Literal["site", "team", "reason", "activity", "segment"]
Dimension = Literal["all", "queue", "channel", Side]
SIDES: Final[tuple[Side, ...]] = get_args(Side)
"""The dimensions that a policy may ask for beside queues and channels."""
DIMENSIONS: Final[tuple[Dimension, ...]] = ("all", "queue", "channel", *SIDES)


class Edge(IntEnum):
    """What the trailing edge of a window is cut by: the tier of panes of that age, which is at most 1/60 of the width but for days."""

    GRID = 0
    MINUTE = 1
    QUARTER = 2
    DAY = 3


_EDGES_MS: Final = {Edge.GRID: GRID_MS, Edge.MINUTE: MINUTE_MS, Edge.QUARTER: QUARTER_MS}


class Calendar(NamedTuple):
    """What days and months are cut by."""

    zone: str = "UTC"
    """An IANA name."""
    month_starts_on: int = 1
    """The day, 1 to 28, on which the contract's month begins."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window that rolls on, or one that grows from the beginning of a day or month until the next begins."""

    name: str
    width_ms: int
    """Of one that grows: at most, give or take an hour."""
    edge: Edge
    since: Literal["width", "day", "month"] = "width"

    @property
    def edge_ms(self) -> int:
        """How long the stretches are by which the trailing edge moves; of a window of less than days only."""
        return _EDGES_MS[self.edge]

    def start(self, end_ms: int, calendar: Calendar) -> int:
        """The exact beginning of the window that ends at `end_ms`: never less than its width before, or as many calendar days."""
        if self.since == "month":
            return month_start(end_ms, *calendar)
        if self.since == "day":
            return day_start(end_ms, calendar.zone)
        if self.edge is Edge.DAY:
            return days_before(end_ms, self.width_ms // DAY_MS, calendar.zone)
        at = end_ms - self.width_ms
        return at - at % self.edge_ms


WINDOWS: Final = (
    Window("5m", 5 * MINUTE_MS, Edge.GRID),
    Window("15m", 15 * MINUTE_MS, Edge.GRID),
    Window("30m", 30 * MINUTE_MS, Edge.GRID),
    Window("1h", HOUR_MS, Edge.MINUTE),
    Window("4h", 4 * HOUR_MS, Edge.MINUTE),
    Window("24h", DAY_MS, Edge.QUARTER),
    Window("7d", 7 * DAY_MS, Edge.DAY),
    Window("30d", 30 * DAY_MS, Edge.DAY),
    Window("today", DAY_MS, Edge.DAY, "day"),
    Window("month", 31 * DAY_MS, Edge.DAY, "month"),
)
"""All that there are; a policy says which of them are kept."""


def window(name: str) -> Window:
    """The window called `name`.

    Raises:
        KeyError: if there is none.
    """
    for each in WINDOWS:
        if each.name == name:
            return each
    raise KeyError(name)


class Scope(NamedTuple):
    """What a figure is of, within a partner: all of it, or one queue, channel, site, team, reason, activity or segment."""

    dimension: Dimension
    value: str = ""

    def __str__(self) -> str:
        return "all" if self.dimension == "all" else f"{self.dimension}={self.value}"

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """Read `all`, or a dimension and a name such as `queue=billing`.

        Raises:
            ValueError: for anything else.
        """
        if text == "all":
            return cls("all")
        name, _, value = text.partition("=")
        for dimension in DIMENSIONS[1:]:
            if dimension == name and value:
                return cls(dimension, value)
        msg = f"not a scope: {text!r} (write all, or one of {', '.join(DIMENSIONS[1:])} with a name: queue=NAME)"
        raise ValueError(msg)


@lru_cache(maxsize=65_536)
def record_key(partner_id: str, scope: Scope, last: str) -> str:
    """The key of a figure: partner/scope/window (or /start), parts percent-encoded so that `/` only separates."""
    return "/".join((quote(partner_id, safe=""), quote(str(scope), safe="="), quote(last, safe="")))


def parse_record_key(key: str) -> tuple[str, Scope, str]:
    """The inverse of `record_key`."""
    partner, scope, last = key.split("/")
    return unquote(partner), Scope.parse(unquote(scope)), unquote(last)
