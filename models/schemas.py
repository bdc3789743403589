"""JSON Schemas of everything on the wire, one a record, and of policy files, generated from the models.

`python -m models.schemas` writes docs/schemas.
"""

import ast
import inspect
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from models import definitions, notices, operation, people, policy_spec, records, rotations, rule_base, rule_forms
from models.commands import PAYLOADS
from models.custom import spec
from models.events import EVENT_TYPES
from models.incidents import IncidentState
from models.notifications import Notification
from models.topics import Topics

__all__ = ["FOLDER", "POLICY_FILE", "RECORDS", "schema_texts"]

FOLDER: Final = Path(__file__).parents[1] / "docs" / "schemas"

_TOPICS: Final = Topics()

RECORDS: Final[dict[str, type[BaseModel]]] = {
    **{model.model_fields["type"].annotation.__args__[0]: model for model in EVENT_TYPES},  # type: ignore[union-attr]
    _TOPICS.kpis: records.KpiRecord,
    _TOPICS.rollups_1m: records.RollupMeasures,
    _TOPICS.rollups_15m: records.RollupMeasures,
    _TOPICS.rollups_1d: records.RollupRecord,
    _TOPICS.periods: records.PeriodRecord,
    _TOPICS.heartbeats: operation.Heartbeat,
    _TOPICS.alerts: records.AlertEvent,
    _TOPICS.alerts_state: records.AlertState,
    _TOPICS.incidents: IncidentState,
    _TOPICS.notifications: Notification,
    _TOPICS.policies: operation.PolicyRecord,
    _TOPICS.commands: operation.Command,
    "outwatch.command.outcome": operation.CommandOutcome,
    "outwatch.silence.state": notices.SilenceState,
    "outwatch.annotation.state": notices.AnnotationState,
    "outwatch.override.state": notices.OverrideState,
    **{f"outwatch.command.{kind}": payload for kind, payload in PAYLOADS.items()},
}
"""Model by the event's type or by the topic (outcomes of commands stand among the alerts, silences, annotations and overrides among
their states, payloads within commands); the others carry their source's bytes.
"""

POLICY_FILE: Final = "policy.json"
"""The name of the schema of policy files, which editors take."""


class _Untitled(GenerateJsonSchema):
    schema_dialect = "https://json-schema.org/draft/2020-12/schema"

    def field_title_should_be_set(self, _schema: Any) -> bool:  # noqa: ANN401 -- pydantic's own type for it is internal
        """Leave out titles that only repeat the field's name."""
        return False


def _documented(*modules: ModuleType) -> dict[tuple[str, str], str]:
    """What stands below a field in the source, by class and field, in one line."""
    found = {}
    for of in (each for module in modules for each in ast.parse(inspect.getsource(module)).body if isinstance(each, ast.ClassDef)):
        for field, text in pairwise(of.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    found[of.name, name] = " ".join(said.split())
    return found


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    """With what is said of the fields, which editors show. Workers read the models of policies at a start, and need not look for it."""
    said = _documented(policy_spec, rule_base, rule_forms, definitions, spec, people, rotations)
    for name, part in {schema["title"]: schema, **schema["$defs"]}.items():
        for field, described in part.get("properties", {}).items():
            if (name, field) in said:
                described.setdefault("description", said[name, field])
    return schema


def schema_texts() -> dict[str, str]:
    """The text of each schema, by file name."""
    schemas = {f"{name}.json": model.model_json_schema(schema_generator=_Untitled) for name, model in RECORDS.items()}
    schemas[POLICY_FILE] = _told(policy_spec.PolicyFile.model_json_schema(schema_generator=_Untitled))
    return {name: _text({"$schema": _Untitled.schema_dialect, **schema}) for name, schema in schemas.items()}


def _text(schema: dict[str, Any]) -> str:
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


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
