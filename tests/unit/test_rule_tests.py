"""`outwatch policy test`: what a file of tests says, what is wrong with it, and what is seen."""

import re
from itertools import groupby
from pathlib import Path

import orjson
import pytest
from typer import Typer
from typer.testing import CliRunner

from alerts.gates import gates, held_by, held_since
from models.errors import FileError
from models.figures import Estimate, Kind
from models.rules import Direction, OnMissing
from models.windows import GRID_MS, MINUTE_MS
from streams.cli import policy, policy_trial
from streams.cli.exits import Exit
from streams.trial.check import Result, run_suites
from streams.trial.series import at_step, series
from streams.trial.suite_file import read_suite
from tests.conditions import RULE, START_MS, drive, ratio, revised, sample

NEVER = held_since(RULE, None, START_MS)

ROOT = Path(__file__).parents[2]
BAD = ROOT / "tests" / "data" / "rule_tests"
PROBLEMS = {
    name: list(lines) for name, lines in groupby((BAD / "problems.txt").read_text().splitlines(), lambda line: line.partition(":")[0])
}
EXAMPLE = (ROOT / "models" / "example_policy.yaml").read_text()

app = Typer()
app.command("lint")(policy.lint)
app.command("test")(policy_trial.run_tests)
cli = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(EXAMPLE)
    return tmp_path


def run(folder: Path, text: str) -> list[Result]:
    file = folder / "tests.yaml"
    file.write_text(f"policy: policy.yaml\ntests:\n{text}")
    return [*run_suites([file])]


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.glob("*.yaml")))
def test_each_bad_file_is_told_with_its_line_field_and_remedy(name: str) -> None:
    with pytest.raises(FileError) as refused:
        read_suite(BAD / name, name)
    assert [str(problem) for problem in refused.value.problems] == PROBLEMS[name]


def test_every_expected_problem_has_its_file() -> None:
    assert PROBLEMS.keys() == {path.name for path in BAD.glob("*.yaml")}


def test_a_policy_that_does_not_hold_is_told_in_place_of_the_tests(folder: Path) -> None:
    (folder / "policy.yaml").write_text("version: 1\nrules: [{id: one}]\n")
    with pytest.raises(FileError, match=re.escape("policy.yaml:2: error: rules[0].kpi: is missing")):
        run(folder, "  - {name: one, partner: acme, expect: [{at: 1m, rule: one, phase: ok}]}")


def test_the_tests_of_the_documentation_pass(folder: Path) -> None:
    (block,) = re.findall(r"```yaml\n(policy: .*?)```", (ROOT / "docs" / "policies.md").read_text(), re.DOTALL)
    (folder / "tests.yaml").write_text(block)
    results = [*run_suites([folder / "tests.yaml"])]
    assert [(each.name, each.failures) for each in results] == [
        ("a bad quarter of an hour is told, and over when it is over", ()),
        ("a queue that nobody answers is critical within a quarter of an hour", ()),
    ]


def test_a_series_repeats_its_values_and_holds_the_last() -> None:
    steps = series("0.9x2 _x2 -1")
    assert steps == (0.9, 0.9, None, None, -1.0)
    assert [at_step(steps, step) for step in (0, 3, 4, 9)] == [0.9, None, -1.0, -1.0]


def test_a_failure_says_line_expectation_what_was_seen_and_every_gate(folder: Path) -> None:
    (result,) = run(
        folder,
        """\
  - name: one
    partner: acme
    series: [{kpi: service_level, values: 0.75, n: 40}]
    expect:
      - {at: 5m, rule: service_level_low, phase: firing, severity: warning, transitions: [pending, fired]}
""",
    )
    (failure,) = result.failures
    assert (failure.line, failure.expected, failure.saw) == (
        7,
        "service_level_low in all at 5m to be warning, firing, transitions [pending, fired]",
        "ok, transitions []",
    )
    assert failure.evidence[:5] == (
        "it never changed",
        "figure: passed (75 % in the window 15m (30 of 40))",
        "samples: passed (n 40, 30 are needed)",
        "warning enter: passed (75 %, asks for below 80 %)",
        "warning bound: not passed (even its upper bound must be below 80 %: it is 0.844)",
    )


@pytest.mark.parametrize(
    ("kpi", "more", "rule"),
    [("asa", "values: 90, n: 100, sd: 20", "asa_high"), ("abandon_rate", "values: 0.5, n: 100", "abandon_rate_high")],
)
def test_series_of_means_and_shares_fire_the_rules_on_them(folder: Path, kpi: str, more: str, rule: str) -> None:
    (result,) = run(
        folder,
        f"""\
  - {{name: one, partner: acme, series: [{{kpi: {kpi}, {more}}}], expect: [{{at: 3m, rule: {rule}, phase: firing, severity: critical}}]}}
""",
    )
    assert result.failures == ()


def test_an_event_that_does_not_count_and_a_command_that_is_refused_fail_the_test(folder: Path) -> None:
    made = "to: 1m, a_minute: 1, of: [{type: contact.answered, wait_seconds: 1, occurred_at: 1}]"
    (result,) = run(
        folder,
        f"""\
  - name: one
    partner: acme
    events: [{{{made}}}]
    commands: [{{at: 30s, type: nothing.known}}]
    expect: [{{at: 2m, rule: service_level_low, phase: ok}}]
""",
    )
    (failure,) = result.failures
    assert [failure.saw, *failure.evidence] == [
        "an event did not count: 1 lies before 1980",
        "the command nothing.known was refused: this release knows no such command",
    ]


