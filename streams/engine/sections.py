"""Bins at the end of a pane's row: how many each cell of the row has, their keys, their counts, and how long all that is.

Two bytes a key, and one, two, four or eight a count: whatever the largest takes. It ends with the width of the counts and the length
of the whole, so that what stands before it need not know of it.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import chain
from struct import Struct
from typing import Final

from models.bins import Bins

__all__ = ["length", "pack", "unpack"]

_TAIL: Final = Struct("<BI")
_COUNTS: Final = tuple((code, 1 << 8 * array(code).itemsize) for code in "BHIQ")

assert sys.byteorder == "little", "arrays are written as they lie in memory"


def pack(bins: Sequence[Bins]) -> bytes:
    """The section of these cells, some of which may have none."""
    sizes, keys = array("H", map(len, bins)), array("H", chain.from_iterable(bins))
    counts = list(chain.from_iterable(map(dict.values, bins)))
    highest = max(counts)
    width, code = next((at, code) for at, (code, end) in enumerate(_COUNTS) if highest < end)
    parts = (sizes.tobytes(), keys.tobytes(), array(code, counts).tobytes())
    return b"".join((*parts, _TAIL.pack(width, sum(map(len, parts)) + _TAIL.size)))


def length(value: bytes) -> int:
    """How long the section at the end of a row's value is."""
    size: int = _TAIL.unpack_from(value, len(value) - _TAIL.size)[1]
    return size


def unpack(section: bytes, cells: int) -> list[Bins]:
    """The bins of each of the row's cells.

    Raises:
        ValueError, IndexError, struct.error: if it does not hold.
    """
    width, _ = _TAIL.unpack_from(section, len(section) - _TAIL.size)
    sizes, keys, counts = array("H", section[: 2 * cells]), array("H"), array(_COUNTS[width][0])
    end = 2 * cells + 2 * sum(sizes)
    keys.frombytes(section[2 * cells : end])
    counts.frombytes(section[end : -_TAIL.size])
    if len(keys) != len(counts):
        msg = f"{len(keys)} bins with {len(counts)} counts"
        raise ValueError(msg)
    at, found = 0, list[Bins]()
    for size in sizes:
        found.append(dict(zip(keys[at : at + size], counts[at : at + size], strict=True)))
        at += size
    return found
