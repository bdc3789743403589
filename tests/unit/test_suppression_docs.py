"""The page on suppression names every reason, and its examples hold."""

import re
from pathlib import Path

from models.policy_file import lint
from models.reasons import SuppressReason

PAGE = (Path(__file__).parents[2] / "docs" / "suppression.md").read_text()


def test_each_reason_is_told_and_none_that_is_not_there() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == {reason.value for reason in SuppressReason}


def test_the_examples_hold_without_a_word_from_the_linter() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert [lint(example, "example.yaml") for example in examples] == [[], []]
