"""The canonical events: what may arrive on the `cx.*` topics.

These pydantic models are the one source of truth. `models.decode` derives the fast decoder of a run from them, and a property
test holds the two equal. Unknown fields are ignored (a producer may be newer than we are); types are strict. Durations are
seconds, times are RFC 3339 text with an offset or epoch milliseconds.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, TypeAdapter

__all__ = [
    "EVENT_TYPES",
    "AgentJoined",
    "AgentLeft",
    "AgentScheduled",
    "AgentState",
    "ClockAdvanced",
    "ContactAbandoned",
    "ContactAnswered",
    "ContactCompleted",
    "ContactLeft",
    "ContactQueued",
    "ContactRecord",
    "CostReported",
    "Event",
    "EventBase",
    "QualityEvaluated",
    "QualityItem",
    "RevenueReported",
    "SourceAlive",
    "SurveyInvited",
    "SurveyResponse",
    "TicketOpened",
    "TicketReopened",
    "TicketReplied",
    "TicketSolved",
    "TrainingDone",
    "TrainingDue",
    "VolumeForecast",
    "event_adapter",
]

MAX_SECONDS: Final = 10_000_000.0
"""No duration is longer than this (115 days): it is a unit mistake."""

MAX_POINTS: Final = 10_000.0
"""No evaluation has more points; the squares of 184,000 evaluations of so many still fit."""

Name = Annotated[str, Field(min_length=1, max_length=128)]
Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS)]
Points = Annotated[float, Field(ge=0, le=MAX_POINTS)]
EpochMs = Annotated[int, Field(ge=-(2**53), le=2**53)]
Timestamp = EpochMs | Annotated[str, Field(min_length=1, max_length=64)]
"""Epoch milliseconds, or text that `models.times.to_ms` reads; whether it is a time is decided there, not by the type."""


class _Strict(BaseModel):
    # Structs are derived from these fields; a validator is built for the first record that a struct refuses, not at every start.
    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True, defer_build=True
    )


class EventBase(_Strict):
    """What every event of a partner carries; all but the first three fields are optional."""

    event_id: Name
    """Names a delivery, for de-duplication within a partner; for a restated record: contact id and updated_at."""
    partner_id: Name
    occurred_at: Timestamp
    """Epoch milliseconds, or RFC 3339 text with an offset; so is every other time."""
    queue: Name | None = None
    channel: Name | None = None
    site: Name | None = None
    team: Name | None = None
    agent_id: Name | None = None
    customer_key: Name | None = None
    """A keyed HMAC of the customer, never a plain hash of a phone number."""
    reason: Name | None = None
    activity: Name | None = None
    segment: Name | None = None
    language: Name | None = None
    contact_id: Name | None = None
    root_contact_id: Name | None = None
    updated_at: Timestamp | None = None
    """Of a restated record: the newest counts."""


class ContactQueued(EventBase):
    """A contact began to wait: an arrival, and a live contact until it is answered, abandoned or left."""

    type: Literal["contact.queued"]
    contact_id: Name
    priority: int | None = Field(default=None, ge=-1_000_000, le=1_000_000)


class ContactAnswered(EventBase):
    """An agent took the contact; `wait_seconds` is its time in queue, 0 where it never queued."""

    type: Literal["contact.answered"]
    wait_seconds: Seconds


class ContactAbandoned(EventBase):
    """The customer gave up in the queue after `wait_seconds`."""

    type: Literal["contact.abandoned"]
    wait_seconds: Seconds


class ContactCompleted(EventBase):
    """An answered contact ended and its wrap-up is done."""

    type: Literal["contact.completed"]
    talk_seconds: Seconds
    hold_seconds: Seconds = 0.0
    holds: int = Field(default=0, ge=0, le=1_000_000)
    wrap_seconds: Seconds = 0.0
    resolved: bool | None = None
    transferred: bool = False
    escalated: bool = False


class ContactLeft(EventBase):
    """A live contact ended neither answered nor abandoned: call-back, flow-out, transfer."""

    type: Literal["contact.left"]
    outcome: Name | None = None


class ContactRecord(EventBase):
    """A whole contact in one record, for sources that report at the end; `occurred_at` is its completion.

    `outcome` says what counts: `answered` (wait, service level, handle time), `abandoned`, `not_queued` (hung up before
    queueing: no abandon), `left`. A contact answered without queueing has no `queued_at` and waits 0.
    """

    type: Literal["contact.record"]
    outcome: Literal["answered", "abandoned", "not_queued", "left"]
    queued_at: Timestamp | None = None
    queue_exited_at: Timestamp | None = None
    wait_seconds: Seconds = 0.0
    talk_seconds: Seconds = 0.0
    hold_seconds: Seconds = 0.0
    holds: int = Field(default=0, ge=0, le=1_000_000)
    wrap_seconds: Seconds = 0.0
    resolved: bool | None = None
    transferred: bool = False
    escalated: bool = False


class TicketOpened(EventBase):
    """A ticket was opened; its id is `contact_id`. It is in the backlog until it is solved, or expires."""

    type: Literal["ticket.opened"]
    contact_id: Name
    due_at: Timestamp | None = None
    """When it is to be solved; holds until it is solved, unless an event of the same ticket says another date later."""


class TicketReplied(EventBase):
    """An agent answered the customer; the earliest of a ticket is its first response."""

    type: Literal["ticket.replied"]
    contact_id: Name


class TicketSolved(EventBase):
    """A ticket was solved; what is told of it before it is opened again changes nothing."""

    type: Literal["ticket.solved"]
    contact_id: Name
    due_at: Timestamp | None = None
    """As in `ticket.opened`, for sources that know it only in the end."""


class TicketReopened(EventBase):
    """A solved ticket is in the backlog again, under a due date of its own."""

    type: Literal["ticket.reopened"]
    contact_id: Name
    due_at: Timestamp | None = None
    """As in `ticket.opened`."""


class SurveyInvited(EventBase):
    """A customer was asked, or an employee (esat, enps)."""

    type: Literal["survey.invited"]
    survey: Literal["csat", "nps", "ces", "esat", "enps"]


class SurveyResponse(EventBase):
    """A customer answered, or an employee (esat, enps); counts in the window of the answer."""

    type: Literal["survey.response"]
    survey: Literal["csat", "nps", "ces", "esat", "enps"]
    score: float = Field(ge=0, le=1000)
    scale_max: int | None = Field(default=None, ge=1, le=1000)
    comment: str | None = Field(default=None, max_length=10_000)


class QualityItem(_Strict):
    """One line of an evaluation's form."""

    criterion: Name
    points: Points
    """More than `possible` counts as `possible`."""
    possible: Points
    """0 where the item did not apply."""
    critical: bool = False
    """No points for it are a critical fail."""


