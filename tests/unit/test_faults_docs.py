"""`docs/faults.md` names, for every fault of its table, tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "faults.md").read_text().partition("| # | fault |")[2].partition("\n\n")[0]
ROWS = dict(re.findall(r"^\| (\d+) \| (.+) \|$", TABLE, re.MULTILINE))


def test_every_fault_has_a_row() -> None:
    assert list(ROWS) == [str(number) for number in range(1, 22)]


def test_every_row_names_tests_that_exist() -> None:
    for number, row in ROWS.items():
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.split(" | ")[1])
        assert named, f"row {number} names no test"
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(), f"row {number}: {path}::{name}"


def test_every_row_says_what_holds_and_what_a_user_sees() -> None:
    assert {number: len(row.split(" | ")) for number, row in ROWS.items()} == dict.fromkeys(ROWS, 4)
