"""What each route answers. Who asks, and with what, was checked before (`desk.server`)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel

from desk.asked import Known, command_of
from desk.board import Board, snapshot
from desk.bodies import Login
from desk.errors import InvalidError, Refusal, UnavailableError, UnknownError
from desk.identity import Caller, Identity
from desk.metrics import Metrics
from desk.oncall import SCHEDULE_MAX_MS, SCHEDULE_MS, on_call, schedule
from desk.openapi import document
from desk.policies import Policies
from desk.queries import HistoryQuery, OnCallQuery, ReportsQuery, ScheduleQuery, ScopeQuery, SparksQuery, TimelineQuery, WindowQuery
from desk.reports import reports
from desk.series import POINTS_MAX, horizons, points, span_of, tiers
from desk.sessions import COOKIE, SESSION_SECONDS
from desk.sparks import Sparks
from desk.streams import Streams
from desk.timeline import page_of, timeline
from desk.users import User
from desk.view import overrides_in
from desk.watch import WINDOW, Watch
from models.kpis import CATALOGUE, Kpi
from models.kpis.listing import entry
from models.operation import Command
from models.policy import PartnerPolicy
from models.windows import DAY_MS, Scope

__all__ = ["Api", "Call", "Send"]

Send = Callable[[Command], Awaitable[None]]
"""Writes a command; ConnectionError if Kafka does not take it."""

_SEND_SECONDS: Final = 10.0
_SERIES_AT_ONCE: Final = 2
_log = structlog.stdlib.get_logger("outwatch.desk")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was checked."""

    request: web.Request
    caller: Caller | None
    query: Any
    """The model of the route."""
    body: Any
    """The same."""

    @property
    def user(self) -> User:
        """Who asks; a route that anybody may ask has none."""
        assert self.caller is not None
        return self.caller.user


