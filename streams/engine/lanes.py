"""Packed measures: a vector as one integer, 64 bits a measure, so that adding two vectors is one addition.

A measure stands at its place in the flat vector, so cells of all families, and whole partners, are summed alike; but for those of the
policy's own KPIs, of which each cell begins at 0, and has a place only once it is summed with others (`lifted`). Guarantee: sums
and differences are exact where each measure of the result is 0 to 2^64 - 1, whatever came in between. That is no new bound: a row
cannot say more either, and squared seconds of the longest contact allowed reach it after 20,000 of them. Cost: 0.1 µs an addition,
where two lists take 1.5 to 4; 1 µs to pack or unpack.
"""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Final

from models.measures import OFFSETS, SIZE, WIDTHS

__all__ = ["lanes", "pack", "unpack", "vector_of"]

_BYTES: Final = 8
_FLAT: Final = Struct(f"<{SIZE}Q")
_VECTORS: Final = tuple(Struct(f"<{width}Q") for width in WIDTHS)
_SHIFTS: Final = (*(8 * _BYTES * offset for offset in OFFSETS), 0)
_MASKS: Final = tuple((1 << 8 * _BYTES * width) - 1 for width in WIDTHS)


def lanes(first: int, last: int | None = None) -> int:
    """A mask of the measures from `first` to `last` of a flat vector, both included."""
    return (1 << 8 * _BYTES * ((first if last is None else last) + 1)) - (1 << 8 * _BYTES * first)


def pack(family: int, vector: Sequence[int]) -> int:
    """The vector of a family, shape (WIDTHS[family],), at its place in the flat one."""
    return int.from_bytes(_VECTORS[family].pack(*vector), "little") << _SHIFTS[family]


def unpack(packed: int, behind: int = 0) -> tuple[int, ...]:
    """The flat vector, shape (SIZE + behind,): so many measures of the policy's own KPIs stand behind it.

    Raises:
        OverflowError: if more was subtracted than had been added.
    """
    flat = _longer(behind) if behind else _FLAT
    return flat.unpack(packed.to_bytes(flat.size, "little"))


@lru_cache(maxsize=64)
def _longer(behind: int) -> Struct:
    return Struct(f"<{SIZE + behind}Q")


def vector_of(family: int, packed: int) -> tuple[int, ...]:
    """The vector of a family; the inverse of `pack`."""
    return _VECTORS[family].unpack((packed >> _SHIFTS[family] & _MASKS[family]).to_bytes(_VECTORS[family].size, "little"))