class QualityEvaluated(EventBase):
    """Somebody, or something, evaluated a contact; counts in the window of the evaluation."""

    type: Literal["quality.evaluated"]
    points: Points
    """More than `points_possible` counts as `points_possible`: bonus points make no score past 1."""
    points_possible: Points
    """Of the questions that applied; 0 where none did."""
    automatic_fail: bool = False
    """The evaluation's points count as 0, and it is a critical fail."""
    script_done: int | None = Field(default=None, ge=0, le=1000)
    """Required items of the script that were done; more than `script_required` counts as `script_required`."""
    script_required: int | None = Field(default=None, ge=0, le=1000)
    """Required items of the script that applied."""
    items: list[QualityItem] | None = Field(default=None, max_length=100)


class AgentState(EventBase):
    """What an agent does from `occurred_at` on: it holds until the next one of the same agent, or expires."""

    type: Literal["agent.state"]
    agent_id: Name
    state: Literal["available", "on_contact", "wrap", "break", "training", "offline"]


class AgentScheduled(EventBase):
    """What an agent is to do from `from` to `to`, at most 24 hours.

    What is told of an agent later (by `updated_at`, else `occurred_at`) replaces the whole of every schedule that it overlaps; of those
    that were told at once the one that begins last holds: a break within a shift.
    """

    type: Literal["agent.scheduled"]
    agent_id: Name
    from_: Timestamp = Field(alias="from")
    to: Timestamp
    """Exclusive."""
    activity: Literal["contacts", "break", "training", "offline"]
    """`contacts` is kept to while the agent is available, on a contact or in wrap-up; `offline` takes a schedule back."""


class AgentJoined(EventBase):
    """Somebody belongs to the staff from `occurred_at` on, however long ago that was."""

    type: Literal["agent.joined"]
    agent_id: Name


class AgentLeft(EventBase):
    """Somebody left the staff; the common field `reason` says why."""

    type: Literal["agent.left"]
    agent_id: Name


