"""Cells of a pane, and how a pane's rows hold them.

A value begins with format and layout, like that of every row, then with how wide its lanes are and how long its head is. The head is
JSON: how many measures each family's vectors have, and the cells in a fixed order. Behind it stand the vectors, each measure in a lane
whose highest byte is zero: 255 rows of one head are added as integers, just as they lie, before any sum could reach into the next
lane, and only the sum is taken apart. So a start takes a fifth of the time that it took with rows of format 1, which were lists in
JSON. Where durations were binned, `streams.engine.sections` stand behind the vectors.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from struct import Struct, error
from typing import Any, Final, NamedTuple, Self

import orjson

from models.bins import Bins
from models.measures import FAMILIES, WIDTHS
from streams.engine import rows, sections
from streams.engine.lanes import pack

__all__ = [
    "CELLS_A_ROW",
    "Cell",
    "CellBins",
    "Cells",
    "SideCell",
    "add_cells",
    "decode",
    "decode_bins",
    "encode",
    "named",
    "ordered",
    "subtract_cells",
]

CELLS_A_ROW: Final = 300
"""A row ends here: 300 cells of two names of 128 ASCII characters and 65 counts, of 8 bytes at most, stay below 256 kB."""
_BINS_A_ROW: Final = 20_000
"""And here, 3 bytes each unless one counts more than 255: a row with so many has few cells, since a day of a cell fills some hundreds."""
_WITH_BINS: Final = 128
"""Added to the kind of lanes where a section of bins stands at the end."""
_SUMMED_AT_ONCE: Final = 255
_WIDTHS_OF_LANES: Final = ("HI", "IQ", "QQ")
"""Of counts, and of sums of times and points: the first that leaves the highest bytes free, or the last, which need not."""
_SMALL, _WIDE, _WIDEST = range(len(_WIDTHS_OF_LANES))
_START: Final = Struct("<BI")
_HEAD_AT: Final = rows.PREFIX_BYTES + _START.size


def _codes(lanes: int, family: int) -> str:
    """How each measure of a family stands in lanes of that kind, as `struct` writes it."""
    count, amount = _WIDTHS_OF_LANES[lanes]
    return "".join(amount if name.endswith(("_ms", "_s2", "_milli", "_milli2")) else count for name in FAMILIES[family])


_VECTORS: Final = tuple(tuple(Struct("<" + _codes(lanes, family)) for family in range(len(FAMILIES))) for lanes in range(_WIDEST + 1))
_TAKEN: Final = tuple(
    tuple(
        int.from_bytes(b"".join(bytes(Struct(code).size - 1) + b"\xff" for code in _codes(lanes, family)), "little")
        for family in range(len(FAMILIES))
    )
    for lanes in range(_WIDEST)
)
"""The highest bytes of the lanes of a vector."""


class Cell(NamedTuple):
    """What a vector of measures belongs to within a partner."""

    family: int
    queue: str | None
    channel: str | None
    within_ms: int
    short_ms: int


class SideCell(Cell):
    """All of one scope, such as `site=lisbon`, whatever the queue and channel, which are None: see `streams.engine.sides`.

    A sixth element holds the scope: others stay as short as they are, since their hash is taken with every event.
    """

    __slots__ = ()

    def __new__(cls, family: int, queue: None, channel: None, within_ms: int, short_ms: int, side: str) -> Self:
        """As rows have it, and copies are made of it."""
        return _new(cls, (family, queue, channel, within_ms, short_ms, side))

    def __repr__(self) -> str:
        """As it is made."""
        return f"SideCell{tuple(self)}"

    @property
    def side(self) -> str:
        """As `str` of a `models.windows.Scope`."""
        return str(tuple.__getitem__(self, _PLAIN_FIELDS))


_PLAIN_FIELDS: Final = len(Cell._fields)
_new: Final = tuple.__new__  # a third of the time of the generated constructor, a million times at a start

Cells = dict[Cell, int]
"""Packed measures (`streams.engine.lanes`) by cell."""
CellBins = dict[Cell, Bins]


_NO_BINS: Final[Bins] = {}


def add_cells(into: Cells, cells: Cells) -> None:
    """Add cells to others."""
    for cell, packed in cells.items():
        into[cell] = into.get(cell, 0) + packed


def subtract_cells(of: Cells, cells: Cells) -> None:
    """Take cells off others; what becomes zero throughout is removed."""
    for cell, packed in cells.items():
        left = of.get(cell, 0) - packed
        if left:
            of[cell] = left
        else:
            of.pop(cell, None)


@lru_cache(maxsize=65_536)
def _name(cell: Cell) -> bytes:
    """How a head names a cell."""
    return rows.kept([*cell])


@lru_cache(maxsize=65_536)
def _one(cell: Cell) -> Cell:
    """The first cell that was equal: thousands of heads name the same few."""
    return cell


@lru_cache(maxsize=4_096)
def _places(lanes: int, head: bytes) -> tuple[int, tuple[tuple[Cell, int, int], ...]]:
    """How long all vectors are, and each cell with where its own begins and ends; its writer may have known fewer measures."""
    widths, *named = orjson.loads(head)
    at, places = 0, []
    for each in named:
        cell = _one(_cell(each))
        end = at + Struct("<" + _codes(lanes, cell.family)[: widths[cell.family]]).size
        places.append((cell, at, end))
        at = end
    return at, tuple(places)


def _cell(listed: list[Any]) -> Cell:
    """As `_name` writes it."""
    return _new(Cell if len(listed) == _PLAIN_FIELDS else SideCell, listed)


def ordered(vectors: Mapping[Cell, Sequence[int]]) -> list[tuple[bytes, Cell, Sequence[int]]]:
    """Cells and vectors in the order in which rows hold them, each with how a head names it."""
    return sorted([(_name(cell), cell, vector) for cell, vector in vectors.items()])


def encode(vectors: Mapping[Cell, Sequence[int]], bins: Mapping[Cell, Bins]) -> tuple[bytes, ...]:
    """The values of a pane's rows, one a chunk, from vectors of shape (WIDTHS[family],) and what of their durations was binned."""
    named = ordered(vectors)
    found, at = [], 0
    while at < len(named):
        own = [bins.get(cell, _NO_BINS) for _, cell, _ in named[at : at + CELLS_A_ROW]]
        total = 0
        taken = max(1, sum((total := total + len(each)) <= _BINS_A_ROW for each in own))
        found.append(_encode(named[at : at + taken], own[:taken] if total else []))
        at += taken
    return tuple(found)


