"""Histories: events out of files, in the order of their times. CSV through a mapping; JSON Lines and Parquet also without one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from models.decode import ClockAdvanced, Rejection, SourceAlive, decode_run
from models.errors import FileError, Problem, TimeError
from models.mapping import Mapping
from models.mapping_row import EventDict
from models.times import EARLIEST_MS, to_ms
from streams.replay.log_file import JSON, LogFile
from streams.replay.order import dated, in_order
from streams.replay.parquet import PARQUET, read_parquet
from streams.replay.tally import Tally

__all__ = ["Progress", "Read", "Told", "mapped_events", "read_events", "told"]

_AT_ONCE: Final = 500
_new: Final = tuple.__new__  # a third of the time of the generated constructor
Progress = Callable[[int], None]
"""Is told of bytes that were read."""


class Told(NamedTuple):
    """An event."""

    at_ms: int
    partner: str
    value: bytes
    event: Any
    """As `models.decode` reads it."""


class Read:
    """What was read, and what of it is no event."""

    def __init__(self) -> None:
        self.events = 0
        self.left_out: dict[str, int] = {}
        """By reason."""

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count what is no event."""
        self.left_out[reason] = self.left_out.get(reason, 0) + count


def told(values: Iterator[bytes], read: Read) -> Iterator[Told]:
    """The events that `values` say, in their order."""
    while run := list(islice(values, _AT_ONCE)):
        for value, event in zip(run, decode_run(run), strict=True):
            if isinstance(event, Rejection):
                read.leave_out(event.reason)
                continue
            if isinstance(event, ClockAdvanced | SourceAlive):
                read.leave_out(event.type)
                continue
            at_ms = event.occurred_at
            if at_ms.__class__ is not int or at_ms < EARLIEST_MS:
                try:
                    at_ms = to_ms(at_ms)
                except TimeError:
                    read.leave_out("time")
                    continue
            read.events += 1
            yield _new(Told, (at_ms, event.partner_id, value, event))


def read_events(paths: Sequence[Path], read: Read, on_read: Progress) -> Iterator[Told]:
    """The canonical events of JSON Lines and Parquet files, put together by their times; each file is in about that order.

    Raises:
        FileError: if a file is of another kind.
    """
    for path in paths:
        if path.suffix.lower() not in JSON | PARQUET:
            problem = Problem(str(path), 1, "(file)", "is neither JSON Lines nor Parquet", "say with --mapping how its rows become events")
            raise FileError([problem])
    each = [told(_values(path, on_read), read) for path in paths]
    return each[0] if len(each) == 1 else merge(*each, key=lambda event: event.at_ms)


def _values(path: Path, on_read: Progress) -> Iterator[bytes]:
    if path.suffix.lower() in PARQUET:
        for _, row in read_parquet(path):
            yield orjson.dumps(_said(row))
        on_read(path.stat().st_size)
        return
    with path.open("rb") as lines:
        for line in lines:
            on_read(len(line))
            if line.strip():
                yield line.rstrip(b"\r\n")


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """An event: a column that holds nothing is a field that is not there."""
    return {name: value for name, value in row.items() if value is not None}


def mapped_events(
    paths: Sequence[Path], mapping: Mapping, day: date | None, secret: str | None, read: Read, on_read: Progress
) -> Iterator[Told]:
    """The events of logs, which are in the order of their dates.

    Raises:
        FileError: if a log does not hold.
        CustomerError: if the mapping makes customer keys and the secret is too short.
    """
    tally = Tally(mapping.zone)

    def rows() -> Iterator[tuple[date, EventDict]]:
        for path in paths:
            yield from dated([LogFile.of(path, mapping, day)], mapping, tally, secret)
            on_read(path.stat().st_size)

    yield from told(map(orjson.dumps, in_order(rows(), mapping.zone)), read)
    for reason, count in tally.dropped.items():
        read.leave_out(reason, count)
