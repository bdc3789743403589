"""The page on rotations: its example holds, and it names every command and every part of a rule."""

import re
from pathlib import Path

from models.policy_file import lint
from models.recurrence import PARTS
from streams.cli import oncall
from tests.rotations import ms

PAGE = (Path(__file__).parents[2] / "docs" / "oncall.md").read_text()


def test_the_example_holds_without_a_word_from_the_linter_and_covers_the_days_ahead() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert lint(example, "example.yaml", ms("2026-03-20T00:00")) == []


def test_each_command_is_told() -> None:
    there = {each.name or getattr(each.callback, "__name__", "") for each in oncall.app.registered_commands}
    assert set(re.findall(r"`outwatch oncall (\w+)", PAGE)) == there


def test_each_part_of_a_rule_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {name for parts in PARTS.values() for name in parts} - {"BYMINUTE"} <= told
