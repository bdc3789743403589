"""What values a KPI can have, and what a policy says that is none of them."""

from collections.abc import Iterator
from typing import Final

from models.finding import Finding
from models.kpis import Kpi, Unit
from models.yaml_file import Path

__all__ = ["RANGES", "lint_value"]

RANGES: Final = {
    Unit.RATIO: (0.0, 1.0),
    Unit.CHANGE: (-1.0, float("inf")),
    Unit.MONEY: (float("-inf"), float("inf")),
    Unit.SECONDS: (0.0, float("inf")),
    Unit.COUNT: (0.0, float("inf")),
    Unit.POINTS: (-100.0, 100.0),
}


def lint_value(path: Path, value: float, kpi: Kpi) -> Iterator[Finding]:
    """A threshold or a target."""
    low, high = RANGES[kpi.unit]
    if low <= value <= high:
        return
    span = f"{low:g} or more" if high == float("inf") else f"from {low:g} to {high:g}"
    percent = kpi.unit is Unit.RATIO and 1 < value <= 100  # noqa: PLR2004 - a percentage
    remedy = f"write {value / 100:.2f} for {value:g} %" if percent else f"write a value {span}"
    yield Finding(path, f"{value:g} is no value of {kpi.id}, which is {span} ({kpi.unit})", remedy)
