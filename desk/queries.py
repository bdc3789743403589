"""What may be asked of the API in an address, as models: requests are validated by them, and the OpenAPI document is made of them."""

from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from desk.reports import LIMIT_MAX
from desk.series import Step
from desk.sparks import POINTS_MAX, Width
from desk.timeline import LIMIT_MAX as ENTRIES_MAX
from models.policy_types import WindowName

__all__ = [
    "At",
    "HistoryQuery",
    "OnCallQuery",
    "ReportsQuery",
    "ScheduleQuery",
    "ScopeQuery",
    "SparksQuery",
    "TimelineQuery",
    "WindowQuery",
]


def _whole(value: object) -> object:
    """To JSON 38.0 is an integer, as 38 is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


At = Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_whole)]
"""Epoch ms."""
_YEAR_2100_MS: Final = 4_102_444_800_000


class _Query(BaseModel):
    """Of text, so not strict."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class WindowQuery(_Query):
    """In which window."""

    window: WindowName = "15m"


class ScopeQuery(_Query):
    """Of which part."""

    scope: Annotated[str, Field(max_length=300)] = "all"


class HistoryQuery(_Query):
    """Which points."""

    window: Step = "15m"
    """The width of a point."""
    from_: At | None = Field(default=None, alias="from")
    """Epoch ms; without it 96 points back."""
    to: At | None = None
    """Epoch ms, exclusive; without it now, in stream time."""
    scope: Annotated[str, Field(max_length=300)] = "all"
    """Parts of a partner (`queue=billing`) have points of days alone."""


class SparksQuery(_Query):
    """Which lines."""

    kpi: Annotated[str, Field(min_length=1, max_length=128)] = "service_level"
    window: Width = "1m"
    """The width of a point."""
    points: Annotated[int, Field(ge=2, le=POINTS_MAX)] = 30


class TimelineQuery(_Query):
    """Which part."""

    before: Annotated[int, Field(ge=0, le=_YEAR_2100_MS)] | None = None
    """Epoch ms, exclusive: of the last entry of the page before; without it, the newest."""
    limit: Annotated[int, Field(ge=1, le=ENTRIES_MAX)] = 100
    """What happened at the same time as the last of them stands there too."""


class OnCallQuery(_Query):
    """When."""

    at: Annotated[int, Field(ge=0, le=_YEAR_2100_MS)] | None = None
    """Epoch ms; without it now."""


class ReportsQuery(_Query):
    """Which shifts."""

    rotation: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Without it, of all."""
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = 3
    """Of each rotation, the newest first; the one that is on call is one of them."""


class ScheduleQuery(_Query):
    """Which days; at most 35 of them."""

    from_: Annotated[int, Field(ge=0, le=_YEAR_2100_MS)] | None = Field(default=None, alias="from")
    """Epoch ms; without it now."""
    to: Annotated[int, Field(ge=0, le=_YEAR_2100_MS)] | None = None
    """Epoch ms, exclusive; without it 14 days later."""