class TrainingDue(EventBase):
    """An agent is to complete a course by `due_at`, at most two years ahead.

    Told again up to that date it is another date for the same, unless the course was done; after it, it is due once more.
    """

    type: Literal["training.due"]
    agent_id: Name
    course: Name
    due_at: Timestamp


class TrainingDone(EventBase):
    """An agent completed a course that is due."""

    type: Literal["training.done"]
    agent_id: Name
    course: Name


class VolumeForecast(EventBase):
    """How many contacts are expected in an interval, of the queue and channel that it names, or of all where it names none.

    The newest of an interval counts, by `updated_at`, or `occurred_at` where there is none.
    """

    type: Literal["volume.forecast"]
    interval_start: Timestamp
    """At a full quarter of an hour."""
    interval_end: Timestamp
    """Exclusive; 15, 30 or 60 minutes later."""
    offered: float = Field(ge=0, le=1_000_000)
    """Expected to be answered or abandoned in the interval."""
    aht_seconds: Seconds | None = None
    """Expected handle time; not used yet."""
    staff_required: float | None = Field(default=None, ge=0, le=1_000_000)
    """Agents that the plan asks for; not used yet."""


class _Reported(EventBase):
    """An amount of a period. The newest of its line counts, by `updated_at`, or `occurred_at` where there is none; lines add up."""

    amount: Annotated[float, Field(ge=-100_000_000_000, le=100_000_000_000)] | Annotated[str, Field(min_length=1, max_length=32)]
    """A number, or decimal text; at most four decimals. Credit notes are negative."""
    currency: Name
    """A code of ISO 4217, such as EUR."""
    period_start: Timestamp
    """Midnight in the contract's time zone."""
    period_end: Timestamp
    """Exclusive: midnight after the last day."""
    line: Name | None = None
    """Of an invoice with several lines. Queue and channel tell lines apart as well."""


class CostReported(_Reported):
    """What the partner's service cost in a period."""

    type: Literal["cost.reported"]


class RevenueReported(_Reported):
    """What the partner's service brought in, in a period, and how many customers stayed."""

    type: Literal["revenue.reported"]
    customers: int | None = Field(default=None, ge=0, le=1_000_000_000)
    """Customers at the beginning of the period."""
    customers_kept: int | None = Field(default=None, ge=0, le=1_000_000_000)
    """Those of them that were still customers at its end."""


class ClockAdvanced(_Strict):
    """The stream's own clock, accepted only under `clock: log`: everything before `to` has been written.

    `topics` names the source topics that the writer feeds; the frontier is the lowest clock among them. Without it, the
    topic that holds the record is the only one.
    """

    type: Literal["clock.advanced"]
    to: EpochMs
    topics: list[Name] | None = Field(default=None, max_length=16)


class SourceAlive(_Strict):
    """A source that declares it says every 30 s that it lives, so that silence of a partner differs from its own."""

    type: Literal["source.alive"]
    source: Name | None = None


Event = Annotated[
    ContactQueued
    | ContactAnswered
    | ContactAbandoned
    | ContactCompleted
    | ContactLeft
    | ContactRecord
    | TicketOpened
    | TicketReplied
    | TicketSolved
    | TicketReopened
    | SurveyInvited
    | SurveyResponse
    | QualityEvaluated
    | AgentState
    | AgentScheduled
    | AgentJoined
    | AgentLeft
    | TrainingDue
    | TrainingDone
    | VolumeForecast
    | CostReported
    | RevenueReported
    | ClockAdvanced
    | SourceAlive,
    Discriminator("type"),
]
"""Any canonical event of this release."""

EVENT_TYPES: Final[tuple[type[_Strict], ...]] = (
    ContactQueued,
    ContactAnswered,
    ContactAbandoned,
    ContactCompleted,
    ContactLeft,
    ContactRecord,
    TicketOpened,
    TicketReplied,
    TicketSolved,
    TicketReopened,
    SurveyInvited,
    SurveyResponse,
    QualityEvaluated,
    AgentState,
    AgentScheduled,
    AgentJoined,
    AgentLeft,
    TrainingDue,
    TrainingDone,
    VolumeForecast,
    CostReported,
    RevenueReported,
    ClockAdvanced,
    SourceAlive,
)

event_adapter: TypeAdapter[Event] = TypeAdapter(Event, config=ConfigDict(defer_build=True))
