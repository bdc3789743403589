"""Sides: what is counted by site, team, reason, activity or segment, beside queues and channels, where a policy asks for it.

A side has cells of its own, of one dimension, in the panes that hold the others: a cell of all dimensions at once would soon be one a
contact. So what an event of two sides counts stands in three cells, and nothing but the scope of its side is summed from a side's. What
is told of tickets, agents, waiting contacts and contact records keeps its sides as a text, so that they are corrected where they were
counted, whatever the policy has become.
"""

from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import unquote

from models.policy import PartnerPolicy
from models.windows import Dimension, Scope, Side
from streams.engine.cells import Cell, SideCell
from streams.engine.slot import SideSlots, Slot

__all__ = ["NAMES_MAX", "Sides", "aside", "parted"]

NAMES_MAX: Final = 100
"""Of a side of a partner; what exceeds them counts as `other`."""
_TEXTS_MAX: Final = 1_000
_OTHER: Final = "other"
_OF_AGENTS: Final = ("site", "team")
"""`reason` is why an agent left, and `activity` what a schedule is for."""


@lru_cache(maxsize=65_536)
def parted(sides: str) -> tuple[str, ...]:
    """The scopes in a text of `Sides.of`."""
    return tuple(unquote(each) for each in sides.split("/")) if sides else ()


@lru_cache(maxsize=65_536)
def aside(cell: Cell, sides: str) -> tuple[Cell, ...]:
    """The cells that something counts in beside `cell`."""
    return tuple(SideCell(cell.family, None, None, cell.within_ms, cell.short_ms, each) for each in parted(sides))


class Sides:
    """Of one partner under one policy."""

    def __init__(self, policy: PartnerPolicy) -> None:
        self._readers = [(side, policy.reader(side)) for side in policy.scopes]
        self._names: dict[Dimension, set[str]] = {side: set() for side in policy.scopes}
        self._slots: dict[tuple[int, int, int], tuple[SideSlots, ...]] = {}
        self._texts: dict[tuple[str | None, ...], str] = {}
        self._policy = policy
        self._limits: tuple[frozenset[int], frozenset[int]] | None = None
        self.folded = 0
        """Names over the limit since it was last asked."""

    def know(self, scopes: Iterable[Scope]) -> None:
        """Let names that have figures count apart before any new one, as they did."""
        for scope in sorted(scopes):
            names = self._names.get(scope.dimension)
            if names is not None and scope.value != _OTHER and len(names) < NAMES_MAX:
                names.add(scope.value)

    def beside(self, cell: Cell, first: int, second: int) -> tuple[SideSlots, ...]:
        """What a slot of these limits has beside it."""
        key = cell.family, first, second
        if self._readers and key not in self._slots:
            like = Slot(cell, first, second)
            self._slots[key] = tuple(SideSlots(read, partial(self._named, side), like) for side, read in self._readers)
        return self._slots.get(key, ())

    def of(self, event: Any, only: Iterable[str] | None = None) -> str:
        """The sides of an event, as rows keep them: scopes such as `site=lisbon` with slashes between, and none within."""
        if not self._readers:
            return ""
        names = tuple([read(event) if only is None or side in only else None for side, read in self._readers])
        text = self._texts.get(names)
        if text is None:
            scopes = [self._named(side, name) for (side, _), name in zip(self._readers, names, strict=True) if name is not None]
            text = "/".join(scope.replace("%", "%25").replace("/", "%2F") for scope in scopes)
            if len(self._texts) < _TEXTS_MAX:
                self._texts[names] = text
        return text

    def of_agent(self, event: Any) -> str:
        """As `of`, of an event that tells of an agent."""
        return self.of(event, _OF_AGENTS)

    def _named(self, side: Side, name: str) -> str:
        """The scope of a name."""
        names = self._names[side]
        if name not in names:
            if len(names) >= NAMES_MAX:
                self.folded += 1
                return f"{side}={_OTHER}"
            names.add(name)
        return f"{side}={name}"

    def knows_basis(self, within_ms: int, short_ms: int) -> bool:
        """Whether the policy has contacts of any queue and channel counted under these limits: a side does not tell which it is of."""
        if (within_ms, short_ms) == self._policy.base.basis:
            return True
        if self._limits is None:
            self._limits = self._policy.limits()
        return within_ms in self._limits[0] and short_ms in self._limits[1]
