"""What the API gives, as models of which the OpenAPI document is made; what it takes is in `desk.queries` and `desk.bodies`.

Records go out as the view holds them, so that a newer release's may carry more than is said here.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from desk.users import Role
from models.incidents import Attention, IncidentHeld, IncidentMember, IncidentState, Stage
from models.kpis import Better, Perspective, Unit
from models.notices import AnnotationState, SilenceState
from models.oncall import GapReason
from models.operation import CommandOutcome
from models.overview import PartnerState
from models.reasons import SuppressReason
from models.records import AlertState, EpochMs, KpiFigure, KpiRecord
from models.rules import Severity
from models.shift_report import ShiftIncident, ShiftPart
from models.view import Health, Total

__all__ = [
    "Accepted",
    "Alerts",
    "Catalogue",
    "Delta",
    "Entry",
    "Figures",
    "History",
    "Incidents",
    "Now",
    "OnCallNow",
    "OwnIncident",
    "PartnerDetail",
    "Partners",
    "Point",
    "Problem",
    "Report",
    "Reports",
    "Schedule",
    "Session",
    "Snapshot",
    "Sparks",
    "Timeline",
]


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Problem(_Given):
    """Why something was not done (RFC 9457)."""

    type: str
    """`urn:outwatch:` and the reason."""
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []
    """Of a request that makes no sense: each field, and what is wrong with it."""


class Session(_Given):
    """Who asks."""

    name: str
    role: Role
    partner: str | None
    csrf: str | None
    """To be said in the header `X-CSRF-Token` with whatever changes something; null where a bearer token says who asks."""


class Accepted(_Given):
    """A command was written; its outcome follows in the stream and in the snapshot, under `outcomes`."""

    id: str
    command: str
    partner: str


class _PartnerRow(_Given):
    partner: str
    name: str
    configured: bool
    state: PartnerState
    kpis: dict[str, KpiFigure]
    as_of: EpochMs | None
    """Of the figures; what holds of them now is said by the heartbeat of the partition."""
    frontier: EpochMs | None
    partition: int
    window: str


class OwnIncident(_Given):
    """What a partner sees of an incident: neither who else was told of it, nor what others said."""

    id: str
    partner: str
    partner_name: str
    severity: Severity
    attention: Attention
    stage: Stage
    epoch: int
    loop: int
    step: int | None
    due_at: EpochMs | None
    text: str
    open: int
    members: list[IncidentMember]
    members_dropped: int
    held: IncidentHeld | None
    unseen: bool
    opened_at: EpochMs
    ended_at: EpochMs | None
    resolved_by: str | None
    as_of: EpochMs
    revision: int
    addressed: bool
    """Whether somebody of its own was told: then it may acknowledge."""


class _Heartbeat(_Given):
    partition: int
    as_of: EpochMs
    frontier: EpochMs
    cadence_seconds: float | None


class _Frame(_Given):
    at: EpochMs
    """The clock of the desk when it looked."""
    as_of: EpochMs | None
    """When the worker that was silent for longest last said that it lives: ages are counted from here, never from the connection."""
    window: str


class Snapshot(_Frame):
    """All that may be seen now."""

    partners: list[_PartnerRow]
    totals: list[Total]
    """Of all partners; none where a partner asks."""
    alerts: list[AlertState]
    incidents: list[IncidentState | OwnIncident]
    silences: list[SilenceState]
    annotations: list[AnnotationState]
    outcomes: list[CommandOutcome]
    """Of the newest commands, oldest first."""
    heartbeats: list[_Heartbeat]
    projector: list[Health]
    """One, or none where none ever ran; `history_left` of `history_begun_with` is how much history is missing yet."""


class Delta(_Frame):
    """What became different since the frame before: by kind, as in the snapshot."""

    changed: dict[str, list[Any]]
    gone: dict[str, list[str]]
    """By kind, the ids: of partners, alerts (fingerprint), incidents, ..."""


class Now(_Given):
    """Sent every 5 s."""

    at: EpochMs
    as_of: EpochMs | None
    seen_at: EpochMs
    """When the desk last saw the view: behind `at` by more than seconds while Redis does not answer."""
    version: str
    """Of the desk: a page of another one loads itself anew."""


class Partners(_Frame):
    """All of them by name."""

    partners: list[_PartnerRow]


class Alerts(_Frame):
    """The present ones, by severity and criticality (`order`, the highest first); of these the first to fire first."""

    alerts: list[AlertState]


class Incidents(_Frame):
    """The present ones, the last to open first."""

    incidents: list[IncidentState | OwnIncident]


class _Aim(_Given):
    target: float
    critical: float | None


class _Level(_Given):
    severity: str
    enter: float | list[float]
    exit: float | list[float]


class _Threshold(_Given):
    rule: str
    kpi: str
    window: str
    direction: str
    levels: list[_Level]


class PartnerDetail(_Frame):
    """One partner with its parts."""

    partner: _PartnerRow
    scopes: list[KpiRecord]
    timezone: str
    month_starts_on: int
    windows: list[str]
    """Those that are kept."""
    targets: dict[str, _Aim]
    thresholds: list[_Threshold]
    """Of the rules that judge one figure."""


class Figures(_Given):
    """One partner, or one part of it, in every window that is kept."""

    at: EpochMs
    as_of: EpochMs | None
    partner: str
    scope: str
    min_samples: int
    """Fewer observations are `insufficient`."""
    figures: list[KpiRecord]
    """The narrowest window first; none where nothing is counted of it."""


class Point(KpiFigure):
    """A figure of the past."""

    from_: EpochMs = Field(alias="from")
    to: EpochMs
    final: bool
    """False while it is provisional."""


class History(_Given):
    """A KPI over time. Where nothing was counted there is no point."""

    partner: str
    kpi: str
    scope: str
    window: str
    from_: EpochMs = Field(alias="from")
    to: EpochMs
    as_of: EpochMs | None
    horizon: dict[str, EpochMs]
    """How far back minutes, quarter hours and days are kept."""
    complete: bool
    """False while a view that was lost is being filled again."""
    points: list[Point]


class Entry(_Given):
    """Something that happened."""

    id: str
    """Of its kind."""
    kind: Literal["alert", "incident", "annotation", "silence"]
    at: EpochMs
    """In stream time."""
    to: EpochMs | None
    """Until when it holds, of what does for a time."""
    what: str
    """Of an alert fired, escalated, eased, refired, resolved, retired, acknowledged or commented; of an incident as in its own timeline;
    of an annotation its kind; silenced."""
    by: str | None
    text: str
    severity: str | None
    rule: str | None
    scope: str | None
    kpi: str | None
    alert: str | None
    """Its fingerprint."""
    incident: str | None
    """Its id."""
    suppressed_by: list[SuppressReason]
    """Why nobody was paged of it."""
    late: bool
    """It was found when a past was caught up on."""


class Timeline(_Given):
    """What happened to a partner, the newest first."""

    at: EpochMs
    as_of: EpochMs | None
    partner: str
    entries: list[Entry]
    more: bool
    """Whether there are earlier ones: ask again with `before`."""


class Sparks(_Given):
    """The last points of one KPI, of all partners that may be seen; up to a quarter of a minute old."""

    at: EpochMs
    kpi: str
    window: str
    from_: EpochMs = Field(alias="from")
    """Where the first point begins."""
    step_ms: int
    points: int
    """How many each line has."""
    complete: bool
    """False while a view that was lost is being filled again."""
    partners: dict[str, list[float | None]]
    """Null where nothing was counted."""


class _CatalogueKpi(_Given):
    id: str
    title: str
    unit: Unit
    better: Better
    perspective: Perspective
    leading: bool
    """It moves before what the customer feels or the contract counts."""
    formula: str
    """In words."""
    attributed_to: str
    """The event whose time decides the window that a contact counts in."""
    windows: list[str]
    """Of its records; none where it is for rules and explanations alone."""
    traps: str
    live: bool
    """Made of what waits or stands open now."""
    history: bool
    """Whether it has points (`/api/v1/kpis`)."""
    own: bool
    """The policy's own."""


