"""Frames packed once for everybody who is told them: pieces of an endless gzip stream that know nothing of each other.

A stream packed as a whole has a state for each viewer, so that each frame would be packed as often as there are viewers. A piece refers to
nothing before it and ends on the border of a byte (RFC 1951, an empty stored block), so that any pieces make a stream in any order. The
stream has no end of its own: a viewer's reader takes a connection that ends for the end.
"""

import zlib
from typing import Final

__all__ = ["BEGIN", "piece"]

BEGIN: Final = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""What a gzip stream begins with (RFC 1952): packed by deflate, without a name or a time, on an unknown system."""
_QUICKEST: Final = 1


def piece(data: bytes) -> bytes:
    """`data` packed, to stand anywhere in a stream behind `BEGIN`."""
    packing = zlib.compressobj(level=_QUICKEST, wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush(zlib.Z_FULL_FLUSH)
