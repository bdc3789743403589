"""Packed measures add and subtract as their vectors do, in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.measures import OFFSETS, SIZE, WIDTHS, Family
from streams.engine.lanes import pack, unpack, vector_of

MEASURE = st.integers(0, 2**63 - 1)


def vectors(family: Family) -> st.SearchStrategy[list[int]]:
    return st.lists(MEASURE, min_size=WIDTHS[family], max_size=WIDTHS[family])


@given(vectors(Family.INTERACTIONS), vectors(Family.SURVEYS))
def test_each_family_stands_at_its_place_in_the_flat_vector(interactions: list[int], surveys: list[int]) -> None:
    packed = pack(Family.INTERACTIONS, interactions) + pack(Family.SURVEYS, surveys)
    assert list(unpack(packed)) == [*interactions, *surveys]
    assert (OFFSETS[Family.SURVEYS], SIZE) == (len(interactions), len(interactions) + len(surveys))
    assert list(vector_of(Family.INTERACTIONS, packed)) == interactions
    assert list(vector_of(Family.SURVEYS, packed)) == surveys


@given(vectors(Family.SURVEYS), vectors(Family.SURVEYS))
def test_what_is_subtracted_before_it_is_added_is_gone_in_the_end(some: list[int], more: list[int]) -> None:
    left = -pack(Family.SURVEYS, some) + pack(Family.SURVEYS, more) + pack(Family.SURVEYS, some)
    assert list(vector_of(Family.SURVEYS, left)) == more


def test_more_subtracted_than_added_is_an_error_and_not_a_figure() -> None:
    ones = pack(Family.INTERACTIONS, [1] * WIDTHS[Family.INTERACTIONS])
    with pytest.raises(OverflowError):
        unpack(ones - 2 * ones)
