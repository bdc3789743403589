"""Log files row by row: CSV with a header, JSON Lines, or Parquet. Nothing is held but the row, or a few."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson

from models.errors import FileError, Problem
from models.mapping import Mapping
from models.mapping_file import check_columns
from models.mapping_row import Dropped, DropReason, Place
from streams.replay.parquet import PARQUET, read_parquet

__all__ = ["JSON", "LogFile", "Row", "read_rows"]

Row = dict[str, Any]

JSON: Final = frozenset({".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log and the date that holds for all of it; None where its rows carry their own."""

    path: Path
    day: date | None

    @classmethod
    def of(cls, path: Path, mapping: Mapping, day: date | None) -> "LogFile":
        """The log at `path`; `day`, an option of the command, goes before what the mapping says.

        Raises:
            FileError: if it is no file, or its name does not hold the date that the mapping looks for there.
        """
        if not path.is_file():
            raise FileError([Problem(str(path), 1, "(file)", "is no file", "name a CSV or JSON Lines file")])
        source = mapping.date
        if day is not None or source is None:
            return cls(path, day)
        if source.file_name is None:
            return cls(path, source.day)
        try:
            return cls(path, datetime.strptime(path.name, source.file_name).date())  # noqa: DTZ007 - a date has no zone
        except ValueError:
            what = f"the name is not like date.file_name of the mapping: {source.file_name}"
            raise FileError([Problem(str(path), 1, "(file)", what, "rename the file, correct the mapping, or give --date")]) from None


def read_rows(log: LogFile, mapping: Mapping) -> Iterator[tuple[Place, Row | Dropped]]:
    """The rows of a log with their places.

    Raises:
        FileError: if the header lacks a column that the mapping names, or the file is not UTF-8.
    """
    name = str(log.path)
    if log.path.suffix.lower() in PARQUET:
        yield from read_parquet(log.path)
        return
    try:
        with log.path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _json_rows(lines, name) if log.path.suffix.lower() in JSON else _csv_rows(lines, name, mapping)
    except UnicodeDecodeError as error:
        raise FileError([Problem(name, 1, "(file)", f"is not UTF-8: {error.reason}", "save it as UTF-8")]) from None


def _csv_rows(lines: IO[str], name: str, mapping: Mapping) -> Iterator[tuple[Place, Row | Dropped]]:
    reader = csv.reader(lines)
    header = [column.strip() for column in next(reader, [])]
    check_columns(mapping, header, name)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Place(name, line), Dropped(DropReason.MALFORMED, str(error))
            continue
        if not values:
            continue
        if len(values) != len(header):
            yield Place(name, line), Dropped(DropReason.MALFORMED, f"{len(values)} values under {len(header)} columns")
            continue
        yield Place(name, line), dict(zip(header, values, strict=True))


def _json_rows(lines: IO[str], name: str) -> Iterator[tuple[Place, Row | Dropped]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield Place(name, number), Dropped(DropReason.MALFORMED, str(error))
            continue
        yield Place(name, number), row if isinstance(row, dict) else Dropped(DropReason.MALFORMED, "no JSON object")
