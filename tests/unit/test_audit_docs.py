"""The page on the auditor says what it holds an installation to, and what it shows of receivers can be read."""

import re
from pathlib import Path

import pytest

from alerts.audit.breach import PROMISES, AuditReason
from models.errors import FileError
from streams.auditor.auditor import receivers_of
from streams.auditor.screen import audit_screen

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "audit.md").read_text()


def test_each_reason_is_told_with_what_must_hold() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| ", PAGE, re.MULTILINE)
    assert rows == [(reason.value, PROMISES[reason]) for reason in AuditReason]


def test_the_receivers_that_it_shows_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "audit.yaml").write_text(example)
    assert [each.id for each in receivers_of(tmp_path / "audit.yaml")] == ["ops_mail", "ops_pager"]
    assert receivers_of(ROOT / "deploy" / "audit.yaml") == receivers_of(None) == ()


def test_a_file_of_receivers_that_does_not_hold_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    path.write_text("version: 1\nreceivers:\n  - {id: hook, type: hooks, url: 'https://x.example'}\n")
    with pytest.raises(FileError, match=r"audit\.yaml:3: error: receivers"):
        receivers_of(path)


def test_receivers_of_a_partner_are_not_told_how_outwatch_stands(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    hook = "type: webhook, url: 'https://x.example'"
    partner = "partners:\n  - {id: acme, name: Acme}\n"
    path.write_text(f"version: 1\n{partner}receivers:\n  - {{id: ours, {hook}}}\n  - {{id: theirs, partner: acme, {hook}}}\n")
    assert [each.id for each in receivers_of(path)] == ["ours"]


def test_the_screen_has_a_row_for_each_thing_that_must_hold() -> None:
    assert audit_screen([]).row_count == len(AuditReason)