class Catalogue(_Given):
    """Every KPI, those of the policy last."""

    kpis: list[_CatalogueKpi]


class _Shift(_Given):
    rotation: str
    people: list[str]
    """Names; nobody where it is empty."""
    layer: int | None
    override: str | None
    until: EpochMs | None
    """When others are on call; null if not within 400 days."""
    gap: GapReason | None


class OnCallNow(_Given):
    """Who is on call."""

    at: EpochMs
    rotations: list[_Shift]


class _Person(_Given):
    id: str
    name: str


class _Duty(_Given):
    from_: EpochMs = Field(alias="from")
    to: EpochMs
    people: list[str]
    """Names; nobody where it is empty."""
    layer: int | None
    override: str | None


class _Gap(_Given):
    from_: EpochMs = Field(alias="from")
    to: EpochMs
    reason: GapReason


class _Taken(_Given):
    id: str
    person: str
    """A name."""
    from_: EpochMs = Field(alias="from")
    to: EpochMs
    by: str
    """Who asked for it."""
    at: EpochMs
    comment: str | None


class _Rota(_Given):
    rotation: str
    partner: str | None
    """On whose side; null: the client's."""
    timezone: str
    shifts: list[_Duty]
    """They follow each other without a hole."""
    gaps: list[_Gap]
    """When nobody is on call although somebody must be."""
    overrides: list[_Taken]
    """Those that touch these days."""
    takers: list[_Person]
    """Who may take a shift."""


class Schedule(_Given):
    """Who is on call when, by rotation."""

    from_: EpochMs = Field(alias="from")
    to: EpochMs
    rotations: list[_Rota]


class Report(_Given):
    """Of one shift of a rotation."""

    rotation: str
    partner: str | None
    """On whose side; null: the client's."""
    timezone: str
    people: list[str]
    """Names of who is on call, or was."""
    following: list[str]
    """Who is then; nobody where nobody follows, or not within 400 days."""
    from_: EpochMs = Field(alias="from")
    to: EpochMs | None
    """Of the present shift, when it will be over; null if not within 400 days."""
    present: bool
    """Whether it is not over: then all of this is up to now."""
    counts: dict[ShiftPart, int]
    """Incidents of each part."""
    incidents: list[ShiftIncident]
    """Open ones first, then those that nobody saw; of these the worst first, then the earliest."""
    complete: bool
    """False where incidents that ended in it may be forgotten by now."""


class Reports(_Given):
    """What shifts had to do with: of each rotation, the newest first."""

    at: EpochMs
    reports: list[Report]
