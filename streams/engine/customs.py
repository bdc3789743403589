"""The cells of a policy's own KPIs: a formula's fingerprint stands where the basis of interactions does."""

from collections.abc import Iterable, Mapping
from typing import Final

from models.measures import Family
from streams.engine.cells import Cell, Cells, SideCell

__all__ = ["custom_cell", "is_custom", "lifted"]

_CUSTOM: Final = Family.CUSTOM.value


def custom_cell(cell: Cell, formula: int) -> Cell:
    """Where what is counted in a cell counts for a formula."""
    if isinstance(cell, SideCell):
        return SideCell(_CUSTOM, None, None, formula, 0, cell.side)
    return Cell(_CUSTOM, cell.queue, cell.channel, formula, 0)


def is_custom(cell: Cell) -> bool:
    """Whether it is one of them."""
    return cell.family == _CUSTOM


def lifted(parts: Iterable[Cells], shifts: Mapping[int, int]) -> list[Cells]:
    """The same with the measures of these formulas shifted to their places behind the flat vector; those of others are left out."""
    return [
        {
            cell: packed << shifts[cell.within_ms] if cell.family == _CUSTOM else packed
            for cell, packed in cells.items()
            if cell.family != _CUSTOM or cell.within_ms in shifts
        }
        for cells in parts
    ]
