"""Parquet files row by row, by DuckDB, which the extra `parquet` brings along: 24 MB, where pyarrow has 120."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from models.errors import FileError, Problem
from models.mapping_row import Place

__all__ = ["PARQUET", "read_parquet"]

PARQUET: Final = frozenset({".parquet", ".pq"})
_AT_ONCE: Final = 2_000


def read_parquet(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The rows with their places; times as RFC 3339 text, in UTC where the column has no zone, and decimals as numbers.

    Raises:
        FileError: if it is no Parquet file, or DuckDB is not installed.
    """
    try:
        import duckdb  # noqa: PLC0415 - an extra: only who reads such a file needs it
    except ImportError:
        problem = Problem(str(path), 1, "(file)", "is Parquet, which needs DuckDB", "pip install 'outwatch[parquet]'")
        raise FileError([problem]) from None
    with duckdb.connect() as connection:
        try:
            # With one thread rows come in the order of the file, and nothing beside the reader is kept busy.
            connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
            found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        except duckdb.Error as error:
            first = str(error).partition("\n")[0]
            raise FileError([Problem(str(path), 1, "(file)", f"cannot be read: {first}", "name a Parquet file")]) from None
        names = [each[0] for each in found.description or ()]
        line = 0
        while rows := found.fetchmany(_AT_ONCE):
            for row in rows:
                line += 1
                yield Place(str(path), line), {name: _plain(value) for name, value in zip(names, row, strict=True)}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
