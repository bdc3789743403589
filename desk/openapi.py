"""The OpenAPI 3.1 document of the desk, made of its routes and of the models that validate. Pure."""

from functools import cache
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from desk.identity import CSRF_HEADER
from desk.routes import ROUTES, Route
from desk.sessions import COOKIE
from desk.shapes import Delta, Now, Problem

__all__ = ["document"]

_REF: Final = "#/components/schemas/{model}"
_Mode = Any  # Literal["validation", "serialization"]: pydantic names the type privately.


@cache
def document() -> dict[str, Any]:
    """The whole, as JSON data."""
    named: list[type[BaseModel] | None] = [model for route in ROUTES for model in (*route.bodies, route.query, route.answer)]
    models: list[tuple[type[BaseModel], _Mode]] = [(each, "validation") for each in (*named, Problem, Delta, Now) if each is not None]
    refs, schemas = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs, schemas["$defs"])
    return {
        "openapi": "3.1.0",
        "info": {"title": "outwatch desk", "version": version("outwatch"), "summary": "A live watch on outsourced customer service."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(route: Route, refs: dict[Any, Any], defs: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "description": what, "schema": {"type": "string", "minLength": 1}}
        for name, what in route.parameters
    ]
    if route.query is not None:
        query = defs[route.query.__name__]
        parameters += [
            {"name": name, "in": "query", "required": False, "description": schema.get("description", ""), "schema": schema}
            for name, schema in query["properties"].items()
        ]
    if route.changes and route.roles is not None:
        what = "The `csrf` of the session; not needed with a bearer token."
        parameters.append({"name": CSRF_HEADER, "in": "header", "required": False, "description": what, "schema": {"type": "string"}})
    schema = {} if route.answer is None else {"schema": refs[route.answer, "validation"]}
    answer: dict[str, Any] = {"description": route.what}
    if route.status != 204:  # noqa: PLR2004 - nothing is said
        answer["content"] = {route.media: schema}
    problem = {"application/problem+json": {"schema": refs[Problem, "validation"]}}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.what,
        "parameters": parameters,
        "responses": {str(route.status.value): answer, "default": {"description": "Why it was not done.", "content": problem}},
        "security": [] if route.roles is None else [{"token": []}, {"session": []}],
    }
    if route.roles is not None:
        operation["x-roles"] = sorted(route.roles)
    if route.bodies:
        bodies = [refs[body, "validation"] for body in route.bodies]
        schema = bodies[0] if len(bodies) == 1 else {"anyOf": bodies}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation
