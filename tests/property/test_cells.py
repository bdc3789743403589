"""Rows of panes: what is written comes back, whatever was counted, in however many rows, by whichever release."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.bins import Bins
from models.measures import WIDTHS
from streams.engine import rows
from streams.engine.cells import CELLS_A_ROW, Cell, Cells, add_cells, decode, decode_bins, encode
from streams.engine.lanes import pack, vector_of

names = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
places = st.builds(Cell, st.integers(0, len(WIDTHS) - 1), names, names, st.integers(0, 60_000), st.integers(0, 60_000))
counted = st.lists(st.sampled_from([0, 0, 1, 7, 255, 256, 70_000, 2**24, 2**40, 2**62]), max_size=max(WIDTHS))


@st.composite
def panes(draw: st.DrawFn) -> Cells:
    """What a pane may hold."""
    found = draw(st.sets(places, max_size=4))
    return {cell: pack(cell.family, (draw(counted) + [0] * WIDTHS[cell.family])[: WIDTHS[cell.family]]) for cell in found}


def rows_of(cells: Cells) -> tuple[bytes, ...]:
    return encode({cell: vector_of(cell.family, packed) for cell, packed in cells.items()}, {})


@settings(deadline=None, max_examples=50)
@given(panes())
def test_what_is_encoded_is_decoded(cells: Cells) -> None:
    assert decode(rows_of(cells)) == cells


@settings(deadline=None, max_examples=50)
@given(st.lists(panes(), max_size=3))
def test_rows_decoded_together_are_the_sum_of_rows_decoded_alone(several: list[Cells]) -> None:
    summed: Cells = {}
    for cells in several:
        add_cells(summed, cells)
    assert decode(value for cells in several for value in rows_of(cells)) == summed


binned = st.dictionaries(st.integers(0, 4 * 4096 - 1), st.sampled_from([1, 2, 255, 256, 70_000, 2**40]), max_size=5)


@settings(deadline=None, max_examples=50)
@given(panes(), st.lists(binned, min_size=4, max_size=4))
def test_bins_stand_behind_the_cells_of_their_row(cells: Cells, several: list[Bins]) -> None:
    bins = dict(zip(cells, several, strict=False))
    values = encode({cell: vector_of(cell.family, packed) for cell, packed in cells.items()}, bins)
    assert decode(values) == cells
    assert decode_bins(values) == {cell: each for cell, each in bins.items() if each}


def test_cells_of_many_bins_are_written_in_chunks_below_256_kb() -> None:
    cells = {Cell(0, str(number) * 40, None, 1, 1): 1 for number in range(100)}
    bins = {cell: dict.fromkeys(range(1_000), 2**40) for cell in cells}
    values = encode({cell: vector_of(cell.family, packed) for cell, packed in cells.items()}, bins)
    assert max(map(len, values)) < 256 * 1024
    assert (decode(values), decode_bins(values)) == (cells, bins)


def test_the_order_in_which_cells_were_counted_does_not_show() -> None:
    first, second = Cell(0, "a", None, 1, 1), Cell(1, "a", None, 0, 0)
    assert rows_of({first: 1, second: pack(1, [2] * WIDTHS[1])}) == rows_of({second: pack(1, [2] * WIDTHS[1]), first: 1})


def test_many_cells_are_written_in_chunks() -> None:
    cells = {Cell(0, str(number), None, 1, 1): number + 1 for number in range(2 * CELLS_A_ROW + 1)}
    values = rows_of(cells)
    assert len(values) == 3
    assert decode(values) == cells


def test_vectors_of_a_release_that_knew_fewer_measures_are_read() -> None:
    head = b'[[2,1],[0,"a",null,1,1],[1,null,null,0,0]]'
    value = rows.PREFIX + bytes((0,)) + len(head).to_bytes(4, "little") + head + bytes((5, 0, 6, 0)) + bytes((7, 0))
    found = {cell: vector_of(cell.family, packed) for cell, packed in decode((value,)).items()}
    assert found == {
        Cell(0, "a", None, 1, 1): (5, 6) + (0,) * (WIDTHS[0] - 2),
        Cell(1, None, None, 0, 0): (7,) + (0,) * (WIDTHS[1] - 1),
    }


def test_more_rows_than_may_be_added_at_once_are_summed_without_a_lane_reaching_into_the_next() -> None:
    cell = Cell(0, "a", None, 1, 1)
    (value,) = encode({cell: [255] * WIDTHS[0]}, {})
    assert len(value) < 120, "the narrowest lanes, full"
    assert decode([value] * 1_000) == {cell: pack(0, [255_000] * WIDTHS[0])}
