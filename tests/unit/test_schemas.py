"""The committed JSON Schemas are those of the models."""

import inspect
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML

from models import events, records
from models.schemas import FOLDER, RECORDS, schema_texts
from tests.property.event_texts import COMMON, FIELDS, GOOD, ODD

SCHEMAS: dict[str, Any] = {name.removesuffix(".json"): json.loads(text) for name, text in schema_texts().items()}


def test_the_committed_schemas_are_generated_from_these_models() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == schema_texts(), "run: python -m models.schemas"


@pytest.mark.parametrize("name", RECORDS)
def test_each_is_a_valid_schema_of_2020_12(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", RECORDS)
def test_what_comes_in_may_carry_more_fields_and_what_goes_out_may_not(name: str) -> None:
    assert (SCHEMAS[name].get("additionalProperties") is False) == name.startswith("outwatch.")


def test_every_model_of_a_record_is_in_a_schema() -> None:
    told = set(RECORDS.values())
    inner = {name for schema in SCHEMAS.values() for name in schema.get("$defs", {})}
    for module in (events, records):
        for name, model in inspect.getmembers(module, inspect.isclass):
            if issubclass(model, BaseModel) and model.__module__ == module.__name__ and name in module.__all__:
                assert model in told or name in inner or any(issubclass(each, model) for each in told), name


@pytest.mark.parametrize("kind", GOOD)
def test_a_schema_accepts_exactly_the_events_that_its_model_accepts(kind: str) -> None:
    validator = Draft202012Validator(SCHEMAS[kind])
    good = {name: json.loads(text) for name, text in ({"type": json.dumps(kind)} | COMMON | GOOD[kind]).items()}
    validator.validate(good)
    for field in FIELDS:
        for value in [*_parsed(), None]:
            event = good | {field: value}
            # Of another type it may be a good event, which is for that schema to say.
            assert validator.is_valid(event) == (event["type"] == kind and _accepted(event)), (field, value)
        without = {name: value for name, value in good.items() if name != field}
        assert validator.is_valid(without) == _accepted(without), field


def _parsed() -> list[Any]:
    """The odd values that are JSON, but for what a schema leaves open: whole floats for integers, and infinities."""
    values = []
    for text in ODD:
        try:
            value = orjson.loads(text.encode(errors="surrogatepass"))
        except orjson.JSONDecodeError:
            continue
        if not (isinstance(value, float) and value.is_integer()):
            values.append(value)
    return values


def _accepted(event: dict[str, Any]) -> bool:
    try:
        events.event_adapter.validate_json(json.dumps(event))
    except ValidationError:
        return False
    return True


POLICIES = FOLDER.parents[1] / "tests" / "data" / "policies"
MISSPELT = {"direction_unknown", "duration_negative", "duration_unreadable", "field_unknown", "level_without_for", "version_unknown"}


def _policy(path: Path) -> Any:
    return orjson.loads(orjson.dumps(YAML(typ="safe").load(path)))


def test_an_editor_takes_the_shipped_policy_by_the_schema_of_policy_files() -> None:
    Draft202012Validator.check_schema(SCHEMAS["policy"])
    Draft202012Validator(SCHEMAS["policy"]).validate(_policy(FOLDER.parents[1] / "models" / "example_policy.yaml"))
    assert SCHEMAS["policy"]["$defs"]["Defaults"]["properties"]["settle_seconds"]["description"].startswith("How long past a grid point")


@pytest.mark.parametrize("name", sorted(MISSPELT))
def test_an_editor_marks_what_reads_wrong_without_looking_elsewhere(name: str) -> None:
    assert not Draft202012Validator(SCHEMAS["policy"]).is_valid(_policy(POLICIES / f"{name}.yaml"))
