from pathlib import Path

import orjson
import pytest
from typer import Typer
from typer.testing import CliRunner

from models.errors import PolicyError
from streams.cli import policy
from streams.cli.exits import Exit, explain

BAD = Path(__file__).parent.parent / "data" / "policies"

app = Typer()
app.add_typer(policy.app, name="policy")
app.command()(policy.init)
cli = CliRunner()


def test_what_init_writes_is_without_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert cli.invoke(app, ["init", str(file)]).exit_code == Exit.OK
    checked = cli.invoke(app, ["policy", "lint", str(file)])
    assert (checked.exit_code, checked.output) == (Exit.OK, f"{file}: no errors, no warnings\n")


def test_init_replaces_a_file_only_when_told_to(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    refused = cli.invoke(app, ["init", str(file)])
    assert (refused.exit_code, file.read_text()) == (Exit.PROBLEMS, "mine")
    assert "--force" in refused.output
    assert cli.invoke(app, ["init", str(file), "--force"]).exit_code == Exit.OK
    assert file.read_text().startswith("# A policy of outwatch")


def test_init_into_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    refused = cli.invoke(app, ["init", str(tmp_path / "no" / "policy.yaml")])
    assert (refused.exit_code, "cannot be written" in refused.output) == (Exit.PROBLEMS, True)


def test_lint_names_file_line_and_field_and_ends_with_1() -> None:
    file = BAD / "threshold_percent.yaml"
    checked = cli.invoke(app, ["policy", "lint", str(file)])
    assert checked.exit_code == Exit.PROBLEMS
    assert f"{file}:8: error: rules[0].levels[0].enter: 80 is no value of service_level" in checked.output
    assert checked.output.endswith(f"{file}: 2 errors, no warnings\n")


def test_a_warning_alone_is_told_and_passes() -> None:
    file = BAD / "runbook_missing.yaml"
    checked = cli.invoke(app, ["policy", "lint", str(file)])
    assert (checked.exit_code, checked.output.endswith("no errors, 1 warning\n")) == (Exit.OK, True)


def test_lint_as_json_has_every_problem_by_field() -> None:
    checked = cli.invoke(app, ["policy", "lint", "--json", str(BAD / "kpi_unknown.yaml")])
    (problem,) = orjson.loads(checked.output)
    assert (problem["line"], problem["field"], problem["level"]) == (4, "rules[0].kpi", "error")


@pytest.mark.parametrize("command", ["lint", "apply"])
def test_a_file_that_is_not_there_is_wrong_usage(command: str) -> None:
    assert cli.invoke(app, ["policy", command, "nowhere.yaml"]).exit_code == Exit.USAGE


@pytest.mark.parametrize("content", [b"version: 1\nname: \xe9", b"version: 7"])
def test_apply_refuses_a_bad_file_before_it_looks_for_kafka(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    refused = cli.invoke(app, ["policy", "apply", str(file)])
    assert isinstance(refused.exception, PolicyError)
    explained = explain(refused.exception)
    assert explained is not None
    assert explained[0] is Exit.PROBLEMS
    assert f"{file}:" in explained[1]
