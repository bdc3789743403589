"""What fields of a policy file hold: names, durations, windows, scopes, thresholds."""

from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from models.durations import WRITTEN, to_seconds
from models.rules import ADAPTIVE
from models.windows import WINDOWS, Dimension, window
from models.yaml_file import suggest

__all__ = [
    "DAY_SECONDS",
    "HOUR_SECONDS",
    "RULE_SCOPES",
    "Duration",
    "Name",
    "RuleId",
    "RuleScope",
    "RuleWindow",
    "Span",
    "Text",
    "Threshold",
    "WindowName",
    "Zone",
    "to_ms",
]

RuleScope = Literal[
    "partner",
    "partner/channel",
    "partner/queue",
    "partner/site",
    "partner/team",
    "partner/reason",
    "partner/activity",
    "partner/segment",
]
RULE_SCOPES: Final[dict[RuleScope, Dimension]] = {
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

HOUR_SECONDS: Final = 3600.0
DAY_SECONDS: Final = 24 * HOUR_SECONDS
_WEEK_SECONDS: Final = 7 * DAY_SECONDS
_YEAR_SECONDS: Final = 365 * DAY_SECONDS


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


def _rule_window(name: str) -> str:
    return name if name == ADAPTIVE else _window(name)


def _branch(said: object) -> str:
    return "both" if isinstance(said, list | tuple) else "one"


Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Zone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[float, BeforeValidator(to_seconds), Field(ge=0, le=_WEEK_SECONDS), WRITTEN]
"""Seconds; a file may write `3m`."""
Span = Annotated[float, BeforeValidator(to_seconds), Field(ge=0, le=_YEAR_SECONDS), WRITTEN]
"""As `Duration`, for what may take months."""
WindowName = Annotated[str, AfterValidator(_window), Field(json_schema_extra={"enum": [each.name for each in WINDOWS]})]
RuleWindow = Annotated[str, AfterValidator(_rule_window), Field(json_schema_extra={"enum": [ADAPTIVE, *(each.name for each in WINDOWS)]})]
Pair = tuple[float, float]
Threshold = Annotated[Annotated[float, Tag("one")] | Annotated[Pair, Tag("both")], Discriminator(_branch)]
"""Of a rule that looks `outside` a pair: below, above."""


def to_ms(seconds: float) -> int:
    """Milliseconds, as the engine counts time."""
    return round(seconds * 1000)
