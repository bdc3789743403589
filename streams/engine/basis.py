"""The counting basis: whether what was counted was counted under the present policy."""

from collections.abc import Iterable

from models.measures import Family
from models.policy import PartnerPolicy
from models.windows import Scope
from streams.engine.cells import Cell, Cells, SideCell
from streams.engine.sides import Sides
from streams.engine.totals import scopes_in

__all__ = ["rebased"]


def rebased(parts: Iterable[Cells], own: set[Cell], policy: PartnerPolicy, sides: Sides) -> dict[Scope, int]:
    """The scopes in which something was counted under another basis than the policy's present one; a bit for each such family.

    `own` are cells known to count under it, to which those that are found are added.
    """
    found: dict[Scope, int] = {}
    for cells in parts:
        for cell in [each for each in cells if each not in own]:
            if _is_own(cell, policy, sides):
                own.add(cell)
                continue
            for scope in scopes_in(cell):
                found[scope] = found.get(scope, 0) | 1 << cell.family
    return found


def _is_own(cell: Cell, policy: PartnerPolicy, sides: Sides) -> bool:
    """Whether a cell counts under the present policy, or under nothing that policies say."""
    family, queue, channel, within_ms, short_ms = cell[:5]
    if family == Family.INTERACTIONS:
        if isinstance(cell, SideCell):
            return sides.knows_basis(within_ms, short_ms)
        return (within_ms, short_ms) == policy.definition(queue, channel).basis
    return family != Family.HISTORY or within_ms == policy.definition(queue, channel).repeat_window_ms
