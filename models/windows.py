"""Windows and scopes by name, as records, rules and keys write them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote

__all__ = ["DAY_MS", "GRID_MS", "HOUR_MS", "MINUTE_MS", "WINDOWS", "Scope", "Window", "parse_record_key", "record_key", "window"]

GRID_MS: Final = 10_000
"""Rules are judged, and panes begin, at multiples of this."""
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Window:
    """A rolling window; `edge_ms` is the granularity of its trailing edge: that of the grid, or at most 1/60 of the width."""

    name: str
    width_ms: int
    edge_ms: int

    def start(self, end_ms: int) -> int:
        """The exact beginning of the window that ends at `end_ms`: never narrower than its width."""
        at = end_ms - self.width_ms
        return at - at % self.edge_ms


WINDOWS: Final = (
    Window("5m", 5 * MINUTE_MS, GRID_MS),
    Window("15m", 15 * MINUTE_MS, GRID_MS),
    Window("1h", HOUR_MS, MINUTE_MS),
    Window("24h", DAY_MS, 15 * MINUTE_MS),
)


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
    """What a figure is of, within a partner: all of it, one queue, or one channel."""

    dimension: Literal["all", "queue", "channel"]
    value: str = ""

    def __str__(self) -> str:
        return "all" if self.dimension == "all" else f"{self.dimension}={self.value}"

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """Read `all`, `queue=billing` or `channel=voice`.

        Raises:
            ValueError: for anything else.
        """
        dimension, _, value = text.partition("=")
        if text == "all":
            return cls("all")
        if dimension == "queue" and value:
            return cls("queue", value)
        if dimension == "channel" and value:
            return cls("channel", value)
        msg = f"not a scope: {text!r} (write all, queue=NAME or channel=NAME)"
        raise ValueError(msg)


@lru_cache(maxsize=65_536)
def record_key(partner_id: str, scope: Scope, last: str) -> str:
    """The key of a figure: partner/scope/window (or /start), parts percent-encoded so that `/` only separates."""
    return "/".join((quote(partner_id, safe=""), quote(str(scope), safe="="), quote(last, safe="")))


def parse_record_key(key: str) -> tuple[str, Scope, str]:
    """The inverse of `record_key`."""
    partner, scope, last = key.split("/")
    return unquote(partner), Scope.parse(unquote(scope)), unquote(last)
