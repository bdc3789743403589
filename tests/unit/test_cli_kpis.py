"""`outwatch kpis` tells the catalogue."""

import orjson
import pytest
from typer.testing import CliRunner, Result

from models.kpis import CATALOGUE
from models.windows import WINDOWS
from streams.cli import app
from streams.cli.exits import Exit


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["kpis", *arguments], env={"COLUMNS": "240"})


def test_every_kpi_is_listed_with_its_formula() -> None:
    told = " ".join(run().output.split())
    for name, kpi in CATALOGUE.items():
        assert name in told
        assert kpi.title in told


def test_one_kpi_is_told_whole() -> None:
    told = " ".join(run("qa_score").output.split())
    kpi = CATALOGUE["qa_score"]
    for part in (kpi.title, kpi.formula, kpi.traps, "internal process", "leading", "evaluation", "5m 15m 30m 1h 4h 24h 7d 30d today month"):
        assert part in told


@pytest.mark.parametrize(
    ("name", "windows"),
    [("asa", [each.name for each in WINDOWS]), ("in_queue", ["5m", "15m", "30m", "1h"]), ("service_level_answered_only", [])],
)
def test_a_kpi_names_the_windows_in_whose_records_it_stands(name: str, windows: list[str]) -> None:
    assert orjson.loads(run(name, "--json").output)["windows"] == windows


def test_json_has_all_of_all_in_order() -> None:
    told = orjson.loads(run("--json").output)
    assert [each["id"] for each in told] == list(CATALOGUE)
    assert told[0]["traps"] == CATALOGUE[told[0]["id"]].traps


def test_what_is_no_kpi_is_a_problem_with_a_remedy() -> None:
    result = run("qa_scroe")
    assert result.exit_code == Exit.PROBLEMS
    assert "qa_score" in result.output