def _encode(named: list[tuple[bytes, Cell, Sequence[int]]], bins: Sequence[Bins]) -> bytes:
    lanes, packed = next((lanes, packed) for lanes in range(_WIDEST + 1) if (packed := _pack(named, lanes)) is not None)
    head = b"[%s,%s]" % (orjson.dumps(WIDTHS), b",".join([name for name, _, _ in named]))
    if any(bins):
        return b"".join((rows.PREFIX, _START.pack(lanes | _WITH_BINS, len(head)), head, *packed, sections.pack(bins)))
    return b"".join((rows.PREFIX, _START.pack(lanes, len(head)), head, *packed))


def _pack(named: list[tuple[bytes, Cell, Sequence[int]]], lanes: int) -> list[bytes] | None:
    """The vectors in lanes of that kind; None if one does not fit."""
    structs = _VECTORS[lanes]
    try:
        packed = [structs[cell.family].pack(*vector) for _, cell, vector in named]
    except error:
        return None
    if lanes != _WIDEST:
        taken, from_bytes = _TAKEN[lanes], int.from_bytes
        for each, (_, cell, _) in zip(packed, named, strict=True):
            if from_bytes(each, "little") & taken[cell.family]:
                return None
    return packed


def decode(values: Iterable[bytes]) -> Cells:
    """The sum of the cells of rows, of one pane or of many; vectors of an older layout end early, and nothing was counted beyond.

    Raises:
        ValueError, TypeError, LookupError, struct.error: if one does not hold.
    """
    cells: Cells = {}
    remaining = iter(values)
    while some := list(islice(remaining, _SUMMED_AT_ONCE)):
        _add_rows(cells, some)
    return cells