class Api:
    """The answers.

    Args:
        watch: the view.
        identity: who asks.
        streams: those who watch.
        send: writes a command.
        new_id: draws the id of a command.
        now_ms: the wall clock.
        metrics: takes counts.
    """

    def __init__(
        self,
        watch: Watch,
        identity: Identity,
        streams: Streams,
        send: Send,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
        metrics: Metrics,
    ) -> None:
        self._watch = watch
        self._identity = identity
        self._streams = streams
        self._send = send
        self._new_id = new_id
        self._now_ms = now_ms
        self._metrics = metrics
        self._policies = Policies()
        self._sparks = Sparks(watch.reader, self._policies)
        self._series = asyncio.Semaphore(_SERIES_AT_ONCE)

    async def openapi(self, _: Call) -> web.StreamResponse:
        """The document."""
        return json(document())

    async def login(self, call: Call) -> web.StreamResponse:
        """A cookie for a token."""
        body: Login = call.body
        user = self._identity.by_token(call.request, body.token)
        response = _begun(call.request, user, *self._identity.begin(user))
        _log.info("login", user=user.name, role=user.role, address=self._identity.address(call.request))
        return response

    async def session(self, call: Call) -> web.StreamResponse:
        """Who asks; a viewer's session begins anew when it is half over."""
        assert call.caller is not None
        renewed = self._identity.renewed(call.caller)
        return json(_session(call.user, call.caller.csrf)) if renewed is None else _begun(call.request, call.user, *renewed)

    async def logout(self, _: Call) -> web.StreamResponse:
        """No cookie any more."""
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return response

    async def snapshot(self, call: Call) -> web.StreamResponse:
        """All that may be seen."""
        query: WindowQuery = call.query
        return json_bytes(snapshot(await self._watch.board(query.window), call.user))

    async def stream(self, call: Call) -> web.StreamResponse:
        """The same, and what becomes of it."""
        query: WindowQuery = call.query
        assert call.caller is not None
        return await self._streams.serve(call.request, call.caller, query.window)

    async def partners(self, call: Call) -> web.StreamResponse:
        """All by name."""
        query: WindowQuery = call.query
        return _listed(await self._watch.board(query.window), call.user, "partners")

    async def alerts(self, call: Call) -> web.StreamResponse:
        """The present ones."""
        return _listed(await self._watch.board(WINDOW), call.user, "alerts")

    async def incidents(self, call: Call) -> web.StreamResponse:
        """The present ones."""
        return _listed(await self._watch.board(WINDOW), call.user, "incidents")

    async def partner(self, call: Call) -> web.StreamResponse:
        """One with its parts."""
        query: WindowQuery = call.query
        board, partner = await self._watch.board(query.window), call.request.match_info["partner"]
        row = _row(board, call.user, partner)
        policy = self._policies.of(partner, await self._watch.look())
        scopes = await self._watch.reader.scopes(partner, query.window)
        about = {"partner": orjson.Fragment(row), "scopes": scopes, **_told_of(policy)}
        return json({"at": board.at_ms, "as_of": board.as_of_ms(call.user), "window": query.window, **about})

    async def figures(self, call: Call) -> web.StreamResponse:
        """One partner, or one part of it, in every window."""
        query: ScopeQuery = call.query
        board, partner = await self._watch.board(WINDOW), call.request.match_info["partner"]
        _row(board, call.user, partner)
        scope = _scope(query.scope)
        definition = self._policies.of(partner, await self._watch.look()).scope_definition(scope)
        figures = await self._watch.reader.windows(partner, scope)
        about = {"partner": partner, "scope": str(scope), "min_samples": definition.min_samples, "figures": figures}
        return json({"at": board.at_ms, "as_of": board.as_of_ms(call.user), **about})

    async def kpi(self, call: Call) -> web.StreamResponse:
        """A KPI over time."""
        query: HistoryQuery = call.query
        partner, kpi = call.request.match_info["partner"], call.request.match_info["kpi"]
        board, look = await self._watch.board(WINDOW), await self._watch.look()
        _row(board, call.user, partner)
        policy = self._policies.of(partner, look)
        _in_the_past(policy.customs.catalogue, kpi)
        scope = _scope(query.scope)
        beat = look.heartbeats.get(str(board.partition_of(partner)))
        now_ms = self._now_ms() if beat is None else beat.body["frontier"]
        span = span_of(query.window, query.from_, query.to, now_ms, policy.timezone)
        if span is None:
            msg = f"these are more than {POINTS_MAX} points: take a wider window, or a later from"
            raise InvalidError(msg)
        async with self._series:
            stretches = {
                tier: await self._watch.reader.history(partner, scope, tier, span.from_ms, span.to_ms)
                for tier in tiers(query.window, scope)
            }
            # A figure takes 0.1 ms: in a thread, so that streams go on beside it.
            found = await asyncio.to_thread(points, span, kpi, stretches, scope, policy, now_ms)
        return json(
            {
                "partner": partner,
                "kpi": kpi,
                "scope": str(scope),
                "window": span.step,
                "from": span.from_ms,
                "to": span.to_ms,
                "as_of": None if beat is None else beat.body["as_of"],
                "horizon": horizons(now_ms),
                "complete": look.complete,
                "points": found,
            }
        )

    async def timeline(self, call: Call) -> web.StreamResponse:
        """What happened to a partner."""
        query: TimelineQuery = call.query
        board, partner = await self._watch.board(WINDOW), call.request.match_info["partner"]
        _row(board, call.user, partner)
        happened = await self._watch.reader.happened(partner)
        entries = timeline(partner, call.user, happened, await self._watch.look())
        page, more = page_of(entries, query.before, query.limit)
        return json({"at": board.at_ms, "as_of": board.as_of_ms(call.user), "partner": partner, "entries": page, "more": more})

    async def sparks(self, call: Call) -> web.StreamResponse:
        """The last points of a KPI, of all partners."""
        query: SparksQuery = call.query
        board, look = await self._watch.board(WINDOW), await self._watch.look()
        _in_the_past(self._policies.shared(look).customs.catalogue, query.kpi)
        partners = [identity for kind, identity in board.entities if kind == "partners"]
        until_ms = max((beat.body["frontier"] for beat in look.heartbeats.values()), default=self._now_ms())
        made = await self._sparks.of(query.kpi, query.window, query.points, partners, look, until_ms)
        seen = {partner: line for partner, line in made.values.items() if call.user.sees(partner)}
        asked = {"kpi": query.kpi, "window": query.window, "from": made.from_ms, "step_ms": made.step_ms, "points": query.points}
        return json({"at": self._now_ms(), **asked, "complete": look.complete, "partners": seen})

    async def catalogue(self, _: Call) -> web.StreamResponse:
        """Every KPI."""
        catalogue = self._policies.shared(await self._watch.look()).customs.catalogue
        return json({"kpis": [_entry(kpi) for kpi in catalogue.values()]})

    async def oncall(self, call: Call) -> web.StreamResponse:
        """Who is on call."""
        query: OnCallQuery = call.query
        look = await self._watch.look()
        at_ms = self._now_ms() if query.at is None else query.at
        return json({"at": at_ms, "rotations": on_call(self._policies.shared(look), overrides_in(look), call.user, at_ms)})

    async def schedule(self, call: Call) -> web.StreamResponse:
        """Who is on call when."""
        query: ScheduleQuery = call.query
        look = await self._watch.look()
        from_ms = self._now_ms() if query.from_ is None else query.from_
        to_ms = from_ms + SCHEDULE_MS if query.to is None else query.to
        if not from_ms < to_ms <= from_ms + SCHEDULE_MAX_MS:
            msg = f"`to` must lie after `from`, at most {SCHEDULE_MAX_MS // DAY_MS} days"
            raise InvalidError(msg, [{"field": "to", "message": msg}])
        shared, overrides = self._policies.shared(look), overrides_in(look)
        # A layer is laid out occurrence by occurrence: in a thread, so that streams go on beside it.
        told = await asyncio.to_thread(schedule, shared, overrides, call.user, from_ms, to_ms)
        return json({"from": from_ms, "to": to_ms, **told})

    async def reports(self, call: Call) -> web.StreamResponse:
        """What shifts had to do with."""
        query: ReportsQuery = call.query
        look, now_ms = await self._watch.look(), self._now_ms()
        shared = self._policies.shared(look)
        if query.rotation is not None and all(each.id != query.rotation or not call.user.sees(each.partner) for each in shared.rotations):
            msg = f"there is no rotation {query.rotation!r}"
            raise UnknownError(msg)
        asked = query.rotation, query.limit
        async with self._series:
            found = await asyncio.to_thread(reports, shared, overrides_in(look), look, call.user, asked, now_ms)
        return json({"at": now_ms, "reports": found})

    async def command(self, call: Call) -> web.StreamResponse:
        """Write a command; what comes of it is told by the stream."""
        body: BaseModel = call.body
        board, look = await self._watch.board(WINDOW), await self._watch.look()
        known = Known(board, look, lambda: self._policies.shared(look))
        command = command_of(body, call.user, known, self._new_id(), self._now_ms())
        said = {"id": command.id, "command": command.type, "partner": command.partner}
        who = {"user": call.user.name, "role": call.user.role, "address": self._identity.address(call.request)}
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._send(command)
        except (TimeoutError, ConnectionError) as error:
            # It may have been written all the same: its outcome would tell, and doing it again does no harm.
            _log.warning("command not acknowledged", **said, **who, error=str(error))
            msg = f"Kafka does not take the command {command.id}: {str(error) or 'no answer'}"
            raise UnavailableError(Refusal.NO_KAFKA, msg) from error
        self._metrics.commanded(command.type)
        _log.info("command", **said, **who)
        return json(said, status=202)

    acknowledge = snooze = silence = comment = annotate = dispute = expire = resolve = reassign = override = cancel = command


