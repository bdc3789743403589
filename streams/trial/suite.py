"""A file of tests of rules, as `outwatch policy test` reads it."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from alerts import ChangeKind, Phase
from models.durations import to_seconds
from models.notifications import Kind, NotifyReason
from models.policy_types import Name
from models.reasons import SuppressReason
from models.rules import Severity
from models.windows import DAY_MS, GRID_MS, MINUTE_MS, Scope
from streams.trial.series import series

__all__ = ["CaseSpec", "CommandSpec", "EventsSpec", "ExpectSpec", "SeriesSpec", "Suite", "ToldSpec"]

_START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning."""


def _grid(said: str | float) -> int:
    """In milliseconds."""
    at_ms = round(to_seconds(said) * 1000)
    if at_ms % GRID_MS:
        msg = f"{at_ms / 1000:g} s is no grid point (write a multiple of 10s)"
        raise ValueError(msg)
    return at_ms


def _scope(text: str) -> str:
    return str(Scope.parse(text))


def _number(said: Any) -> Any:  # noqa: ANN401 - whatever a file holds
    return str(said) if isinstance(said, int | float) and not isinstance(said, bool) else said


def _series(text: str) -> str:
    series(text)
    return text


Grid = Annotated[int, BeforeValidator(_grid), Field(ge=0, le=31 * DAY_MS)]
"""Milliseconds from the start of the test, on the grid of 10 s; a file writes `3m`."""
ScopeName = Annotated[str, AfterValidator(_scope)]
Steps = Annotated[str, BeforeValidator(_number), AfterValidator(_series)]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SeriesSpec(_Spec):
    """What a KPI is, step by step; every rule on that KPI and scope sees it, whatever its window."""

    kpi: Name
    scope: ScopeName = "all"
    values: Steps
    n: Steps | None = None
    """Observations; of a gauge none are asked for."""
    sd: float | None = Field(default=None, ge=0)
    """Of means, net scores and ratios of sums: how far single observations spread, in the KPI's unit."""

    @cached_property
    def steps(self) -> tuple[float | None, ...]:
        """The values of each step."""
        return series(self.values)

    @cached_property
    def counts(self) -> tuple[float | None, ...]:
        """The observations of each step."""
        return series(self.n or "0")


class EventsSpec(_Spec):
    """Events at an even pace."""

    from_ms: Grid = Field(default=0, alias="from")
    to_ms: Grid = Field(alias="to")
    a_minute: float = Field(gt=0, le=6_000)
    of: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=100)]
    """What comes in turn: an event's type and fields, and its `share` of all (1 unless it says more)."""


class CommandSpec(_Spec):
    """A command of an operator, as `outwatch.commands` carries it."""

    at_ms: Grid = Field(alias="at")
    type: Name
    actor: Name = "tester"
    payload: dict[str, Any] = {}
    """A time in it, such as `until: 20m`, is from the start of the test; an alert may be named by its `rule` and `scope`."""


class ExpectSpec(_Spec):
    """How a condition stands once a grid point was judged, and what it did up to there."""

    at_ms: Grid = Field(alias="at")
    rule: Name
    scope: ScopeName = "all"
    phase: Phase | None = None
    severity: Severity | None = None
    transitions: tuple[ChangeKind, ...] | None = None
    """All since the start, in order."""
    suppressed_by: tuple[SuppressReason, ...] | None = None
    """Why pages wait; of events only."""


class ToldSpec(_Spec):
    """Somebody is told of an incident; of events only."""

    at_ms: Grid = Field(alias="at")
    to: Name
    """A person, or what the step names: a rotation, a receiver, a role among the partner's contacts."""
    by: tuple[Name, ...] | None = None
    """The receivers by which that is told, in any order; left out: not looked at."""
    step: Literal["fallback", "handed over"] | Annotated[int, Field(ge=1)] | None = None
    """Of the escalation, from 1 on."""
    kind: Kind = "trigger"
    reason: NotifyReason | None = None


class CaseSpec(_Spec):
    """One test; either `series` or `events`."""

    name: Name
    partner: Name
    start: AwareDatetime = _START
    step_ms: Annotated[Grid, Field(ge=GRID_MS)] = Field(default=MINUTE_MS, alias="step")
    """Of the series."""
    series: Annotated[tuple[SeriesSpec, ...], Field(max_length=100)] = ()
    events: Annotated[tuple[EventsSpec, ...], Field(max_length=100)] = ()
    commands: Annotated[tuple[CommandSpec, ...], Field(max_length=1000)] = ()
    expect: Annotated[tuple[ExpectSpec, ...], Field(max_length=1000)] = ()
    told: Annotated[tuple[ToldSpec, ...], Field(max_length=1000)] | None = None
    """Everybody who is paged, in order, and of the other kinds that it names whoever is told; `[]`: nobody is paged."""
    until_ms: Grid | None = Field(default=None, alias="until")
    """How long it goes on; left out: until what is expected last."""

    @property
    def start_ms(self) -> int:
        """When it begins."""
        return round(self.start.timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        """The last grid point that is looked at, from the start."""
        return max([self.until_ms or 0, *(each.at_ms for each in self.expect), *(each.at_ms for each in self.told or ())])


class Suite(_Spec):
    """The whole file."""

    version: Literal[1] = 1
    policy: Name
    """The policy's file, from where this file stands."""
    tests: Annotated[tuple[CaseSpec, ...], Field(max_length=1000)]