def named(values: Iterable[bytes]) -> set[Cell]:
    """The cells that rows hold, without what was counted in them; raises as `decode` does."""
    heads: set[tuple[int, bytes]] = set()
    older: list[bytes] = []
    for value in values:
        if value[0] == 1:
            older.append(value)
            continue
        lanes, size = _START.unpack_from(value, rows.PREFIX_BYTES)
        heads.add((lanes & ~_WITH_BINS, value[_HEAD_AT : _HEAD_AT + size]))
    return {cell for head in heads for cell, _, _ in _places(*head)[1]}.union(decode(older))


def decode_bins(values: Iterable[bytes]) -> CellBins:
    """The bins of the rows of one pane; raises as `decode` does."""
    found: CellBins = {}
    for value in values:
        if value[0] == 1:
            continue
        lanes, size = _START.unpack_from(value, rows.PREFIX_BYTES)
        if lanes & _WITH_BINS:
            places = _places(lanes ^ _WITH_BINS, value[_HEAD_AT : _HEAD_AT + size])[1]
            own = sections.unpack(value[-sections.length(value) :], len(places))
            found.update({cell: bins for (cell, _, _), bins in zip(places, own, strict=True) if bins})
    return found


def _add_rows(cells: Cells, values: list[bytes]) -> None:
    summed: dict[tuple[int, bytes], int] = {}
    unpack_from, from_bytes, begin, head_at = _START.unpack_from, int.from_bytes, rows.PREFIX_BYTES, _HEAD_AT
    for value in values:
        if value[0] == 1:
            add_cells(cells, _decode_lists(value))
            continue
        lanes, size = unpack_from(value, begin)
        at, end = head_at + size, len(value)
        if lanes & _WITH_BINS:
            lanes, end = lanes ^ _WITH_BINS, end - sections.length(value)
        packed = from_bytes(value[at:end], "little")
        if lanes == _WIDEST:  # Its lanes may be full: it is not to be added to others.
            _widen(cells, lanes, _taken_apart({(lanes, value[head_at:at]): packed})[lanes])
            continue
        which = lanes, value[head_at:at]
        summed[which] = summed.get(which, 0) + packed
    for lanes, sums in enumerate(_taken_apart(summed)):
        _widen(cells, lanes, sums)


def _taken_apart(summed: Mapping[tuple[int, bytes], int]) -> list[Cells]:
    """By kind of lanes, the vectors of each cell, still in such lanes."""
    found: list[Cells] = [{} for _ in _VECTORS]
    for (lanes, head), packed in summed.items():
        size, places = _places(lanes, head)
        into = found[lanes]
        if len(places) == 1:
            ((cell, _, _),) = places
            into[cell] = into.get(cell, 0) + packed
            continue
        flat = packed.to_bytes(size, "little")
        for cell, start, end in places:
            into[cell] = into.get(cell, 0) + int.from_bytes(flat[start:end], "little")
    return found


def _widen(cells: Cells, lanes: int, sums: Cells) -> None:
    """Add vectors in narrow lanes; measures that nobody knew of yet are zeros at their end."""
    for cell, packed in sums.items():
        vector = _VECTORS[lanes][cell.family]
        cells[cell] = cells.get(cell, 0) + pack(cell.family, vector.unpack(packed.to_bytes(vector.size, "little")))


def _decode_lists(value: bytes) -> Cells:
    """A row of format 1."""
    cells: Cells = {}
    for listed in rows.unpack(["pane"], value):
        cell, vector = _cell(listed[:5]), listed[5:]
        cells[cell] = pack(cell.family, [*vector, *[0] * (WIDTHS[cell.family] - len(vector))])
    return cells
