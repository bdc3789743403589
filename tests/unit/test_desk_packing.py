"""Pieces of a packed stream: each is whole when it comes, whatever came before."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from desk.packing import BEGIN, piece


@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([b"event: now", b"data: {}" * 20_000])), min_size=1, max_size=8))
def test_pieces_are_read_as_they_come_in_any_order(frames: list[bytes]) -> None:
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    assert reader.decompress(BEGIN) == b""
    for frame in [*frames, *reversed(frames)]:
        assert reader.decompress(piece(frame)) == frame


def test_a_piece_of_what_is_alike_is_small() -> None:
    row = b'{"value":0.81,"numerator":81,"denominator":100,"n":100,"definition":"abandons_count_against, 20 s"},'
    assert len(piece(row * 1000)) < len(row * 1000) / 10
