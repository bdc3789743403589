"""What a policy file says of a KPI of its own."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from models.events import Name
from models.kpis import Better, Perspective

__all__ = ["Condition", "EventName", "KpiSpec", "TermSpec"]

EventName = Literal[
    "contact.queued",
    "contact.answered",
    "contact.abandoned",
    "contact.completed",
    "contact.left",
    "ticket.opened",
    "ticket.replied",
    "ticket.solved",
    "ticket.reopened",
    "survey.invited",
    "survey.response",
    "quality.evaluated",
]
"""What can be counted; a `contact.record` counts as the events that it stands for."""

FieldName = Annotated[str, Field(min_length=1, max_length=64)]
Value = Annotated[str, Field(max_length=128)] | bool | float


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Condition(_Spec):
    """What a field must be: all that is said here. What an event does not say is not equal to, above or below anything."""

    eq: Value | None = None
    in_: Annotated[tuple[Value, ...], Field(min_length=1, max_length=100)] | None = Field(default=None, alias="in")
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None
    exists: bool | None = None


def _condition(said: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    """A value alone stands for `eq`, a list for `in`."""
    if isinstance(said, str | bool | int | float):
        return {"eq": said}
    if isinstance(said, list):
        return {"in": tuple(said)}
    if isinstance(said, dict) and isinstance(said.get("in"), list):
        return {**said, "in": tuple(said["in"])}
    return said


def _criteria(said: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    """One alone stands for a list of it."""
    return (said,) if isinstance(said, str) else tuple(said) if isinstance(said, list) else said


Criteria = Annotated[tuple[Name, ...], BeforeValidator(_criteria), Field(min_length=1, max_length=100)]


class TermSpec(_Spec):
    """What is counted, or a field that is summed, of the events that meet all conditions."""

    count: EventName | None = None
    sum: FieldName | None = None
    of: EventName | None = None
    """The events whose field is summed."""
    criterion: Criteria | None = None
    """Of evaluations: those of which an item of one of these applied, and of them these items alone."""
    where: Annotated[dict[FieldName, Annotated[Condition, BeforeValidator(_condition)]], Field(max_length=20)] = {}

    @property
    def event(self) -> EventName | None:
        """Which events it is about; None where the file does not say."""
        return self.count or self.of


class KpiSpec(_Spec):
    """One KPI: its id is its name in records, rules and targets."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    unit: Literal["ratio", "s", "count", "points"]
    better: Better
    perspective: Perspective
    leading: bool = False
    numerator: TermSpec
    denominator: TermSpec
