"""Every route of the API: who may ask for it, with what, and what is answered. Beside them are the files of the page (`desk.files`)."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel

from desk import bodies, queries, shapes
from desk.users import Role

__all__ = ["ROUTES", "Route"]

_EVERYBODY: Final = frozenset(Role)
_OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
_ACTORS: Final = _OPERATORS | {Role.PARTNER}


@dataclass(frozen=True, slots=True)
class Route:
    """A way in."""

    method: str
    path: str
    name: str
    """Of the method of `desk.api.Api` that answers, and of the operation in the OpenAPI document."""
    what: str
    roles: frozenset[Role] | None = _EVERYBODY
    """Who may; None: anybody, unasked who that is."""
    answer: type[BaseModel] | None = None
    """None: something else than JSON, or nothing."""
    query: type[BaseModel] | None = None
    bodies: tuple[type[BaseModel], ...] = ()
    """Any one of them."""
    status: HTTPStatus = HTTPStatus.OK
    media: str = "application/json"
    parameters: tuple[tuple[str, str], ...] = ()
    """Of the path, each with what it is."""

    @property
    def changes(self) -> bool:
        """Whether it does anything but look."""
        return self.method != "GET"

    @property
    def commands(self) -> bool:
        """Whether it writes a command."""
        return self.answer is shapes.Accepted


def _command(name: str, what: str, roles: frozenset[Role], *bodies: type[BaseModel]) -> Route:
    return Route("POST", f"/api/v1/{name}", name, what, roles, shapes.Accepted, bodies=bodies, status=HTTPStatus.ACCEPTED)


_PARTNER: Final = ("partner", "The partner's id.")

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/api/v1/openapi.json", "openapi", "This document.", None),
    Route("POST", "/api/v1/session", "login", "Log in by token: answers with a cookie.", None, shapes.Session, bodies=(bodies.Login,)),
    Route("GET", "/api/v1/session", "session", "Who asks.", answer=shapes.Session),
    Route("DELETE", "/api/v1/session", "logout", "Forget the cookie.", status=HTTPStatus.NO_CONTENT),
    Route("GET", "/api/v1/snapshot", "snapshot", "All that may be seen now.", answer=shapes.Snapshot, query=queries.WindowQuery),
    Route(
        "GET",
        "/api/v1/stream",
        "stream",
        "Server-sent events: `snapshot` at once (`Snapshot`), `delta` (`Delta`) at most every second, `now` (`Now`) every 5 s.",
        query=queries.WindowQuery,
        media="text/event-stream",
    ),
    Route("GET", "/api/v1/partners", "partners", "Partners by name.", answer=shapes.Partners, query=queries.WindowQuery),
    Route(
        "GET",
        "/api/v1/partners/{partner}",
        "partner",
        "One partner with its parts, targets and thresholds.",
        answer=shapes.PartnerDetail,
        query=queries.WindowQuery,
        parameters=(_PARTNER,),
    ),
    Route(
        "GET",
        "/api/v1/partners/{partner}/figures",
        "figures",
        "One partner, or one part of it, in every window that is kept.",
        answer=shapes.Figures,
        query=queries.ScopeQuery,
        parameters=(_PARTNER,),
    ),
    Route(
        "GET",
        "/api/v1/partners/{partner}/timeline",
        "timeline",
        "What happened to a partner, the newest first.",
        answer=shapes.Timeline,
        query=queries.TimelineQuery,
        parameters=(_PARTNER,),
    ),
    Route(
        "GET",
        "/api/v1/kpis/{partner}/{kpi}",
        "kpi",
        "A KPI over time, out of closed stretches.",
        answer=shapes.History,
        query=queries.HistoryQuery,
        parameters=(_PARTNER, ("kpi", "As docs/kpis.md, or the policy, calls it.")),
    ),
    Route(
        "GET",
        "/api/v1/sparks",
        "sparks",
        "The last points of a KPI, of all partners.",
        answer=shapes.Sparks,
        query=queries.SparksQuery,
    ),
    Route("GET", "/api/v1/catalogue", "catalogue", "Every KPI: title, unit, direction, formula.", answer=shapes.Catalogue),
    Route("GET", "/api/v1/alerts", "alerts", "The present alerts.", answer=shapes.Alerts),
    Route("GET", "/api/v1/incidents", "incidents", "The present incidents.", answer=shapes.Incidents),
    Route("GET", "/api/v1/oncall", "oncall", "Who is on call.", answer=shapes.OnCallNow, query=queries.OnCallQuery),
    Route(
        "GET",
        "/api/v1/oncall/schedule",
        "schedule",
        "Who is on call when, and when nobody is.",
        answer=shapes.Schedule,
        query=queries.ScheduleQuery,
    ),
    Route("GET", "/api/v1/reports", "reports", "What shifts had to do with.", answer=shapes.Reports, query=queries.ReportsQuery),
    _command("acknowledge", "Look after an alert or an incident.", _ACTORS, bodies.AckAlert, bodies.AckIncident),
    _command("snooze", "Have an incident wait.", _OPERATORS, bodies.Snooze),
    _command("silence", "Have pages of some alerts wait.", _OPERATORS, bodies.Silence),
    _command("expire", "End a silence.", _OPERATORS, bodies.Expire),
    _command("resolve", "Close an incident.", _OPERATORS, bodies.Resolve),
    _command("reassign", "Hand an incident over.", _OPERATORS, bodies.Reassign),
    _command("override", "Have somebody on call in place of a rotation's own.", _OPERATORS, bodies.Override),
    _command("cancel", "End an override.", _OPERATORS, bodies.Cancel),
    _command("comment", "Say something of an alert or an incident.", _ACTORS, bodies.CommentAlert, bodies.CommentIncident),
    _command("annotate", "Say what happened, or will.", _OPERATORS, bodies.Annotate),
    _command("dispute", "Say that a figure is not what you count.", _ACTORS, bodies.Dispute),
)
