"""Rows of the state: how keys and values are written.

A key is a JSON array that begins with the kind of row. A value begins with one byte of format and one of layout (the version of
the measures' positions); JSON follows, or packed 64-bit hashes for seen ids, or what `streams.engine.cells` says for panes. A release
reads its own and the previous format (1: panes in JSON too); a newer row refuses the partition.
"""

from array import array
from collections.abc import Iterable
from typing import Any, Final

import orjson

from models.measures import LAYOUT
from streams.errors import CorruptRowError, NewerStateError

__all__ = [
    "FORMAT",
    "PREFIX",
    "PREFIX_BYTES",
    "Json",
    "check",
    "kept",
    "key",
    "pack",
    "pack_hashes",
    "unpack",
    "unpack_hashes",
    "unpack_key",
]

FORMAT: Final = 2
"""Of values; raised when what follows the two bytes changes its shape."""

Json = Any  # what orjson reads and writes
PREFIX: Final = bytes((FORMAT, LAYOUT))
PREFIX_BYTES: Final = len(PREFIX)


def key(*parts: str | int) -> bytes:
    """The key of a row, such as `["pane","acme",0,1760000000000,0]`."""
    return orjson.dumps(parts)


def kept(value: Json) -> bytes:
    """JSON that is to be held, in memory of its own size: what orjson gives keeps the 4 kB that it was written into."""
    return b"%b" % orjson.dumps(value)


def pack(value: Json) -> bytes:
    """A JSON value behind format and layout."""
    return PREFIX + orjson.dumps(value)


def pack_hashes(hashes: Iterable[int]) -> bytes:
    """64-bit hashes behind format and layout, 8 bytes each."""
    return PREFIX + array("Q", hashes).tobytes()


def unpack_key(raw: bytes) -> list[Any]:
    """The parts of a key.

    Raises:
        CorruptRowError: if it is not one.
    """
    try:
        parts = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        msg = f"a row's key is not JSON: {raw[:80]!r}"
        raise CorruptRowError(msg) from error
    if not isinstance(parts, list) or not parts:
        msg = f"a row's key is not an array: {raw[:80]!r}"
        raise CorruptRowError(msg)
    return parts


def unpack(row_key: list[Any], raw: bytes) -> Json:
    """The JSON value of a row.

    Raises:
        NewerStateError: if a newer release wrote it.
        CorruptRowError: if it cannot be read.
    """
    check(row_key, raw)
    try:
        return orjson.loads(memoryview(raw)[2:])
    except orjson.JSONDecodeError as error:
        msg = f"row {row_key} is not JSON behind its format: {raw[:80]!r}"
        raise CorruptRowError(msg) from error


def unpack_hashes(row_key: list[Any], raw: bytes) -> "array[int]":
    """The hashes of a row; raises as `unpack` does."""
    check(row_key, raw)
    hashes = array("Q")
    try:
        hashes.frombytes(raw[2:])
    except ValueError as error:
        msg = f"row {row_key} does not hold whole hashes: {len(raw)} bytes"
        raise CorruptRowError(msg) from error
    return hashes


def check(row_key: list[Any], raw: bytes) -> None:
    """See that a value is of a format and layout that this release reads; raises as `unpack` does."""
    if len(raw) < PREFIX_BYTES:
        msg = f"row {row_key} is shorter than its format"
        raise CorruptRowError(msg)
    if raw[0] > FORMAT or raw[1] > LAYOUT:
        msg = f"row {row_key} has format {raw[0]}, layout {raw[1]}; this release reads up to {FORMAT}, {LAYOUT}: run the newer release"
        raise NewerStateError(msg)
