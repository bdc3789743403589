"""What a policy file says, part by part; the same models read what travels on `outwatch.policies`.

A definition is partial everywhere: only the fields that stand there hold, the rest comes from further out (`models.policy`).
"""

from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from models.custom import Customs, KpiSpec, compile_customs
from models.definitions import Definition
from models.durations import WRITTEN, to_seconds
from models.hours import Holidays, Week
from models.inhibition import Inhibition
from models.revisions import canonical
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.topics import BROADCAST, UNASSIGNED
from models.windows import SIDES, WINDOWS, Dimension, Side, window
from models.yaml_file import suggest

__all__ = [
    "KPIS_MAX",
    "RULE_SCOPES",
    "Activities",
    "Baseline",
    "Defaults",
    "LevelSpec",
    "PartnerPart",
    "PolicyFile",
    "RuleSpec",
    "SharedPart",
    "to_json",
]

_Scope = Literal[
    "partner",
    "partner/channel",
    "partner/queue",
    "partner/site",
    "partner/team",
    "partner/reason",
    "partner/activity",
    "partner/segment",
]
RULE_SCOPES: Final[dict[_Scope, Dimension]] = {
    "partner": "all",
    "partner/channel": "channel",
    "partner/queue": "queue",
    "partner/site": "site",
    "partner/team": "team",
    "partner/reason": "reason",
    "partner/activity": "activity",
    "partner/segment": "segment",
}
"""What a rule is judged for, as the file writes it, and the dimension of the scopes that it means."""

_SEVERITIES: Final = tuple(Severity)
_UNSAID: Final = (("outside_hours", "wait"),)

KPIS_MAX: Final = 20
"""KPIs of a policy's own: each takes its part of every event that it counts, and of every record."""

_HOUR_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 24 * _HOUR_SECONDS
_WEEK_SECONDS: Final = 7 * _DAY_SECONDS
_YEAR_SECONDS: Final = 365 * _DAY_SECONDS


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        msg = f"{name!r} is no time zone (write an IANA name such as Europe/Lisbon)"
        raise ValueError(msg) from None
    return name


def _window(name: str) -> str:
    try:
        return window(name).name
    except KeyError:
        msg = f"{name!r} is no window ({suggest(name, [each.name for each in WINDOWS])})"
        raise ValueError(msg) from None


def _partner(name: str) -> str:
    if name in {BROADCAST, UNASSIGNED}:
        msg = f"{name!r} is reserved (choose another id)"
        raise ValueError(msg)
    return name


Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
PartnerId = Annotated[Name, AfterValidator(_partner)]
RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Zone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[float, BeforeValidator(to_seconds), Field(ge=0, le=_WEEK_SECONDS), WRITTEN]
"""Seconds; a file may write `3m`."""
Span = Annotated[float, BeforeValidator(to_seconds), Field(ge=0, le=_YEAR_SECONDS), WRITTEN]
"""As `Duration`, for what may take months."""
WindowName = Annotated[str, AfterValidator(_window), Field(json_schema_extra={"enum": [each.name for each in WINDOWS]})]
MonthDay = Annotated[int, Field(ge=1, le=28)]
Partials = dict[Name, Definition]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Baseline(_Spec):
    """What a contact costs in house, from a day on."""

    since: date = Field(alias="from")
    cost_per_contact: float = Field(gt=0, le=1_000_000)
    """Rounded to four decimals."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """A code of ISO 4217, such as EUR."""


class Activities(_Spec):
    """Which activity an event belongs to that names none: by its contact reason, else by its queue."""

    reasons: Annotated[dict[Name, Name], Field(max_length=2000)] = {}
    queues: Annotated[dict[Name, Name], Field(max_length=2000)] = {}


Sides = Annotated[tuple[Side, ...], Field(max_length=len(SIDES))]
Baselines = Annotated[tuple[Baseline, ...], Field(max_length=20)]
Inhibit = Annotated[tuple[Inhibition, ...], Field(max_length=50)]
Kpis = Annotated[tuple[KpiSpec, ...], Field(max_length=KPIS_MAX)]


class Defaults(_Spec):
    """What holds where a partner says nothing else."""

    timezone: Zone = "UTC"
    """In which days are cut, an IANA name."""
    month_starts_on: MonthDay = 1
    """The day of the calendar month on which a contract's month begins."""
    windows: Annotated[tuple[WindowName, ...], Field(min_length=1)] = tuple(each.name for each in WINDOWS)
    """Which are kept: published, and there for rules."""
    scopes: Sides = ()
    """What partners are split by beside their queues and channels; each costs time and memory (docs/sizing.md)."""
    activities: Activities = Activities()
    settle_seconds: Duration = 5.0
    """How long past a grid point the stream must be before rules are judged there."""
    contact_expiry_seconds: Duration = 4 * _HOUR_SECONDS
    """When a contact that never closed stops counting as waiting."""
    ticket_expiry_seconds: Span = 90 * _DAY_SECONDS
    """When a ticket that was never solved leaves the backlog."""
    record_retention_seconds: Duration = 2 * _DAY_SECONDS
    """How long after its arrival a contact record can be replaced by one with a newer `updated_at`."""
    agent_expiry_seconds: Duration = 12 * _HOUR_SECONDS
    """How long an agent's state holds if nothing follows: a missing logout."""
    hours: Week | None = None
    """When partners are open, in their own time: outside of them rules' pages wait, or go by another ladder (docs/suppression.md)."""
    holidays: Holidays | None = None
    """Days on which they are closed all the same."""
    maintenance: Week | None = None
    """When all pages wait, in their own time."""
    baselines: Baselines = ()
    """What savings are held against; the latest that began by the first day of a period holds."""
    definition: Definition = Definition()


