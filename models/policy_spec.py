"""What a policy file says, part by part; the same models read what travels on `outwatch.policies`.

A definition is partial everywhere: only the fields that stand there hold, the rest comes from further out (`models.policy`).
"""

from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from models.criticality import CriticalitySpec
from models.custom import Customs, KpiSpec, compile_customs
from models.definitions import Definition
from models.escalation import EscalationId, EscalationSpec
from models.hours import Holidays, Week
from models.inhibition import Inhibition
from models.oncall import Rotation, calendar_revision, compile_rotation
from models.people import Contacts, PersonSpec
from models.policy_types import (
    DAY_SECONDS,
    HOUR_SECONDS,
    Duration,
    Name,
    RuleWindow,
    Span,
    Threshold,
    WindowName,
    Zone,
    to_ms,
)
from models.receivers import Receiver
from models.revisions import canonical
from models.rotations import RotationSpec
from models.rule_base import Look, RuleBase
from models.rule_forms import BalanceSpec, CompositeSpec, DriftSpec
from models.rule_silence import SilenceSpec
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.statistics import Compare
from models.topics import BROADCAST, UNASSIGNED
from models.windows import SIDES, WINDOWS, Side

__all__ = [
    "FORMS",
    "KPIS_MAX",
    "STORM_PARTNERS",
    "TYPES",
    "Activities",
    "Baseline",
    "Defaults",
    "LevelSpec",
    "PartnerPart",
    "PolicyFile",
    "RuleSpec",
    "SharedPart",
    "form_of",
    "to_json",
]

_SEVERITIES: Final = tuple(Severity)

KPIS_MAX: Final = 20
"""KPIs of a policy's own: each takes its part of every event that it counts, and of every record."""

STORM_PARTNERS: Final = 5
"""Where a policy does not say how many are a storm."""


def _partner(name: str) -> str:
    if name in {BROADCAST, UNASSIGNED}:
        msg = f"{name!r} is reserved (choose another id)"
        raise ValueError(msg)
    return name


PartnerId = Annotated[Name, AfterValidator(_partner)]
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
People = Annotated[tuple[PersonSpec, ...], Field(max_length=1000)]
Rotations = Annotated[tuple[RotationSpec, ...], Field(max_length=200)]
Escalations = Annotated[tuple[EscalationSpec, ...], Field(max_length=100)]
Receivers = Annotated[tuple[Receiver, ...], Field(max_length=500)]


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
    contact_expiry_seconds: Duration = 4 * HOUR_SECONDS
    """When a contact that never closed stops counting as waiting."""
    ticket_expiry_seconds: Span = 90 * DAY_SECONDS
    """When a ticket that was never solved leaves the backlog."""
    record_retention_seconds: Duration = 2 * DAY_SECONDS
    """How long after its arrival a contact record can be replaced by one with a newer `updated_at`."""
    agent_expiry_seconds: Duration = 12 * HOUR_SECONDS
    """How long an agent's state holds if nothing follows: a missing logout."""
    hours: Week | None = None
    """When partners are open, in their own time: outside of them rules' pages wait, or go by another ladder (docs/suppression.md)."""
    holidays: Holidays | None = None
    """Days on which they are closed all the same."""
    maintenance: Week | None = None
    """When all pages wait, in their own time."""
    criticality: CriticalitySpec | None = None
    """What matters most: it orders alerts, and raises their severity (docs/policies.md)."""
    escalation: EscalationId | None = None
    """By which alerts page whose rules say nothing else (docs/incidents.md)."""
    storm_partners: Annotated[int, Field(ge=0, le=10_000)] = STORM_PARTNERS
    """So many partners whose incidents of one rule open within 2 minutes are one storm; 0 is never (docs/notifications.md)."""
    baselines: Baselines = ()
    """What savings are held against; the latest that began by the first day of a period holds."""
    definition: Definition = Definition()


class LevelSpec(_Spec):
    """One step of a ladder, in the KPI's unit."""

    severity: Severity
    enter: Threshold
    exit: Threshold
    for_seconds: Duration = Field(alias="for")

    @property
    def compiled(self) -> Level:
        """The level, ready for the engine."""
        low, high = (each if isinstance(each, tuple) else (each, each) for each in (self.enter, self.exit))
        above = (low[1], high[1]) if isinstance(self.enter, tuple) else None
        return Level(self.severity, low[0], high[0], to_ms(self.for_seconds), above)


def _left_out(value: object) -> bool:
    """What came later is left out unless it is said, so that the revisions of other rules stay what they were."""
    return value is None


