"""YAML files that people write: plain data, with the line of every field for what is wrong with it.

YAML 1.2 without tags of its own; a key stands once. Everything wrong with a file is told at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from models.errors import FileError, Problem

__all__ = ["Document", "Path", "field_name", "read_yaml", "suggest"]

Path = tuple[str | int, ...]
"""Where a field stands: keys and 0-based positions from the top."""

MAX_CHARACTERS: Final = 2_000_000
MAX_NODES: Final = 200_000
"""Of the tree with its aliases followed, so that a small file cannot stand for a huge one."""
MAX_DEPTH: Final = 32
_SHOWN_MAX: Final = 20
"""Of the names that there are, where none is like the one that was written."""

COLLECTIONS: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True, slots=True)
class Document:
    """A file as plain data (None, bool, int, float, str, list, dict with str keys) and the line of each of its fields."""

    file: str
    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of the field at `path`, or of the nearest one around it that is there; counted from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str, remedy: str, level: Literal["error", "warning"] = "error") -> Problem:
        """What is wrong with the field at `path`."""
        return Problem(self.file, self.line(path), field_name(path), message, remedy, level)

    def problems(self, error: ValidationError, at: Path = (), known: Collection[str] = ()) -> list[Problem]:
        """Everything that pydantic found wrong with the part of the file at `at`; unknown fields may have meant a `known` one."""
        found = error.errors(include_url=False)
        # What does not read is not counted, so that a list would be called too short for what is wrong with its items.
        within = {each["loc"][:depth] for each in found for depth in range(len(each["loc"]))}
        return [self._problem(at, each, known) for each in found if each["type"] != "too_short" or each["loc"] not in within]

    def _path(self, at: Path, details: ErrorDetails) -> Path:
        """Where it stands: pydantic also names the branches of what may read in several ways, which stand in no file."""
        path, missing = at, details["type"] == "missing"
        for number, part in enumerate(details["loc"], 1):
            if (*path, part) in self.lines or (missing and number == len(details["loc"])):
                path = (*path, part)
        return path

    def _problem(self, at: Path, details: ErrorDetails, known: Collection[str]) -> Problem:
        path = self._path(at, details)
        match details["type"]:
            case "missing":
                return self.problem(path, "is missing", "add it")
            case "extra_forbidden":
                return self.problem(path, "is no field known here", suggest(str(path[-1]), known, "remove it or correct its spelling"))
            case "literal_error" | "enum":
                return self.problem(path, f"{details['input']!r} is not one of them", f"write {details['ctx']['expected']}")
            case "value_error":
                message, _, remedy = str(details["ctx"]["error"]).partition(" (")
                return self.problem(path, message, remedy.removesuffix(")") or "correct it")
            case "model_type" | "model_attributes_type" | "dict_type" if path == ():
                return self.problem(path, "is empty" if details["input"] is None else "holds no fields", "begin with version: 1")
            case _:
                message = details["msg"][0].lower() + details["msg"][1:]
                return self.problem(path, message, f"replace {_short(details['input'])}")


def field_name(path: Path) -> str:
    """`rules[2].levels[0].enter`; `(file)` for the whole."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "(file)"


def suggest(name: str, known: Collection[str], otherwise: str | None = None) -> str:
    """What to do about a name that is not `known`: write the one that it resembles, or else `otherwise` or any of them."""
    close = [each for each in get_close_matches(name, known, 2) if each != name]
    if close or otherwise:
        return f"write {close[0]}" if close else str(otherwise)
    shown = [*known][:_SHOWN_MAX]
    more = f" or {len(known) - len(shown)} others" if len(known) > len(shown) else ""
    return f"write one of {', '.join(shown)}{more}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - about what a terminal shows beside the rest


class _Reader:
    """Walks the tree of a file once."""

    def __init__(self, file: str, yaml: YAML) -> None:
        self.file = file
        self.yaml = yaml
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def value(self, node: Node, path: Path) -> Any:  # noqa: ANN401 - a file holds anything
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise FileError([Problem(self.file, node.start_mark.line + 1, field_name(path), "is too large or too deep", "split the file")])
        self.lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, ScalarNode) and node.tag not in COLLECTIONS:
            self.problems.append(Problem(self.file, node.start_mark.line + 1, field_name(path), f"has the tag {node.tag}", "remove it"))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(each, (*path, at)) for at, each in enumerate(node.value)]
        data = self.yaml.constructor.construct_object(node)
        # What JSON does not have, such as a date, stays the text that it is in the file.
        return data if data is None or isinstance(data, bool | int | float | str) else node.value

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.problems.append(Problem(self.file, line, field_name(path), "has a key that is no text", "write a plain name"))
            elif key.value in data:
                message = f"stands twice, first in line {self.lines[here]}"
                self.problems.append(Problem(self.file, line, field_name(here), message, "keep one of them"))
            else:
                self.lines[here] = line
                data[key.value] = self.value(value, here)
        return data


def read_yaml(text: str, file: str) -> Document:
    """Read YAML `text` of the file called `file`.

    Raises:
        FileError: with every problem, if it is not YAML, a key stands twice, or it is too large.
    """
    if len(text) > MAX_CHARACTERS:
        raise FileError([Problem(file, 1, "(file)", f"has more than {MAX_CHARACTERS} characters", "split the file")])
    yaml = YAML(typ="safe", pure=True)
    reader = _Reader(file, yaml)
    try:
        node = yaml.compose(text)
        data = None if node is None else reader.value(node, ())
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise FileError([Problem(file, line, "(file)", str(error.problem), "correct the YAML")]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        message = str(error).partition("\n")[0] or type(error).__name__
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise FileError([Problem(file, line, "(file)", message, "correct the YAML")]) from None
    if reader.problems:
        raise FileError(reader.problems)
    return Document(file, data, reader.lines)
