"""Rules: when a figure is worth an alert, as conditions judge it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from models.forms import Form, content, kpis_of
from models.revisions import revision_of
from models.statistics import Compare
from models.windows import Dimension

__all__ = ["ADAPTIVE", "Direction", "Level", "OnMissing", "Rule", "Severity"]

ADAPTIVE: Final = "adaptive"
"""In place of a window's name: the narrowest that holds enough (`models.adaptive`)."""


class Severity(StrEnum):
    """How bad a level is; the order of the members is the order of a ladder, mildest first."""

    WARNING = "warning"
    CRITICAL = "critical"


class Direction(StrEnum):
    """On which side of a threshold the trouble lies."""

    BELOW = "below"
    ABOVE = "above"
    OUTSIDE = "outside"
    """On both."""


class OnMissing(StrEnum):
    """What a rule makes of a grid point without a figure."""

    HOLD = "hold"
    """Nothing changes and no time accrues: for ratios and means."""
    ZERO = "zero"
    """The value is 0: for volumes."""
    BREACHING = "breaching"
    """As if the severest level were entered."""
    OK = "ok"
    """As if every level were left."""
    NO_DATA = "no_data"
    """The state stays and the quality says `missing`."""


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a ladder: entered past `enter` for `for_ms`, left past `exit`. Thresholds are in the KPI's unit."""

    severity: Severity
    enter: float
    exit: float
    for_ms: int
    above: tuple[float, float] | None = None
    """Of a rule with trouble on both sides what is entered and left above; `enter` and `exit` are those below then."""

    def edge(self, side: Direction) -> tuple[float, float]:
        """What is entered and what is left on a side."""
        return self.above if self.above is not None and side is Direction.ABOVE else (self.enter, self.exit)

    def nearer(self, value: float) -> Direction:
        """Of a level with thresholds on both sides that which a value is past, or else nearer to."""
        assert self.above is not None, "there is one side only"
        return Direction.BELOW if value - self.exit < self.above[1] - value else Direction.ABOVE


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that applies to a partner; `levels` are ordered mildest first and never empty."""

    id: str
    kpi: str
    scopes: frozenset[Dimension]
    window: str
    """A name of `models.windows.WINDOWS`, or `ADAPTIVE`."""
    direction: Direction
    levels: tuple[Level, ...]
    recover_for_ms: int
    min_samples: int
    on_missing: OnMissing
    owner: str | None = None
    runbook: str | None = None
    suggested_action: str | None = None
    escalation: str | None = None
    """By which its alerts page; None: the partner's."""
    compare: Compare | None = None
    """Judged is not the figure but how far it is from what is usual, told in this; None: the figure."""
    form: Form | None = None
    """What is judged instead of the one figure against its ladder, of which the thresholds say nothing then."""
    waits_outside_hours: bool = True
    """Whether its pages wait while the partner is closed."""
    outside: "Rule | None" = None
    """The same with the ladder that holds while the partner is closed, where it has one of its own."""
    revision: str = field(init=False)
    """A hash of what changes the rule's meaning: not of who is told, and of what, nor of another ladder than its own."""

    @property
    def kpis(self) -> tuple[str, ...]:
        """The ids of all that it looks at, at any hour."""
        if self.form is None:
            return (self.kpi,)
        return kpis_of(self.form) if self.outside is None else tuple(dict.fromkeys((*kpis_of(self.form), *self.outside.kpis)))

    def __post_init__(self) -> None:
        """Derive the revision, so that no two rules of different meaning can share one."""
        ladder = [[level.severity, level.enter, level.exit, level.for_ms, *(level.above or ())] for level in self.levels]
        judged = [
            self.kpi,
            sorted(self.scopes),
            self.window,
            self.direction,
            ladder,
            self.recover_for_ms,
            self.min_samples,
            self.on_missing,
        ]
        if self.form is not None:
            judged.append(content(self.form))
        if self.compare is not None:
            judged.append(f"compare {self.compare}")
        object.__setattr__(self, "revision", revision_of(judged))
