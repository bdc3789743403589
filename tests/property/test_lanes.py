"""Packed measures add and subtract as their vectors do, in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.measures import OFFSETS, SIZE, WIDTHS, Family
from streams.engine.lanes import pack, unpack, vector_of

MEASURE = st.integers(0, 2**63 - 1)


FLAT = [family for family in Family if family is not Family.CUSTOM]
"""Those that stand in the flat vector."""


def vectors(family: Family) -> st.SearchStrategy[list[int]]:
    return st.lists(MEASURE, min_size=WIDTHS[family], max_size=WIDTHS[family])


@given(st.tuples(*(vectors(family) for family in FLAT)))
def test_each_family_stands_at_its_place_in_the_flat_vector(counted: tuple[list[int], ...]) -> None:
    packed = sum(pack(family, vector) for family, vector in zip(FLAT, counted, strict=True))
    flat = [measure for vector in counted for measure in vector]
    assert list(unpack(packed)) == flat
    assert len(flat) == SIZE
    for family, vector in zip(FLAT, counted, strict=True):
        assert flat[OFFSETS[family] :][: len(vector)] == vector
        assert list(vector_of(family, packed)) == vector


@given(vectors(Family.SURVEYS), vectors(Family.SURVEYS))
def test_what_is_subtracted_before_it_is_added_is_gone_in_the_end(some: list[int], more: list[int]) -> None:
    left = -pack(Family.SURVEYS, some) + pack(Family.SURVEYS, more) + pack(Family.SURVEYS, some)
    assert list(vector_of(Family.SURVEYS, left)) == more


def test_more_subtracted_than_added_is_an_error_and_not_a_figure() -> None:
    ones = pack(Family.INTERACTIONS, [1] * WIDTHS[Family.INTERACTIONS])
    with pytest.raises(OverflowError):
        unpack(ones - 2 * ones)
