"""Mapping files: the example holds, and what is wrong with one is said by line."""

from pathlib import Path

import pytest

from models.errors import FileError
from models.mapping_file import check_columns, example_mapping, load_mapping
from tests.calls import COLUMNS

BAD = sorted((Path(__file__).parents[1] / "data" / "mappings").glob("*.yaml"))


def test_the_example_fits_the_log_it_is_for() -> None:
    mapping = load_mapping(example_mapping(), "example.yaml")
    check_columns(mapping, COLUMNS, "calls.csv")
    check_columns(mapping, [*reversed(COLUMNS), "another"], "calls.csv")


def test_what_the_example_offers_in_comments_holds_too() -> None:
    text = example_mapping()
    options = [
        line for line in text.splitlines() if line.lstrip().startswith(("# date: ", "# queue: ", "# customer_key: ", "# resolved: "))
    ]
    assert len(options) == 6
    for option in options:
        load_mapping(text.replace(option, option.replace("# ", "", 1)), "example.yaml")


@pytest.mark.parametrize(("name", "offered"), [("tickets", 3), ("surveys", 2)])
def test_the_other_examples_hold_with_and_without_what_they_offer(name: str, offered: int) -> None:
    text = example_mapping(name)
    load_mapping(text, "example.yaml")
    options = [
        line for line in text.splitlines() if line.lstrip().startswith(("# activity: ", "# reason: ", "# agent_id: ", "# customer_key: "))
    ]
    assert len(options) == offered
    for option in options:
        load_mapping(text.replace(option, option.replace("# ", "", 1)), "example.yaml")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_file_line_and_remedy(path: Path) -> None:
    with pytest.raises(FileError) as refused:
        load_mapping(path.read_text(), path.name)
    line = int(path.stem.rpartition("_")[2])
    problem = refused.value.problems[0]
    assert (problem.file, problem.line) == (path.name, line)
    assert problem.message
    assert problem.remedy


def test_a_log_without_a_column_is_refused_with_the_place_that_names_it() -> None:
    mapping = load_mapping(example_mapping(), "example.yaml")
    columns = [column for column in COLUMNS if column not in ("q_exit", "call_id")]
    with pytest.raises(FileError) as refused:
        check_columns(mapping, columns, "calls.csv")
    assert {(problem.field, problem.line) for problem in refused.value.problems} == {("q_exit", 1), ("call_id", 1)}
    assert "call.queue.end of the mapping" in str(refused.value)


def test_a_log_with_a_column_twice_is_refused() -> None:
    mapping = load_mapping(example_mapping(), "example.yaml")
    with pytest.raises(FileError, match="call_id: stands twice"):
        check_columns(mapping, [*COLUMNS, "call_id"], "calls.csv")
