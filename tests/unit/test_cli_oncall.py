"""`outwatch oncall` of a policy file: who, when, what is wrong, and to calendars and back."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from tests.rotations import ms

POLICY = """\
version: 1
partners:
  - {id: acme, name: Acme}
people:
  - {id: ana, name: Ana Silva, reach: {mail: [ana@example.com]}}
  - {id: bo, name: Bo, reach: {mail: [bo@example.com]}}
  - {id: bia, name: Bia, partner: acme, reach: {mail: [bia@example.com]}}
rotations:
  - id: ops
    timezone: Europe/Lisbon
    layers:
      - {starts: 2026-01-05T09:00, rrule: FREQ=WEEKLY, members: [ana, bo]}
  - id: office
    timezone: UTC
    layers:
      - {starts: 2026-01-05T09:00, rrule: FREQ=DAILY, lasts: 8h, members: [ana]}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY)
    return path


def oncall(policy: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["oncall", *words, "--policy", str(policy)], env={"COLUMNS": "100", "TERM": "dumb"})


def test_it_says_who_is_on_call_until_when_and_who_is_next(policy: Path) -> None:
    told = oncall(policy, "who", "--at", "2026-03-28T12:00", "--json")
    assert orjson.loads(told.output) == [
        {
            "rotation": "office",
            "at": ms("2026-03-28T12:00"),
            "people": ["ana"],
            "layer": 0,
            "override": None,
            "until": ms("2026-03-28T17:00"),
            "next": [],
            "zone": "UTC",
        },
        {
            "rotation": "ops",
            "at": ms("2026-03-28T12:00"),
            "people": ["bo"],
            "layer": 0,
            "override": None,
            "until": ms("2026-03-30T08:00"),
            "next": ["ana"],
            "zone": "Europe/Lisbon",
        },
    ]
    shown = oncall(policy, "who", "ops", "--at", "2026-03-28T12:00").output
    assert shown == "ops: Bo (layer 1) until Mon 2026-03-30 09:00 (Europe/Lisbon), then Ana Silva\n"


def test_a_schedule_lists_each_shift_in_the_zone_that_is_asked_for(policy: Path) -> None:
    told = oncall(policy, "schedule", "office", "--from", "2026-01-05", "--days", "1", "--zone", "Asia/Manila")
    title, _, *lines = told.output.splitlines()
    assert title == "office (Asia/Manila)"
    assert [line.split()[1:7] for line in lines] == [
        ["2026-01-05", "00:00", "Mon", "2026-01-05", "17:00", "nobody"],
        ["2026-01-05", "17:00", "Tue", "2026-01-06", "00:00", "Ana"],
    ]


def test_a_policy_without_rotations_says_so(policy: Path) -> None:
    policy.write_text("version: 1\n")
    assert {oncall(policy, command).output for command in ("who", "schedule")} == {"the policy has no rotations\n"}


def test_gaps_end_the_linter_with_1_and_other_parts_of_a_policy_are_not_its_business(policy: Path) -> None:
    told = oncall(policy, "lint", "--at", "2026-03-02T00:00")
    assert (told.exit_code, told.output.count("nobody is on call")) == (1, 6)
    policy.write_text(POLICY.replace("FREQ=DAILY, lasts: 8h", "FREQ=DAILY") + "rules: [{id: none}]\n")
    told = oncall(policy, "lint", "--at", "2026-03-02T00:00")
    assert (told.exit_code, told.output) == (0, "somebody is always on call\n")


def test_what_is_exported_can_be_imported_and_shifts_that_are_over_are_left_out(policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "ops.ics"
    assert oncall(policy, "export", "ops", "--from", "2026-01-07", "--days", "7", "--output", str(out)).exit_code == 0
    assert out.read_text().count("BEGIN:VEVENT") == 2
    assert "DTSTART:20260105T090000Z" in out.read_text(), "whole shifts, also of the first"
    assert oncall(policy, "import", str(out), "--rotation", "ops").output == "# of what does not repeat 2 shifts are over and left out\n"
    out.write_text(out.read_text().replace("20260119T090000Z", "20860119T090000Z"))
    told = oncall(policy, "import", str(out), "--rotation", "ops").output.splitlines()
    assert told[0] == "# Bo from Mon 2026-01-12 09:00 to Sat 2086-01-19 09:00 (Europe/Lisbon)"
    assert told[1:] == [
        "# 1 shift does not repeat: --send asks for overrides of ops",
        "# of what does not repeat 1 shift is over and left out",
    ]


def test_an_imported_rotation_is_yaml_that_a_policy_takes(policy: Path, tmp_path: Path) -> None:
    source = tmp_path / "c.ics"
    lines = ["BEGIN:VEVENT", "DTSTART;TZID=Europe/Lisbon:20260105T090000", "DURATION:P7D", "RRULE:FREQ=WEEKLY", "SUMMARY:bo", "END:VEVENT"]
    source.write_text("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]))
    written = oncall(policy, "import", str(source), "--rotation", "nights").output
    policy.write_text(POLICY + written.removeprefix("rotations:\n").replace("\n", "\n  ").replace("- id", "  - id", 1).rstrip() + "\n")
    assert "Bo" in oncall(policy, "who", "nights").output


def test_a_shift_of_several_is_no_override(policy: Path, tmp_path: Path) -> None:
    source = tmp_path / "c.ics"
    people = [f"ATTENDEE:mailto:{each}@example.com" for each in ("ana", "bo")]
    lines = ["BEGIN:VEVENT", "DTSTART:20860105T090000Z", "DURATION:P1D", *people, "END:VEVENT"]
    source.write_text("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]))
    told = oncall(policy, "import", str(source), "--rotation", "ops", "--send")
    assert "# Ana Silva, Bo from Sat 2086-01-05 09:00" in told.output
    assert "an override is one person's" in told.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("who", "opps"), 1, "no rotation opps (write ops)"),
        (("who", "--at", "tomorrow"), 2, "RFC 3339"),
        (("who", "--at", "2026-13-01"), 2, "is no date"),
        (("schedule", "--zone", "Mars"), 2, "no time zone"),
        (("schedule", "--days", "0"), 2, "or equal to 1"),
        (("export", "ops", "--output", "/nowhere/x.ics"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_to_write(policy: Path, words: tuple[str, ...], code: int, said: str) -> None:
    told = oncall(policy, *words)
    assert told.exit_code == code
    assert said in " ".join(told.output.replace("│", " ").split())
