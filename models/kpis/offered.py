"""Shares of what was offered: without value where of those who abandoned it is not known whether they belong to the scope.

Which team would have answered is unknown while a contact waits. If answered contacts name their team and abandoned ones none, a team's
service level would be that of its answered contacts alone.
"""

from collections.abc import Mapping
from typing import Any, Final

from models.definitions import Definition
from models.figures import Status
from models.kpis.service_level import VARIANTS

__all__ = ["not_applicable", "of_offered"]

_BY_VARIANT: Final = frozenset({"service_level", "service_level_now"})
_OF_OFFERED: Final = frozenset(
    {"abandon_rate", "offered", "abandoned", *(f"service_level_{name}" for name in VARIANTS if name != "answered_only")}
)
_NOTHING: Final = {
    "value": None,
    "numerator": 0,
    "denominator": 0,
    "n": 0,
    "ci_low": None,
    "ci_high": None,
    "status": Status.NOT_APPLICABLE.value,
}


def of_offered(definition: Definition) -> frozenset[str]:
    """The KPIs, by id, in which abandoned contacts are counted under a definition."""
    return _OF_OFFERED if definition.service_level.variant == "answered_only" else _OF_OFFERED | _BY_VARIANT


def not_applicable(kpis: Mapping[str, dict[str, Any]], definition: Definition) -> dict[str, dict[str, Any]]:
    """The figures of a record, those left without a value that are shares of what was offered."""
    return {kpi: figure | _NOTHING if kpi in of_offered(definition) else figure for kpi, figure in kpis.items()}
