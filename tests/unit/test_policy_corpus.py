"""Each thing that a linter can say has a tiny file that makes it say so."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from models.errors import FileError
from models.finding import Finding
from models.policy_file import lint
from streams.trial.suite_file import read_suite

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
Place = tuple[str, int]
READ_BY = ("durations", "hours", "inhibition", "policy_spec", "policy_types", "yaml_file")
"""The modules whose fields refuse what is written there."""
OF_A_TIME = {"_lint_coverage"}
"""What is told of the days from now on, of which no file can be an example: tests/unit/test_oncall.py."""
SLOW = "rotation_rule_never.yaml"
"""A recurrence that is looked for over centuries, and says nothing of fields."""
LIMITS = {"is too large or too deep", "characters"}
"""Of what is told of files that are not tiny."""


def places(sources: Iterator[Path]) -> set[Place]:
    """Where a finding is made, as (file, line)."""
    return {
        (str(source.relative_to(ROOT)), node.lineno)
        for source in sources
        for of in ast.walk(ast.parse(source.read_text()))
        if isinstance(of, ast.FunctionDef) and of.name not in OF_A_TIME
        for node in ast.walk(of)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"
    }


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> set[Place]:
    """Where a finding was made, as the test goes on."""
    seen: set[Place] = set()
    make: Callable[..., None] = Finding.__init__

    def told(self: Finding, *args: object, **kwargs: object) -> None:
        caller = sys._getframe(1)
        seen.add((str(Path(caller.f_code.co_filename).relative_to(ROOT)), caller.f_lineno))
        make(self, *args, **kwargs)

    monkeypatch.setattr(Finding, "__init__", told)
    return seen


def test_every_finding_about_a_policy_has_a_file(found: set[Place]) -> None:
    for file in (DATA / "policies").glob("*.yaml"):
        lint(file.read_text(), file.name)
    assert sorted(places((ROOT / "models").rglob("*.py")) - found) == []


def test_every_finding_about_a_file_of_tests_has_a_file(found: set[Place]) -> None:
    for file in (DATA / "rule_tests").glob("*.yaml"):
        with pytest.raises(FileError):
            read_suite(file, file.name)
    assert sorted(places((ROOT / "streams" / "trial").rglob("*.py")) - found) == []


def refusals() -> Iterator[tuple[Place, str]]:
    """Where these modules raise, or tell a problem, and the text of it."""
    for name in READ_BY:
        source = ROOT / "models" / f"{name}.py"
        text = source.read_text()
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Raise | ast.Call):
                continue
            said = ast.unparse(node)
            if said.startswith(("raise ValueError(", "raise FileError(", "self.problems.append(")):
                yield (str(source.relative_to(ROOT)), node.lineno), said


def test_every_refusal_of_a_field_or_of_the_yaml_has_a_file() -> None:
    seen: set[Place] = set()
    files = {str(ROOT / "models" / f"{name}.py") for name in READ_BY}

    def trace(frame: FrameType, _: str, __: object) -> Any:
        return line if frame.f_code.co_filename in files else None

    def line(frame: FrameType, _: str, __: object) -> Any:
        seen.add((str(Path(frame.f_code.co_filename).relative_to(ROOT)), frame.f_lineno))
        return line

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for file in (DATA / "policies").glob("*.yaml"):
            if file.name != SLOW:
                lint(file.read_text(), file.name)
    finally:
        sys.settrace(before)
    missing = {place for place, text in refusals() if not any(limit in text for limit in LIMITS)} - seen
    assert sorted(missing) == []
