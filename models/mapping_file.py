"""Mapping files: read, and held against the logs that they are for."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from pydantic import ValidationError

from models.errors import FileError, Problem
from models.mapping import Mapping
from models.yaml_file import read_yaml

__all__ = ["EXAMPLES", "check_columns", "example_mapping", "load_mapping"]

EXAMPLES: Final = ("mapping", "tickets", "surveys")
"""The commented mappings that ship with outwatch: of a log of calls, an export of tickets, and one of survey answers."""


def load_mapping(text: str, file: str) -> Mapping:
    """Read the mapping `text` of the file called `file`.

    Raises:
        FileError: with every problem, its line and field.
    """
    document = read_yaml(text, file)
    try:
        return Mapping.model_validate(document.data)
    except ValidationError as error:
        raise FileError(document.problems(error, known=Mapping.model_fields)) from None


def example_mapping(name: str = "mapping") -> str:
    """One of `EXAMPLES`, by default that of a log of calls."""
    return files("models").joinpath(f"example_{name}.yaml").read_text(encoding="utf-8")


def check_columns(mapping: Mapping, columns: Sequence[str], file: str) -> None:
    """Hold a log's header against the mapping; the order of the columns does not matter.

    Raises:
        FileError: naming every column that the mapping needs and the log does not have, and those that stand twice.
    """
    have = f"the log has {', '.join(columns)}"
    missing = [
        Problem(file, 1, column, f"no such column, which {place} of the mapping names", have)
        for column, place in mapping.columns().items()
        if column not in columns
    ]
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    twice = [Problem(file, 1, column, "stands twice in the header", "rename one") for column in repeated]
    if missing or twice:
        raise FileError([*missing, *twice])
