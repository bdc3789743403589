"""`outwatch simulate` and `outwatch replay` before they reach a broker: what is wrong is said, with the option to change."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.errors import FileError
from models.mapping_file import example_mapping
from streams.cli import app
from tests.calls import COLUMNS, day_of_calls, write_csv

run = CliRunner(env={"COLUMNS": "200", "OUTWATCH_CLOCK": "wall"})


@pytest.fixture
def log(tmp_path: Path) -> list[str]:
    (tmp_path / "mapping.yaml").write_text(example_mapping())
    path = write_csv(tmp_path / "day.csv", day_of_calls(1, 20))
    return ["replay", str(path), "--mapping", str(tmp_path / "mapping.yaml")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--speed", "fast"], "neither max nor a number above 0"),
        (["--speed", "0"], "neither max nor a number above 0"),
        (["--speed", "nan"], "neither max nor a number above 0"),
        (["--shift", "now", "--speed", "3"], "the log has its own speed"),
        (["--shift", "scale"], "--shift scale needs a number"),
        (["--shift", "scale", "--speed", "max"], "--shift scale needs a number"),
        (["--date", "4.1.1999"], "--date"),
    ],
)
def test_a_replay_with_options_that_contradict_is_refused(log: list[str], options: list[str], said: str) -> None:
    result = run.invoke(app, [*log, *options])
    assert result.exit_code == 2
    assert said in result.output


def test_a_replay_of_clock_times_without_a_date_is_refused_with_the_option_to_give(log: list[str]) -> None:
    result = run.invoke(app, log)
    assert isinstance(result.exception, FileError)
    assert "--date" in str(result.exception)


def test_a_replay_of_a_log_that_does_not_fit_its_mapping_is_refused_before_anything_is_written(log: list[str], tmp_path: Path) -> None:
    write_csv(tmp_path / "second.csv", day_of_calls(1, 20), [column for column in COLUMNS if column != "type"])
    result = run.invoke(app, [*log[:2], str(tmp_path / "second.csv"), *log[2:], "--date", "2031-01-04"])
    assert isinstance(result.exception, FileError)
    assert "second.csv:1: error: type: no such column, which fields.partner_id of the mapping names" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--past", "2q"], "not a duration"),
        (["--for", "soon"], "not a duration"),
        (["--speed", "30"], "needs --clock log"),
        (["--clock", "sand"], "sand"),
        (["--incident", "acme:3:1"], "write partner:start_seconds:end_seconds:degrade"),
        (["--incident", "nobody:1:3"], "nobody is not simulated: acme, boreal"),
        (["--partners", "0"], "--partners"),
    ],
)
def test_a_simulation_with_wrong_options_is_refused(options: list[str], said: str) -> None:
    result = run.invoke(app, ["simulate", *options])
    assert result.exit_code == 2
    assert said in result.output
