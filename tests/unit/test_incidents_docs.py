"""The page on incidents: its example holds, and its commands are there."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.policy_file import lint
from streams.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text()
COMMANDS = re.findall(r"^    outwatch incident (\w+)", PAGE, re.MULTILINE)


def test_the_example_holds_without_a_word_from_the_linter() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert lint(example, "example.yaml") == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_the_page_is_there(name: str) -> None:
    assert CliRunner().invoke(app, ["incident", name, "--help"]).exit_code == 0


def test_the_page_has_every_command() -> None:
    told = CliRunner().invoke(app, ["incident", "--help"], env={"COLUMNS": "120", "TERM": "dumb"}).output
    assert {*COMMANDS} == {*re.findall(r"^[│ ]+(\w+)  ", told, re.MULTILINE)}
