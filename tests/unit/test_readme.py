"""The README says what is true."""

import re
from pathlib import Path

import pytest

from models.readme import filled

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_generated_tables_are_those_of_the_code() -> None:
    assert filled(README) == README, "run: python -m models.readme"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_a_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).exists()


def test_pictures_are_shown_and_small() -> None:
    pictures = sorted(path.relative_to(ROOT) for path in (ROOT / "docs" / "pictures").iterdir())
    assert sorted(map(Path, re.findall(r"!\[[^]]+\]\(([^)]+)\)", README))) == pictures
    assert [each for each in pictures if (ROOT / each).stat().st_size > 150_000] == []


def test_the_consumer_has_about_twenty_lines() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 24
    compile(code, "README.md", "exec")


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets
