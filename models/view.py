"""The view in Redis: what stands under which key. The projector writes it, pages and commands read it.

Values are the records of the topics as they are (`models.records`, `models.incidents`), but for the totals over all partners, the
history, which is packed (`models.history`), and what happened to a partner (`models.happened`). Losing the view loses nothing: it is
rebuilt from the topics.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from models.history import Place
from models.records import BinMeasure, EpochMs, KpiFigure
from models.windows import DAY_MS

__all__ = ["HAPPENED_KEPT_MS", "HAPPENED_MAX", "LAYOUT", "OUTCOMES_MAX", "STALE_AFTER_MS", "TRANSITIONS_MAX", "Health", "Keys", "Total"]

LAYOUT: Final = 3
"""Of these keys and their values: a view of another layout is built anew."""

TRANSITIONS_MAX: Final = 1000
"""The newest transitions that the view keeps; `outwatch.alerts` has all of them."""

HAPPENED_MAX: Final = 500
"""The newest transitions of each partner that the view keeps, of those that say that something began, changed or ended."""

HAPPENED_KEPT_MS: Final = 90 * DAY_MS
"""A partner to whom nothing happened for longer has none."""

OUTCOMES_MAX: Final = 200
"""The newest outcomes of commands that the view keeps; `outwatch.alerts` has all of them."""

STALE_AFTER_MS: Final = 15_000
"""Without a heartbeat for this long, or with a frontier this far behind the wall clock, figures are stale."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one installation; another application id has a view of its own beside it."""

    app_id: str

    @property
    def view(self) -> str:
        """Every key of the view begins with this; nothing else does."""
        return f"{self.app_id}:view:"

    def figures(self, window: str, dimension: str) -> str:
        """A hash, field `partner/scope/window`: the present `KpiRecord` of every scope of a dimension (`models.windows.DIMENSIONS`)."""
        return f"{self.view}kpis:{window}:{dimension}"

    @property
    def totals(self) -> str:
        """A hash, field window: the `Total` over all partners."""
        return f"{self.view}totals"

    def history(self, whose: str, place: Place) -> str:
        """A hash, field of the place: the packed stretches of a block (`models.history`).

        `whose` is partner/scope as keys of records begin: `models.windows.record_key` without its last part.
        """
        return f"{self.view}history:{place.tier}:{whose}:{place.block}"

    @property
    def alerts(self) -> str:
        """A hash, field fingerprint: the present `AlertState` of each alert."""
        return f"{self.view}alerts"

    def notices(self, kind: str) -> str:
        """A hash, field id: the present `SilenceState`s (`silence`), `AnnotationState`s (`annotation`) or `OverrideState`s (`override`)."""
        return f"{self.view}{kind}s"

    @property
    def transitions(self) -> str:
        """A sorted set by `processed_at`: the newest `TRANSITIONS_MAX` of `AlertEvent`."""
        return f"{self.view}transitions"

    def happened(self, partner: str) -> str:
        """A sorted set by `evaluated_at`: the newest `HAPPENED_MAX` transitions of a partner, as `models.happened.line` makes them."""
        return f"{self.view}happened:{quote(partner, safe='')}"

    @property
    def outcomes(self) -> str:
        """A sorted set by `processed_at`: the newest `OUTCOMES_MAX` of `CommandOutcome`."""
        return f"{self.view}outcomes"

    @property
    def incidents(self) -> str:
        """A hash, field id: the present `IncidentState` of each incident."""
        return f"{self.view}incidents"

    @property
    def heartbeats(self) -> str:
        """A hash, field partition: its newest `Heartbeat`."""
        return f"{self.view}heartbeats"

    @property
    def policies(self) -> str:
        """A hash, field partner or `*`: the current `PolicyRecord`."""
        return f"{self.view}policies"

    @property
    def offsets(self) -> str:
        """A hash, field `topic:partition`: the next offset that the view does not hold yet; and field `layout`."""
        return f"{self.view}offsets"

    @property
    def projector(self) -> str:
        """The `Health` of the projector."""
        return f"{self.app_id}:projector"


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Total(_Shown):
    """All partners together in one window, each counted under its own definition."""

    partner: str
    """`*`."""
    window: str
    partners: int
    """How many are summed."""
    missing: int
    """Partners that the policy names and that have no figures in this window."""
    kpis: dict[str, KpiFigure]
    measures: dict[str, int | BinMeasure]
    start: EpochMs
    """The earliest of the partners' windows."""
    to: EpochMs
    """The latest of the partners' windows."""
    as_of: EpochMs
    """Of the partner that was committed longest ago."""
    frontier: EpochMs
    """The lowest of all."""


class Health(_Shown):
    """Written every second, so that a reader can tell an unchanged view from one that nobody keeps."""

    as_of: EpochMs
    worker: str
    lag_records: int
    """What stands in the topics and not yet in the view, but for history."""
    history_left: int = 0
    """Offsets of closed stretches that the view does not hold yet: they come after all that is present."""
    history_begun_with: int = 0
    """How many there were when this process began, or found the view flushed: 1 - left / begun_with is the progress."""
    unreadable: int
    """Records that made no sense since the process began; each is in its log."""
    rebuilds: int
    """How often this process began the view anew: at its first start, and after every flush."""
