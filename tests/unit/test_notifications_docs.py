"""The page on notifications names every receiver, outcome and call-back, and its example holds."""

import re
from pathlib import Path

from models.notifications import Outcome
from models.policy_file import lint
from models.receivers import RECEIVERS
from streams.notifier import callbacks, digests

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
NAMED = set(re.findall(r"^\| `/?(\w+)` \|", PAGE, re.MULTILINE))


def test_each_receiver_outcome_and_path_is_told_and_none_that_is_not_there() -> None:
    assert set(RECEIVERS) | {outcome.value for outcome in Outcome} | set(callbacks._READERS) == NAMED


def test_the_example_holds_and_shows_every_receiver() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert [str(problem) for problem in lint(example, "example.yaml", 0)] == []
    assert set(re.findall(r"type: (\w+)", example)) == set(RECEIVERS)


def test_the_limit_of_pages_is_that_of_the_code() -> None:
    assert f"at most {digests.PAGES_MAX} pages in {digests.PAGES_SPAN_MS // 60_000} minutes" in PAGE
