"""JSON Schemas of everything on the wire, one a record, generated from the models: `python -m models.schemas` writes docs/schemas."""

import sys
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from models import records
from models.events import EVENT_TYPES
from models.topics import Topics

__all__ = ["FOLDER", "RECORDS", "schema_texts"]

FOLDER: Final = Path(__file__).parents[1] / "docs" / "schemas"

_TOPICS: Final = Topics()

RECORDS: Final[dict[str, type[BaseModel]]] = {
    **{model.model_fields["type"].annotation.__args__[0]: model for model in EVENT_TYPES},  # type: ignore[union-attr]
    _TOPICS.kpis: records.KpiRecord,
    _TOPICS.rollups_1m: records.RollupMeasures,
    _TOPICS.rollups_15m: records.RollupMeasures,
    _TOPICS.rollups_1d: records.RollupRecord,
    _TOPICS.periods: records.PeriodRecord,
    _TOPICS.heartbeats: records.Heartbeat,
    _TOPICS.alerts: records.AlertEvent,
    _TOPICS.alerts_state: records.AlertState,
    _TOPICS.policies: records.PolicyRecord,
    _TOPICS.commands: records.Command,
    "outwatch.command.outcome": records.CommandOutcome,
}
"""Model by the event's type or by the topic (outcomes of commands stand among the alerts); the others carry their source's bytes."""


class _Untitled(GenerateJsonSchema):
    schema_dialect = "https://json-schema.org/draft/2020-12/schema"

    def field_title_should_be_set(self, _schema: Any) -> bool:  # noqa: ANN401 -- pydantic's own type for it is internal
        """Leave out titles that only repeat the field's name."""
        return False


def schema_texts() -> dict[str, str]:
    """The text of each schema, by file name."""
    texts = {}
    for name, model in RECORDS.items():
        schema = {"$schema": _Untitled.schema_dialect, **model.model_json_schema(schema_generator=_Untitled)}
        texts[f"{name}.json"] = orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    return texts


def main() -> None:
    """Write the schemas, and remove those of records that are no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    texts = schema_texts()
    for old in FOLDER.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(texts)} schemas in {FOLDER}\n")


if __name__ == "__main__":
    main()
