"""What the items of an evaluation come to: whether it failed, and what it says of some criteria alone."""

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from models.events import MAX_POINTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from models.decode import QualityEvaluated

__all__ = ["critical_fail", "milli", "on_criteria"]

_MAX_MILLI: Final = int(MAX_POINTS * 1000)
"""What is counted of some criteria, too, stays within what an evaluation may say: its squares must fit."""


def milli(points: float) -> int:
    """Points in whole thousandths, so that any order sums to the same."""
    return int(points * 1000 + 0.5)


def critical_fail(evaluation: "QualityEvaluated") -> bool:
    """Whether it failed as a whole, or by a critical item that applied and has no points."""
    return evaluation.automatic_fail or any(item.critical and item.possible > 0 and item.points == 0 for item in evaluation.items or ())


def on_criteria(evaluation: "QualityEvaluated", criteria: "Collection[str]") -> "QualityEvaluated | None":
    """The evaluation as if its form had the items of these criteria alone; None where none of them applied.

    Its points are those of the items, each at most those to be had. That it failed as a whole, or how its script went, is not of any item.
    """
    items = [item for item in evaluation.items or () if item.criterion in criteria and item.possible > 0]
    if not items:
        return None
    points = min(sum(milli(min(item.points, item.possible)) for item in items), _MAX_MILLI) / 1000
    possible = min(sum(milli(item.possible) for item in items), _MAX_MILLI) / 1000
    none = {"automatic_fail": False, "script_done": None, "script_required": None}
    return replace(evaluation, points=points, points_possible=possible, items=items, **none)  # type: ignore[type-var]