def json(body: Any, status: int = 200) -> web.Response:  # noqa: ANN401 - what orjson takes
    """An answer."""
    return json_bytes(orjson.dumps(body), status)


def json_bytes(body: bytes, status: int = 200) -> web.Response:
    """An answer that is JSON already."""
    return web.Response(body=body, status=status, content_type="application/json")


def _listed(board: Board, user: User, kind: Any) -> web.Response:  # noqa: ANN401 - a kind of the board
    found = [orjson.Fragment(body) for body in board.all_of(kind, user)]
    return json({"at": board.at_ms, "as_of": board.as_of_ms(user), "window": board.window, kind: found})


def _row(board: Board, user: User, partner: str) -> bytes:
    body = board.seen(("partners", partner), user) if ("partners", partner) in board.entities else None
    if body is None:
        msg = f"there is no partner {partner[:100]!r}"
        raise UnknownError(msg)
    return body


def _has_history(kpi: Kpi) -> bool:
    return kpi.published and not kpi.live and not kpi.of_period


def _in_the_past(catalogue: Mapping[str, Kpi], kpi: str) -> None:
    known = catalogue.get(kpi)
    if known is None or not _has_history(known):
        why = "has no history" if kpi in CATALOGUE else "is not known"
        msg = f"the KPI {kpi[:100]!r} {why}"
        raise UnknownError(msg)


def _entry(kpi: Kpi) -> dict[str, Any]:
    return {**entry(kpi), "live": kpi.live, "history": _has_history(kpi), "own": kpi.id not in CATALOGUE}


def _scope(text: str) -> Scope:
    try:
        return Scope.parse(text)
    except ValueError as error:
        raise InvalidError(str(error), [{"field": "scope", "message": str(error)}]) from error


def _told_of(policy: PartnerPolicy) -> dict[str, Any]:
    """What of a policy a page needs."""
    targets = {kpi: {"target": aim.target, "critical": aim.critical} for kpi, aim in policy.base.targets.items()}
    thresholds = [
        {
            "rule": rule.id,
            "kpi": rule.kpi,
            "window": rule.window,
            "direction": rule.direction,
            "levels": [{"severity": each.severity, "enter": each.enter, "exit": each.exit} for each in rule.levels],
        }
        for rule in policy.rules
        if rule.form is None and rule.compare is None
    ]
    zone = {"timezone": policy.timezone, "month_starts_on": policy.month_starts_on, "windows": sorted(policy.windows)}
    return {**zone, "targets": targets, "thresholds": thresholds}


def _session(user: User, csrf: str | None) -> dict[str, Any]:
    return {"name": user.name, "role": user.role, "partner": user.partner, "csrf": csrf}


def _begun(request: web.Request, user: User, cookie: str, csrf: str) -> web.Response:
    response = json(_session(user, csrf))
    secure = not _is_loopback(request)
    response.set_cookie(COOKIE, cookie, max_age=SESSION_SECONDS, httponly=True, samesite="Strict", secure=secure, path="/")
    return response


def _is_loopback(request: web.Request) -> bool:
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    return host in {"localhost", "127.0.0.1", "[::1]"}
