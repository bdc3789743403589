"""Rules: when a figure is worth an alert, as conditions judge it."""

from dataclasses import dataclass, field
from enum import StrEnum

from models.revisions import revision_of
from models.windows import Dimension

__all__ = ["Direction", "Level", "OnMissing", "Rule", "Severity"]


class Severity(StrEnum):
    """How bad a level is; the order of the members is the order of a ladder, mildest first."""

    WARNING = "warning"
    CRITICAL = "critical"


class Direction(StrEnum):
    """On which side of a threshold the trouble lies."""

    BELOW = "below"
    ABOVE = "above"


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


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that applies to a partner; `levels` are ordered mildest first and never empty."""

    id: str
    kpi: str
    scopes: frozenset[Dimension]
    window: str
    """A name of `models.windows.WINDOWS`."""
    direction: Direction
    levels: tuple[Level, ...]
    recover_for_ms: int
    min_samples: int
    on_missing: OnMissing
    owner: str | None = None
    runbook: str | None = None
    suggested_action: str | None = None
    waits_outside_hours: bool = True
    """Whether its pages wait while the partner is closed."""
    outside: "Rule | None" = None
    """The same with the ladder that holds while the partner is closed, where it has one of its own."""
    revision: str = field(init=False)
    """A hash of what changes the rule's meaning: not of the owner, the runbook, the suggested action, or another ladder than its own."""

    def __post_init__(self) -> None:
        """Derive the revision, so that no two rules of different meaning can share one."""
        ladder = [[level.severity, level.enter, level.exit, level.for_ms] for level in self.levels]
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
        object.__setattr__(self, "revision", revision_of(judged))
