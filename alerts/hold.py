"""A hold: how long one edge of a level has been seen, over gaps, without ticking."""

from typing import NamedTuple

from models.windows import GRID_MS

__all__ = ["Hold"]


class Hold(NamedTuple):
    """Time accrued between grid points that both showed the edge.

    It keeps what was held before the last gap and since when it runs, not a growing number: with an unchanged figure nothing of it
    changes, so grid points in between need no evaluation.
    """

    held_ms: int = 0
    since_ms: int | None = None
    """The grid point it runs from; None while a gap pauses it."""

    def running(self, at_ms: int) -> "Hold":
        """The edge is seen at `at_ms`."""
        return self if self.since_ms is not None else Hold(self.held_ms, at_ms)

    def paused(self, at_ms: int) -> "Hold":
        """Nothing can be said at `at_ms`: the step that led there does not count, nor any until the edge is seen again."""
        if self.since_ms is None:
            return self
        return Hold(self.held_ms + max(0, at_ms - GRID_MS - self.since_ms))

    def age_ms(self, at_ms: int) -> int:
        """What has accrued at `at_ms`."""
        return self.held_ms if self.since_ms is None else self.held_ms + at_ms - self.since_ms

    def due_ms(self, span_ms: int) -> int | None:
        """The grid point at which it reaches `span_ms`; None while paused."""
        if self.since_ms is None:
            return None
        exact_ms = self.since_ms + span_ms - self.held_ms
        return exact_ms + -exact_ms % GRID_MS
