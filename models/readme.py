"""The tables of the README that are generated: `python -m models.readme` writes them, and a test fails when they drift."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.settings import Settings, settings_table
from models.topics import Topics

__all__ = ["fill", "filled", "topics_table"]

_README: Final = Path(__file__).parent.parent / "README.md"


def topics_table() -> str:
    """All topics as a Markdown table."""
    lines = ["| topic | cleanup | what |", "| --- | --- | --- |"]
    specs = Topics().specs(str(Settings.model_fields["app_id"].default))
    lines += [f"| `{spec.name}` | {spec.config['cleanup.policy']} | {spec.what} |" for spec in specs]
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """The README `text` with its generated parts written anew."""
    return fill(text, {"settings": settings_table(), "topics": topics_table()})


def fill(text: str, tables: Mapping[str, str]) -> str:
    """`text` with each table between the two comments that bear its name."""
    for name, table in tables.items():
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest.split(f"<!-- /{name} -->\n", 1)[1]
        text = f"{before}<!-- {name} -->\n{table}<!-- /{name} -->\n{after}"
    return text


if __name__ == "__main__":
    _README.write_text(filled(_README.read_text()))
