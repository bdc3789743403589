"""What docs/policies.md shows of rules is what `outwatch policy lint` lets through."""

import re
from pathlib import Path

import pytest

from models.policy_file import lint

TEXT = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
BLOCKS = [block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if re.search(r"^rules:", block, re.MULTILINE)]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_of_rules_lints(block: str) -> None:
    text = block if block.startswith("version:") else f"version: 1\n{block}"
    assert [str(problem) for problem in lint(text, "docs/policies.md")] == []


def test_there_are_examples() -> None:
    assert BLOCKS
