"""The form of rule that asks whether a partner's feed is silent."""

from functools import cached_property
from typing import Literal

from pydantic import Field

from models.kpis import FEED_SILENCE
from models.policy_types import Duration, to_ms
from models.rule_base import Look
from models.rule_forms import FormSpec
from models.rules import Direction, Level, OnMissing, Rule, Severity

__all__ = ["SilenceSpec"]


class SilenceSpec(FormSpec):
    """When nothing was heard of a partner's contacts for longer than chance explains under its own usual rate."""

    type: Literal["feed_silence"]
    severity: Severity = Severity.CRITICAL
    for_seconds: Duration = Field(default=0.0, alias="for")
    """How much longer, where contacts come in batches."""
    recover_for: Duration = 0.0

    @property
    def looks(self) -> tuple[Look, ...]:
        """No figure of a window."""
        return ()

    @cached_property
    def compiled(self) -> Rule:
        """The rule, ready for the engine, on a window that is always there."""
        return Rule(
            **self.common,
            kpi=FEED_SILENCE,
            window="24h",
            direction=Direction.ABOVE,
            levels=(Level(self.severity, 0.0, 0.0, to_ms(self.for_seconds)),),
            on_missing=OnMissing.HOLD,
        )