class LevelSpec(_Spec):
    """One step of a ladder, in the KPI's unit."""

    severity: Severity
    enter: float
    exit: float
    for_seconds: Duration = Field(alias="for")


class RuleSpec(_Spec):
    """When a figure is worth an alert."""

    id: RuleId
    kpi: Name
    scopes: Annotated[tuple[_Scope, ...], Field(min_length=1, max_length=len(RULE_SCOPES))] = ("partner",)
    window: WindowName
    direction: Direction
    levels: Annotated[tuple[LevelSpec, ...], Field(max_length=len(Severity))]
    recover_for: Duration = 600.0
    min_samples: int = Field(default=20, ge=1, le=1_000_000)
    on_missing: OnMissing = OnMissing.HOLD
    owner: Text | None = None
    runbook: Text | None = None
    suggested_action: Text | None = None
    partners: tuple[Name, ...] | None = None
    outside_hours: Literal["wait", "page"] | Annotated[tuple[LevelSpec, ...], Field(min_length=1, max_length=len(Severity))] = "wait"
    """While a partner is closed: whether pages wait, or the levels that hold instead."""

    # Partners share their rules, and a start compiles policies for each of them.

    @cached_property
    def canonical(self) -> str:
        """What revisions are taken of."""
        said = self.model_dump(mode="json")
        # What rules could not say before is left out where they do not say it, so that they keep their revisions.
        return canonical({name: value for name, value in said.items() if (name, value) not in _UNSAID})

    @cached_property
    def compiled(self) -> Rule:
        """The rule, ready for the engine."""
        outside = None if isinstance(self.outside_hours, str) else replace(self._with(self.outside_hours), waits_outside_hours=False)
        return replace(self._with(self.levels), waits_outside_hours=self.outside_hours == "wait", outside=outside)

    def _with(self, ladder: tuple[LevelSpec, ...]) -> Rule:
        levels = [Level(each.severity, each.enter, each.exit, _ms(each.for_seconds)) for each in ladder]
        return Rule(
            id=self.id,
            kpi=self.kpi,
            scopes=frozenset(RULE_SCOPES[scope] for scope in self.scopes),
            window=self.window,
            direction=self.direction,
            levels=tuple(sorted(levels, key=lambda level: _SEVERITIES.index(level.severity))),
            recover_for_ms=_ms(self.recover_for),
            min_samples=self.min_samples,
            on_missing=self.on_missing,
            owner=self.owner,
            runbook=self.runbook,
            suggested_action=self.suggested_action,
        )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


class SharedPart(Defaults):
    """What holds for every partner: it travels to every partition."""

    kpis: Kpis = ()
    rules: Annotated[tuple[RuleSpec, ...], Field(max_length=500)] = ()
    inhibit: Inhibit = ()

    @cached_property
    def customs(self) -> Customs:
        """The KPIs of the policy's own, compiled."""
        return compile_customs(self.kpis)


class PartnerPart(_Spec):
    """One partner: it travels to the partner's partition."""

    id: PartnerId
    name: Name
    kind: Literal["partner", "in_house"] = "partner"
    feed: Literal["events", "records"] = "events"
    """Whether its sources send single events or whole `contact.record`s; never both."""
    timezone: Zone | None = None
    month_starts_on: MonthDay | None = None
    scopes: Sides | None = None
    activities: Activities = Activities()
    """Over those of the defaults, name by name."""
    settle_seconds: Duration | None = None
    hours: Week | None = None
    holidays: Holidays | None = None
    maintenance: Week | None = None
    baselines: Baselines | None = None
    definition: Definition = Definition()
    channels: Annotated[Partials, Field(max_length=100)] = {}
    queues: Annotated[Partials, Field(max_length=2000)] = {}


class PolicyFile(_Spec):
    """A whole file."""

    version: Literal[1]
    defaults: Defaults = Defaults()
    partners: Annotated[tuple[PartnerPart, ...], Field(max_length=10_000)] = ()
    kpis: Kpis = ()
    """Of its own, beside those of the catalogue; they are counted of every partner."""
    rules: Annotated[tuple[RuleSpec, ...], Field(max_length=500)] = ()
    inhibit: Inhibit = ()
    """Which alerts explain others, whose pages wait then (docs/suppression.md)."""


def to_json(part: BaseModel) -> dict[str, Any]:
    """A part as JSON data: what was set and nothing else, so that a partial definition stays partial."""
    return part.model_dump(mode="json", by_alias=True, exclude_unset=True)
