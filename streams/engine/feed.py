"""The feed of a partner: when something of its contacts was last heard of, and whether it is silent since (`streams.engine.silence`)."""

from typing import Any, Final

from models.measures import Family, M
from models.windows import GRID_MS
from streams.engine.lanes import lanes
from streams.engine.panes import PaneStore
from streams.engine.sources import Sources

__all__ = ["Feed"]

_INTERACTIONS: Final = Family.INTERACTIONS.value
_TOLD: Final = lanes(M.arrivals, M.not_queued)
"""What events of contacts count; that one expired is our own finding."""


class Feed:
    """Of one partner."""

    __slots__ = ("heard_ms", "rates", "silent_after_ms", "sources", "watched")

    def __init__(self) -> None:
        self.sources = Sources()
        """The sources of its partition number."""
        self.heard_ms = 0
        """The end of the last 10 s in which anything of a contact happened, or came late; 0 while nothing did."""
        self.silent_after_ms: int | None = None
        """While it is silent, the gap that was too long; None while it is not."""
        self.watched = False
        """Whether any rule asks whether it is silent."""
        self.rates: dict[int, float] = {}
        """Contacts that are usual in hours, by when they begin, as far as that was asked for and holds."""

    def listen(self, panes: PaneStore, closed_ms: int) -> None:
        """Take note of what closes by `closed_ms`. The panes are settled, and did not advance yet."""
        for start_ms, cells in reversed(panes.closing(closed_ms)):
            if any(packed & _TOLD for cell, packed in cells.items() if cell.family == _INTERACTIONS):
                self.hear(start_ms + GRID_MS)
                return

    def late(self, packed: int, closed_ms: int) -> None:
        """Something of a contact, in packed measures, came after its grid point was closed: it is a sign of life all the same."""
        self.rates.clear()
        if packed & _TOLD:
            self.hear(closed_ms)

    def hear(self, at_ms: int) -> None:
        """Something of a contact was there by `at_ms`."""
        if at_ms > self.heard_ms:
            self.heard_ms, self.silent_after_ms = at_ms, None

    def to_row(self) -> list[Any]:
        """What the partner's row keeps."""
        return [self.heard_ms, self.silent_after_ms]

    def load(self, row: list[Any]) -> None:
        """Take what the row kept."""
        self.heard_ms, self.silent_after_ms = row
