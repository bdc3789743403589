"""`outwatch escalation simulate`: who would be told, as the policy of the file says it, and nobody really."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from streams.cli import app

POLICY = """
version: 1
people:
  - {id: ana, name: Ana, reach: {mail: [ana@example.com]}}
  - {id: bia, name: Bia, partner: acme, reach: {mail: [bia@acme.example], receivers: [theirs]}}
receivers:
  - {id: pager, type: pagerduty, routing_key: pagerduty-ops}
  - {id: theirs, type: webhook, url: "https://acme.example/pages", partner: acme}
rotations:
  - {id: duty, timezone: Europe/Lisbon, layers: [{starts: 2026-01-05T09:00, rrule: FREQ=WEEKLY, members: [ana, []]}]}
escalations:
  - id: ops
    steps:
      - {tell: [{rotation: duty}]}
      - {after: 10m, tell: [{partner: duty_manager}]}
      - {after: 15m, tell: [{receiver: pager}], when: {severity: critical}}
    fallback: [{receiver: pager}]
partners:
  - {id: acme, name: Acme, escalation: ops, contacts: {duty_manager: [{person: bia}]}}
  - {id: bolt, name: Bolt}
rules:
  - id: sl
    kpi: service_level
    window: 15m
    direction: below
    levels:
      - {severity: warning, enter: 0.8, exit: 0.83, for: 3m}
      - {severity: critical, enter: 0.6, exit: 0.65, for: 3m}
"""
ANAS_WEEK, NOBODYS_WEEK = "2026-11-23T10:00", "2026-11-30T10:00"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


def simulated(file: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["escalation", "simulate", "--policy", file, *words], env={"COLUMNS": "100", "TERM": "dumb"})


def lines(file: str, *words: str) -> Sequence[tuple[float, str, str | None, str]]:
    found = orjson.loads(simulated(file, *words, "--json").stdout)
    return [((each["at_ms"] - found[0]["at_ms"]) / 60_000, each["who"], each["receiver"], each["why"]) for each in found]


def test_it_tells_who_is_next_when_nobody_answers(file: str) -> None:
    assert lines(file, "--at", ANAS_WEEK) == [
        (0, "rotation duty (ana)", "mail ana", "opened"),
        (10, "partner duty_manager (bia)", "mail bia", "not_acknowledged"),
        (10, "partner duty_manager (bia)", "webhook theirs", "not_acknowledged"),
        (25, "receiver pager", "pagerduty pager", "not_acknowledged"),
        (35, "receiver pager", "pagerduty pager", "fallback"),
        (35, "nobody", None, "all steps passed"),
    ]


def test_it_shows_an_empty_shift_and_a_step_that_does_not_hold(file: str) -> None:
    told = [(who, why) for _, who, _, why in lines(file, "--at", NOBODYS_WEEK, "--severity", "warning")]
    assert told[:2] == [("nobody", "step 1: rotation duty means nobody now"), ("partner duty_manager (bia)", "empty_shift")]
    assert ("nobody", "step 3: not critical") in told


def test_an_answer_ends_it_and_is_told_to_whoever_was(file: str) -> None:
    told = lines(file, "--at", ANAS_WEEK, "--ack-after", "5m")
    assert [(who, why) for _, who, _, why in told] == [("rotation duty (ana)", "opened"), ("rotation duty (ana)", "acknowledged")]


def test_it_prints_a_table_in_a_zone(file: str) -> None:
    told = simulated(file, "--at", ANAS_WEEK, "--zone", "Asia/Tokyo").stdout
    assert "an alert that fires at Mon 2026-11-23 10:00 Asia/Tokyo" in told
    assert "Mon 10:25:30  receiver pager" in told


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--rule", "sll"), 1, "no rule sll (write sl)"),
        (("--partner", "acne"), 1, "no partner acne (write acme)"),
        (("--partner", "bolt"), 1, "pages anybody (add escalation:"),
        (("--no-ack", "--ack-after", "5m"), 2, "not both"),
        (("--ack-after", "soon"), 2, "not a duration"),
        (("--at", "soon"), 2, "--at"),
    ],
)
def test_what_cannot_be_told_says_why(file: str, words: tuple[str, ...], code: int, said: str) -> None:
    told = simulated(file, *words)
    assert told.exit_code == code
    assert said in " ".join(told.output.replace("│", " ").split())
