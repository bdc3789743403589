"""What a contract counts and aims at: the definition of the figures of one partner, channel or queue."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from models.durations import WRITTEN, to_seconds

__all__ = ["DEFAULT", "Basis", "Ces", "Csat", "Definition", "ServiceLevel", "ServiceLevelVariant", "Target"]

Seconds = Annotated[float, Field(ge=0, le=86_400)]
RepeatWindow = Annotated[float, BeforeValidator(to_seconds), Field(ge=3_600, le=2_592_000), WRITTEN]

ServiceLevelVariant = Literal[
    "answered_only", "abandons_count_against", "early_abandons_ignored", "early_abandons_count_for", "short_abandons_excluded"
]
"""The five formulas in use; see `models.kpis`."""

Basis = tuple[int, int]
"""What measures are counted under: (service level threshold ms, short-abandon limit ms). Part of a cell's identity."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ServiceLevel(_Frozen):
    """Answered within `threshold_seconds` (inclusive), by one of five variants."""

    variant: ServiceLevelVariant = "abandons_count_against"
    threshold_seconds: Seconds = 20.0


class Csat(_Frozen):
    """Satisfaction: the share of ratings in the `top_boxes` highest of a scale from 1 to `scale_max`.

    Employees are asked on the same scale. Dissatisfied are the `bottom_boxes` lowest: where none are named, as many as there are top
    boxes, or as these leave.
    """

    scale_max: int = Field(default=5, ge=2, le=10)
    top_boxes: int = Field(default=2, ge=1, le=9)
    bottom_boxes: int | None = Field(default=None, ge=1, le=9)

    @property
    def lowest(self) -> int:
        """How many of the lowest ratings are dissatisfied."""
        return self.bottom_boxes or max(0, min(self.top_boxes, self.scale_max - self.top_boxes))


class Ces(_Frozen):
    """Effort: the share of easy answers on a scale from 1 to `scale_max`.

    Easy are the `boxes` highest answers of an `agree` scale (5, 6 and 7 of 7) and the `boxes` lowest of an `effort` scale (write
    `scale_max: 5, boxes: 2` for 1 and 2 of 5).
    """

    scale_max: int = Field(default=7, ge=2, le=10)
    direction: Literal["agree", "effort"] = "agree"
    boxes: int = Field(default=3, ge=1, le=9)


class Target(_Frozen):
    """Where a figure should be: missing `target` is a warning, missing `critical` is critical; meeting a bound is enough.

    Both are lower bounds of a KPI that is better higher, and upper bounds of every other, a two-sided one included.
    """

    target: float
    critical: float | None = None


class Definition(_Frozen):
    """How figures are counted and what they are held against. Ratios are 0 to 1, times seconds, NPS points."""

    service_level: ServiceLevel = ServiceLevel()
    short_abandon_seconds: Seconds = 5.0
    abandon_rate_net_of_short: bool = False
    csat: Csat = Csat()
    ces: Ces = Ces()
    repeat_window_seconds: RepeatWindow | None = None
    """A contact of the same customer so soon after another is a repeat, an hour to 30 days; None: no customer is remembered."""
    min_samples: int = Field(default=20, ge=1, le=1_000_000)
    targets: dict[str, Target] = Field(default_factory=dict)
    """By KPI id."""

    @property
    def basis(self) -> Basis:
        """What the measures of a cell are counted under."""
        return round(self.service_level.threshold_seconds * 1000), round(self.short_abandon_seconds * 1000)

    @property
    def repeat_window_ms(self) -> int:
        """What repeats are counted under; 0 where they are not."""
        return round((self.repeat_window_seconds or 0) * 1000)


DEFAULT: Final = Definition()
