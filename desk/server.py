"""The server: every request is checked against its route before anything answers, and whatever goes wrong is a problem detail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError
from redis.exceptions import RedisError

from desk.api import Api, Call
from desk.errors import ForbiddenError, InvalidError, ProblemError, Refusal, TooManyError, UnavailableError
from desk.files import add_page
from desk.identity import Identity
from desk.limits import Limits
from desk.metrics import Metrics
from desk.routes import ROUTES, Route

__all__ = ["application"]

BODY_BYTES_MAX: Final = 64 * 1024
_BODY_SECONDS: Final = 10.0
"""Who sends a body byte by byte would hold a connection for ever."""
_COMMANDS_BURST: Final = 30
_COMMANDS_PER_SECOND: Final = 1.0
_READS_BURST: Final = 300
"""Of one user: twenty pages that are opened at once."""
_READS_PER_SECOND: Final = 20.0
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_REASONS: Final = {
    HTTPStatus.NOT_FOUND: Refusal.UNKNOWN,
    HTTPStatus.METHOD_NOT_ALLOWED: Refusal.METHOD,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Refusal.TOO_LARGE,
}

_log = structlog.stdlib.get_logger("outwatch.desk")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(api: Api, identity: Identity, metrics: Metrics) -> web.Application:
    """The application with every route of the table, the files of the page, and nothing else."""
    app = web.Application(middlewares=[_problems(metrics)], client_max_size=BODY_BYTES_MAX)
    limits = Limits(_COMMANDS_BURST, _COMMANDS_PER_SECOND, metrics.forgotten)
    reads = Limits(_READS_BURST, _READS_PER_SECOND, metrics.forgotten)
    for route in ROUTES:
        handler = _checked(route, getattr(api, route.name), identity, limits if route.commands else reads)
        app.router.add_route(route.method, route.path, handler, name=route.name)
    add_page(app, identity)
    app.on_response_prepare.append(_secured)
    return app


def _checked(route: Route, answer: Callable[[Call], Awaitable[web.StreamResponse]], identity: Identity, limits: Limits) -> _Handler:
    bodies: TypeAdapter[Any] | None = None
    if route.bodies:
        union: Any = route.bodies[0]
        for each in route.bodies[1:]:
            union |= each
        bodies = TypeAdapter(union)

    async def handler(request: web.Request) -> web.StreamResponse:
        caller = None
        if route.roles is not None:
            caller = identity.of(request)
            if caller.user.role not in route.roles:
                raise ForbiddenError(Refusal.ROLE, f"the role {caller.user.role} may not: {', '.join(sorted(route.roles))} may")
            if route.changes:
                identity.check_csrf(caller, request)
            wait_seconds = limits.take(caller.user.name, monotonic())
            if wait_seconds:
                raise TooManyError(wait_seconds)
        query = _query(route.query, request) if route.query is not None else None
        body = await _body(bodies, request) if bodies is not None else None
        return await answer(Call(request, caller, query, body))

    return handler


def _query(model: type[BaseModel], request: web.Request) -> BaseModel:
    said: dict[str, str] = {}
    for name, value in request.query.items():
        if name in said:
            msg = "a parameter stands there twice"
            raise InvalidError(msg, [{"field": name, "message": "stands there twice"}])
        said[name] = value
    try:
        return model.model_validate_strings(said)
    except ValidationError as error:
        msg = "the parameters make no sense"
        raise _invalid(msg, error) from error


async def _body(bodies: TypeAdapter[Any], request: web.Request) -> Any:  # noqa: ANN401 - a model of the route
    if request.content_type != "application/json":
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Refusal.MEDIA_TYPE, "send JSON, as application/json")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            raw = await request.read()
    except TimeoutError as error:
        msg = f"the body did not come within {_BODY_SECONDS:.0f} s"
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, Refusal.TOO_SLOW, msg) from error
    try:
        return bodies.validate_json(raw)
    except ValidationError as error:
        msg = "the body makes no sense"
        raise _invalid(msg, error) from error


def _invalid(detail: str, error: ValidationError) -> InvalidError:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidError(detail, [{"field": ".".join(map(str, each["loc"])), "message": each["msg"]} for each in found[:20]])


def _problems(metrics: Metrics) -> Any:  # noqa: ANN401 - aiohttp types its middlewares by a decorator
    @web.middleware
    async def answered(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except ProblemError as error:
            metrics.refused(error.reason)
            response = _problem(error.body, error.headers)
        except web.HTTPException as error:
            status = HTTPStatus(error.status)
            refused = ProblemError(status, _REASONS.get(status, Refusal.INVALID), error.reason)
            metrics.refused(refused.reason)
            response = _problem(refused.body, {name: value for name, value in error.headers.items() if name == "Allow"})
        except RedisError as error:
            away = UnavailableError(Refusal.NO_VIEW, f"Redis does not answer: {type(error).__name__}")
            metrics.refused(away.reason)
            response = _problem(away.body, away.headers)
        except Exception:  # noqa: BLE001 - nothing of one request may end the others; logged with its traceback
            _log.exception("a request made our code raise", path=request.path)
            bug = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, Refusal.BUG, "a bug: the log of the desk has it")
            metrics.refused(bug.reason)
            response = _problem(bug.body, {})
        route = request.match_info.route
        metrics.answered(route.name or ("none" if request.match_info.http_exception else "page"), response.status)
        return response

    return answered


def _problem(body: Mapping[str, Any], headers: Mapping[str, str]) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=body["status"], content_type="application/problem+json", headers=headers)


async def _secured(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)
