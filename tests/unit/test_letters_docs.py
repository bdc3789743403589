"""What the documents say of dead letters and of customers is so."""

import re
from pathlib import Path

import pytest

from models.masking import PERSONAL
from models.reasons import RejectReason
from models.retention import DOCUMENT, filled
from models.topics import Topics
from streams.letters import NoReplay

DOCS = Path(__file__).parents[2] / "docs"
LETTERS = (DOCS / "dead-letters.md").read_text()
PROTECTION = DOCUMENT.read_text()


def test_the_table_of_retention_is_that_of_the_topics() -> None:
    assert filled(PROTECTION) == PROTECTION, "run: python -m models.retention"


def test_every_reason_and_every_refusal_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", LETTERS, re.MULTILINE) == [*RejectReason, *NoReplay]


def test_every_field_that_is_masked_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", PROTECTION.split("mask the fields called")[1].split(", at any depth")[0]))
    assert {name.replace("_", "") for name in named} == PERSONAL


@pytest.mark.parametrize("days", [90, 7])
def test_the_days_that_the_documents_speak_of_are_those_of_the_topics(days: int) -> None:
    specs = {spec.name: spec.retention_ms for spec in Topics().specs("outwatch")}
    topic = Topics().dead_letters if days == 90 else Topics().interactions
    assert specs[topic] == specs[topic.replace("dead-letters", "late")] == days * 86_400_000
    assert f"{days} days" in PROTECTION
