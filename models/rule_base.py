"""What all forms of rules say: for whom they hold, how long it takes to recover, and what is told with an alert."""

from abc import abstractmethod
from functools import cached_property
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from models.escalation import EscalationId
from models.policy_types import RULE_SCOPES, Duration, Name, RuleId, RuleScope, Text, to_ms
from models.revisions import canonical
from models.rules import Rule
from models.yaml_file import Path

__all__ = ["Look", "RuleBase"]


_UNSAID: Final = (("outside_hours", "wait"),)


def _left_out(value: object) -> bool:
    """What came later is left out unless it is said, so that the revisions of other rules stay what they were."""
    return value is None


class Look(NamedTuple):
    """A figure that a rule looks at, and where it says so."""

    kpi: str
    kpi_at: Path
    """Within the rule."""
    window: str
    window_at: Path


class RuleBase(BaseModel):
    """A rule, whatever its form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: RuleId
    scopes: Annotated[tuple[RuleScope, ...], Field(min_length=1, max_length=len(RULE_SCOPES))] = ("partner",)
    recover_for: Duration = 600.0
    min_samples: int = Field(default=20, ge=1, le=1_000_000)
    owner: Text | None = None
    runbook: Text | None = None
    suggested_action: Text | None = None
    partners: tuple[Name, ...] | None = None
    escalation: EscalationId | None = Field(default=None, exclude_if=_left_out)
    """By which its alerts page (docs/incidents.md); without it, the partner's."""

    # Partners share their rules, and a start compiles policies for each of them.

    @cached_property
    def canonical(self) -> str:
        """What revisions are taken of."""
        said = self.model_dump(mode="json")
        # What rules could not say before is left out where they do not say it, so that they keep their revisions.
        return canonical({name: value for name, value in said.items() if (name, value) not in _UNSAID})

    @property
    @abstractmethod
    def looks(self) -> tuple[Look, ...]:
        """The figures that it looks at."""

    @cached_property
    @abstractmethod
    def compiled(self) -> Rule:
        """The rule, ready for the engine."""

    @property
    def common(self) -> dict[str, Any]:
        """The fields of the compiled rule that all forms have."""
        return {
            "id": self.id,
            "scopes": frozenset(RULE_SCOPES[scope] for scope in self.scopes),
            "recover_for_ms": to_ms(self.recover_for),
            "min_samples": self.min_samples,
            "owner": self.owner,
            "runbook": self.runbook,
            "suggested_action": self.suggested_action,
            "escalation": self.escalation,
        }
