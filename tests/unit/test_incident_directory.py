"""Who is meant by a target: by the policy, by shifts and whoever took them over, and never somebody of another partner's side."""

from typing import Any

import pytest

from alerts.directory import PolicyDirectory
from models.escalation import TargetSpec
from models.notices import OverrideState
from models.policy import compile_partner
from models.policy_file import load, parts
from tests.conditions import START_MS

POLICY = """
version: 1
people:
  - {id: ana, name: Ana, timezone: UTC, hours: {mon-fri: "09:00-18:00"}, reach: {mail: [ana@example.com], receivers: [chat]}}
  - {id: bo, name: Bo, reach: {mail: [bo@example.com]}}
  - {id: bia, name: Bia, partner: acme, reach: {mail: [bia@acme.example], receivers: [theirs]}}
  - {id: leo, name: Leo, partner: bolt, reach: {mail: [leo@bolt.example]}}
receivers:
  - {id: chat, type: slack, channel: C0123456789, token: slack-bot}
  - {id: theirs, type: webhook, url: "https://acme.example/pages", partner: acme}
rotations:
  - {id: duty, timezone: UTC, layers: [{starts: 2025-01-05T09:00, rrule: FREQ=DAILY, members: [bo]}]}
  - {id: none, timezone: UTC, layers: [{starts: 2025-01-05T09:00, rrule: FREQ=DAILY, members: [[]]}]}
escalations:
  - {id: ops, steps: [{tell: [{partner: manager}]}], fallback: [{person: bo}]}
partners:
  - {id: acme, name: Acme, hours: {mon-fri: "09:00-18:00"}, contacts: {manager: [{person: bia}, {rotation: duty}]}}
  - {id: bolt, name: Bolt, contacts: {manager: [{person: leo}]}}
defaults: {escalation: ops, timezone: UTC}
"""
TAKEN = OverrideState.model_validate(
    {"id": "o1", "partner": "*", "actor": "ana", "at": 1, "rotation": "duty", "person": "ana", "from": START_MS, "to": START_MS + 1}
)


def directory(partner: str = "acme", *overrides: OverrideState) -> PolicyDirectory:
    shared, own = parts(load(POLICY, "policy.yaml"))
    policy = compile_partner(shared, own[partner], partner)
    assert policy.paging is not None
    return PolicyDirectory(policy.paging, policy.hours, overrides)


def reached(found: PolicyDirectory, **target: Any) -> list[tuple[str, str | None, str]]:
    return [(each.receiver.id, each.person, each.side) for each in found.reach(TargetSpec(**target), START_MS)]


@pytest.mark.parametrize(
    ("partner", "target", "expected"),
    [
        ("acme", {"person": "ana"}, [("ana", "ana", "client"), ("chat", "ana", "client")]),
        ("acme", {"person": "bia"}, [("bia", "bia", "partner"), ("theirs", "bia", "partner")]),
        ("acme", {"receiver": "chat"}, [("chat", None, "client")]),
        ("acme", {"receiver": "theirs"}, [("theirs", None, "partner")]),
        ("acme", {"rotation": "duty"}, [("bo", "bo", "client")]),
        ("acme", {"partner": "manager"}, [("bia", "bia", "partner"), ("theirs", "bia", "partner"), ("bo", "bo", "client")]),
        ("acme", {"rotation": "none"}, []),
        ("acme", {"partner": "director"}, []),
        # Of another partner's side nobody is there.
        ("bolt", {"person": "bia"}, []),
        ("bolt", {"receiver": "theirs"}, []),
        ("bolt", {"partner": "manager"}, [("leo", "leo", "partner")]),
    ],
)
def test_a_target_means_whom_the_policy_says(partner: str, target: dict[str, str], expected: list[tuple[str, str, str]]) -> None:
    assert reached(directory(partner), **target) == expected


def test_whoever_took_a_shift_is_told_in_place_of_whose_it_was() -> None:
    assert reached(directory("acme", TAKEN), rotation="duty")[0][:2] == ("ana", "ana")


def test_hours_are_those_of_the_person_and_of_the_partner() -> None:
    found = directory()
    sunday, monday = START_MS, START_MS + 20 * 3_600_000
    assert [found.at_work("ana", at_ms) for at_ms in (sunday, monday)] == [False, True]
    assert [found.at_work(each, sunday) for each in ("bo", "stranger")] == [True, True]
    assert [found.is_open(at_ms) for at_ms in (sunday, monday)] == [False, True]
    assert directory("bolt").is_open(sunday)


def test_a_calendar_has_a_revision() -> None:
    assert len(directory().calendar) == 12
