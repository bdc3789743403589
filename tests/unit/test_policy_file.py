from itertools import groupby
from pathlib import Path

import pytest

from models.errors import PolicyError
from models.kpis import CATALOGUE
from models.policy import compile_partner
from models.policy_file import lint, load, parts

BAD = Path(__file__).parent.parent / "data" / "policies"
PROBLEMS = {
    name: list(lines) for name, lines in groupby((BAD / "problems.txt").read_text().splitlines(), lambda line: line.partition(":")[0])
}
EXAMPLE = (Path(__file__).parents[2] / "models" / "example_policy.yaml").read_text()


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.glob("*.yaml")))
def test_each_broken_rule_is_told_with_its_line_field_and_remedy(name: str) -> None:
    assert [str(problem) for problem in lint((BAD / name).read_text(), name)] == PROBLEMS[name]


def test_every_expected_problem_has_its_file() -> None:
    assert PROBLEMS.keys() == {path.name for path in BAD.glob("*.yaml")}


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_a_file_is_refused_for_an_error_and_not_for_a_warning(name: str) -> None:
    text = (BAD / name).read_text()
    if all(": warning: " in line for line in PROBLEMS[name]):
        assert load(text, name).version == 1
    else:
        with pytest.raises(PolicyError):
            load(text, name)


def test_all_problems_are_told_at_once_and_one_bad_part_hides_no_other() -> None:
    text = """\
version: 3
defaults: {timezone: Mars/Olympus, settle_second: 3}
partners:
  - {id: acme}
  - {id: acme, name: Acme, definition: {targets: {csat: {target: 75}}}}
rules:
  - {id: one, kpi: nothing, window: 15m, direction: below, levels: [], partners: [acme]}
  - {id: two, kpi: csat, window: 1h, direction: below, levels: [], partners: [acme, delta], runbook: r}
"""
    assert [(problem.line, problem.field) for problem in lint(text.replace("version: 3", "version: 1"), "p.yaml")] == [
        (2, "defaults.timezone"),
        (2, "defaults.settle_second"),
        (4, "partners[0].name"),
        (5, "partners[1].id"),
        (5, "partners[1].definition.targets.csat.target"),
        (7, "rules[0].kpi"),
        (8, "rules[1].partners[1]"),
        (8, "rules[1].levels"),
    ]
    assert [(problem.line, problem.field) for problem in lint(text, "p.yaml")] == [(1, "version")]


def test_a_rule_on_repeats_is_not_wrong_where_there_is_nobody_to_judge() -> None:
    rule = "{id: r, kpi: fcr, window: 7d, direction: below, runbook: r, levels: [{severity: warning, enter: 0.7, exit: 0.8, for: 0s}]}"
    assert lint(f"version: 1\nrules: [{rule}]", "p.yaml") == []


def test_a_date_where_a_name_belongs_is_a_problem_and_no_traceback() -> None:
    (problem,) = lint("version: 1\ndefaults: {timezone: 2020-01-01}", "p.yaml")
    assert (problem.field, problem.message) == ("defaults.timezone", "'2020-01-01' is no time zone")


def test_the_example_is_without_a_problem_and_names_only_what_is_there() -> None:
    assert lint(EXAMPLE, "example_policy.yaml") == []
    policy = load(EXAMPLE, "example_policy.yaml")
    assert [partner.id for partner in policy.partners] == ["acme", "boreal", "cascade", "delta", "evergreen", "fabrikam"]
    assert set(policy.defaults.definition.targets) <= set(CATALOGUE)


def test_the_examples_chat_has_a_minute_and_its_voice_twenty_seconds() -> None:
    shared, own = parts(load(EXAMPLE, "example_policy.yaml"))
    for partner_id, part in own.items():
        policy = compile_partner(shared, part, partner_id)
        assert policy.definition("support", "chat").service_level.threshold_seconds == 60
        assert policy.definition("support", "voice").service_level.threshold_seconds == 20
        assert policy.configured


def test_a_part_keeps_only_what_the_file_said() -> None:
    shared, own = parts(load("version: 1\ndefaults: {definition: {min_samples: 7}}\npartners: [{id: a, name: A}]", "p.yaml"))
    assert shared.definition.model_fields_set == {"min_samples"}
    assert own["a"].model_fields_set == {"id", "name"}