class RuleSpec(RuleBase):
    """When a figure is worth an alert."""

    kpi: Name
    window: RuleWindow
    """`adaptive`: the narrowest of 15m, 30m, 1h and 4h that are kept in which there are `min_samples`."""
    direction: Direction
    levels: Annotated[tuple[LevelSpec, ...], Field(max_length=len(Severity))]
    on_missing: OnMissing = OnMissing.HOLD
    outside_hours: Literal["wait", "page"] | Annotated[tuple[LevelSpec, ...], Field(min_length=1, max_length=len(Severity))] = "wait"
    """While a partner is closed: whether pages wait, or the levels that hold instead."""
    compare: Literal["baseline"] | None = Field(default=None, exclude_if=_left_out)
    """Judge the difference from what is usual in the same hours of the week, in place of the figure."""
    unit: Compare | None = Field(default=None, exclude_if=_left_out)
    """Of that difference, and so of the levels: `change`, unless it is said, is of the usual (-0.2: a fifth less), `mads` how odd it is."""

    @property
    def looks(self) -> tuple[Look, ...]:
        """The one figure."""
        return (Look(self.kpi, ("kpi",), self.window, ("window",)),)

    @cached_property
    def compiled(self) -> Rule:
        """The rule, ready for the engine."""
        outside = None if isinstance(self.outside_hours, str) else replace(self._with(self.outside_hours), waits_outside_hours=False)
        return replace(self._with(self.levels), waits_outside_hours=self.outside_hours == "wait", outside=outside)

    def _with(self, ladder: tuple[LevelSpec, ...]) -> Rule:
        levels = [each.compiled for each in ladder]
        return Rule(
            **self.common,
            kpi=self.kpi,
            window=self.window,
            direction=self.direction,
            levels=tuple(sorted(levels, key=lambda level: _SEVERITIES.index(level.severity))),
            on_missing=self.on_missing,
            compare=(self.unit or Compare.CHANGE) if self.compare else None,
        )


FORMS: Final[dict[str, type[RuleBase]]] = {
    "ladder": RuleSpec,
    "composite": CompositeSpec,
    "balance": BalanceSpec,
    "drift": DriftSpec,
    "feed_silence": SilenceSpec,
}
"""The forms of rules."""
TYPES: Final = ("balance", "drift", "feed_silence")
"""Those that a file names; the others are told by their fields."""


def form_of(said: object) -> str:
    """Which form a rule has, as a file says it or as a model of it."""
    if isinstance(said, BaseModel):
        return next((name for name, form in FORMS.items() if isinstance(said, form)), "ladder")
    if not isinstance(said, dict):
        return "ladder"
    named = said.get("type")
    return named if named in TYPES else "composite" if "when" in said else "ladder"


AnyRule = Annotated[
    Annotated[RuleSpec, Tag("ladder")]
    | Annotated[CompositeSpec, Tag("composite")]
    | Annotated[BalanceSpec, Tag("balance")]
    | Annotated[DriftSpec, Tag("drift")]
    | Annotated[SilenceSpec, Tag("feed_silence")],
    Discriminator(form_of),
]
Rules = Annotated[tuple[AnyRule, ...], Field(max_length=500)]


class SharedPart(Defaults):
    """What holds for every partner: it travels to every partition."""

    kpis: Kpis = ()
    rules: Rules = ()
    inhibit: Inhibit = ()
    receivers: Receivers = ()
    people: People = ()
    rotations: Rotations = ()
    escalations: Escalations = ()

    @cached_property
    def paging(self) -> str:
        """What revisions are taken of that says whom alerts page."""
        return canonical([to_json(each) for each in (*self.escalations, *self.receivers, *self.people, *self.rotations)])

    @cached_property
    def calendar_revision(self) -> str:
        """Names the rotations."""
        return calendar_revision(self.rotations)

    @cached_property
    def customs(self) -> Customs:
        """The KPIs of the policy's own, compiled."""
        return compile_customs(self.kpis)

    @cached_property
    def calendar(self) -> dict[str, Rotation]:
        """The rotations by id, compiled; they remember the shifts that they found."""
        people = {each.id: each.partner for each in self.people}
        return {each.id: compile_rotation(each, people) for each in self.rotations}


class PartnerPart(_Spec):
    """One partner: it travels to the partner's partition."""

    id: PartnerId
    name: Name
    kind: Literal["partner", "in_house"] = "partner"
    feed: Literal["events", "records"] = "events"
    """Whether its sources send single events or whole `contact.record`s; never both."""
    source: Name | None = None
    """What brings its contacts, as `source.alive` names it, where several do so side by side."""
    timezone: Zone | None = None
    month_starts_on: MonthDay | None = None
    scopes: Sides | None = None
    activities: Activities = Activities()
    """Over those of the defaults, name by name."""
    settle_seconds: Duration | None = None
    hours: Week | None = None
    holidays: Holidays | None = None
    maintenance: Week | None = None
    criticality: CriticalitySpec | None = None
    """Over that of the defaults, name by name."""
    escalation: EscalationId | None = None
    baselines: Baselines | None = None
    definition: Definition = Definition()
    channels: Annotated[Partials, Field(max_length=100)] = {}
    queues: Annotated[Partials, Field(max_length=2000)] = {}
    contacts: Contacts = {}
    """Who of its side, or of the client's for it, is told, by role (docs/oncall.md)."""


class PolicyFile(_Spec):
    """A whole file."""

    version: Literal[1]
    defaults: Defaults = Defaults()
    partners: Annotated[tuple[PartnerPart, ...], Field(max_length=10_000)] = ()
    kpis: Kpis = ()
    """Of its own, beside those of the catalogue; they are counted of every partner."""
    rules: Rules = ()
    inhibit: Inhibit = ()
    """Which alerts explain others, whose pages wait then (docs/suppression.md)."""
    people: People = ()
    """Who can be told, of the client and of partners (docs/oncall.md)."""
    rotations: Rotations = ()
    """Who of them is on call when."""
    receivers: Receivers = ()
    """Where pages can go (docs/notifications.md)."""
    escalations: Escalations = ()
    """Whom alerts page, and who is next (docs/incidents.md)."""


def to_json(part: BaseModel) -> dict[str, Any]:
    """A part as JSON data: what was set and nothing else, so that a partial definition stays partial."""
    return part.model_dump(mode="json", by_alias=True, exclude_unset=True)