def test_what_a_user_expects_of_rules_of_every_form_holds() -> None:
    file = ROOT / "tests" / "data" / "policies_of_tests" / "forms_test.yaml"
    assert [(each.name, each.failures) for each in run_suites([file]) if each.failures] == []


def test_the_command_prints_what_failed_and_ends_with_1(folder: Path) -> None:
    file = folder / "tests.yaml"
    case = "{{name: {0}, partner: acme, series: [{{kpi: service_level, values: 0.9, n: 99}}], expect: [{{at: 1m, rule: {1}, phase: {2}}}]}}"
    cases = [case.format("good", "service_level_low", "ok"), case.format("bad", "service_level_low", "firing")]
    file.write_text(f"policy: policy.yaml\ntests:\n  - {cases[0]}\n  - {cases[1]}\n")
    done = cli.invoke(app, ["test", str(file)])
    assert done.exit_code == Exit.PROBLEMS
    assert done.output.splitlines()[:3] == [
        "passed  good",
        "FAILED  bad",
        f"  {file}:4: expected service_level_low in all at 1m to be firing; saw ok",
    ]
    assert done.output.endswith("2 tests, 1 failed\n")
    told = cli.invoke(app, ["test", "--json", str(file)])
    assert [len(each["failures"]) for each in orjson.loads(told.output)] == [0, 1]


def test_gates_of_a_level_tell_value_bound_and_how_long_it_was_held() -> None:
    estimates = [ratio(0.5)] * 4
    conditions, _ = drive(RULE, estimates)
    at_ms = START_MS + 3 * GRID_MS
    found = {
        (each.severity, each.name): each.passed for each in gates(RULE, sample(estimates[-1], at_ms), held_by(RULE, conditions[-1], at_ms))
    }
    assert found == {
        (None, "figure"): True,
        (None, "samples"): True,
        ("warning", "enter"): True,
        ("warning", "bound"): True,
        ("warning", "exit"): False,
        ("warning", "held"): False,
        ("critical", "enter"): True,
        ("critical", "bound"): True,
        ("critical", "exit"): False,
        ("critical", "held"): False,
    }


def test_gates_are_not_asked_where_there_is_no_figure_or_too_little_of_it() -> None:
    few = gates(RULE, sample(ratio(0.5, 10), START_MS), NEVER)
    assert [each.passed for each in few[:3]] == [True, False, None]
    none = gates(RULE, sample(None, START_MS), NEVER)
    assert [each.passed for each in none[:3]] == [False, None, None]
    breaching = gates(revised(on_missing=OnMissing.BREACHING), sample(None, START_MS), NEVER)
    assert breaching[2].passed is True


def test_gates_of_a_mean_of_unknown_spread_say_so() -> None:
    rule = revised(direction=Direction.ABOVE, levels=tuple(RULE.levels[:1]), recover_for_ms=MINUTE_MS)
    mean = Estimate(Kind.MEAN, 2.0, 200.0, 100, 100)
    assert [each.said for each in gates(rule, sample(mean, START_MS), NEVER) if each.name == "bound"] == ["its spread is not known"]


def test_a_silence_is_asked_for_and_seen(folder: Path) -> None:
    command = "{at: 2m, type: silence.add, payload: {matchers: {rule: '*'}, until: 6m, comment: known}}"
    (result,) = run(
        folder,
        f"""\
  - name: one
    partner: acme
    events: [{{to: 12m, a_minute: 30, of: [{{type: contact.abandoned, wait_seconds: 60}}]}}]
    commands: [{command}]
    expect:
      - {{at: 5m, rule: service_level_low, phase: firing, suppressed_by: [silenced]}}
      - {{at: 8m, rule: service_level_low, phase: firing, suppressed_by: []}}
      - {{at: 10m, rule: service_level_low, suppressed_by: [silenced]}}
""",
    )
    (failure,) = result.failures
    assert (failure.line, failure.saw) == (10, "critical firing, suppressed by []")


PAGED = ROOT / "tests" / "data" / "policies_of_tests" / "paged_test.yaml"


def test_who_is_told_is_held_against_what_is_expected_in_order_and_to_the_end() -> None:
    assert [(each.name, each.failures) for each in run_suites([PAGED])] == [
        ("nobody answers", ()),
        ("ana answers, and later it is over", ()),
        ("a quiet hour pages nobody", ()),
    ]


@pytest.mark.parametrize(
    ("said", "instead", "expected", "saw"),
    [
        ("at: 410s, to: bo", "at: 7m, to: bo", "7m trigger bo by bo, step 2", "410s trigger rotation ops (bo) by bo, step 2"),
        ("to: bo, by: [bo]", "to: ana, by: [bo]", "410s trigger ana by bo", "410s trigger rotation ops (bo)"),
        ("by: [pager, ana]", "by: [ana]", "110s trigger ana by ana", "110s trigger person ana by ana, pager"),
        ("step: 2", "step: fallback", "bo by bo, fallback", "by bo, step 2"),
        ("reason: opened", "reason: worse", "worse", "opened"),
        ("- {at: 1010s, to: pager, step: fallback}", "", "nobody else to be told", "1010s trigger receiver pager by pager, fallback"),
    ],
)
def test_whoever_is_not_told_as_expected_is_named_with_all_that_were(
    said: str, instead: str, expected: str, saw: str, tmp_path: Path
) -> None:
    first = PAGED.read_text().partition("  - name: ana answers")[0]
    assert said in first
    file = tmp_path / "tests.yaml"
    file.write_text(first.replace(said, instead).replace("paged.yaml", str(PAGED.parent / "paged.yaml")))
    (result,) = run_suites([file])
    (failure,) = result.failures
    assert expected in failure.expected
    assert saw in failure.saw
    assert len(failure.evidence) == 3
