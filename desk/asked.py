"""What is asked for, as the command that does it. Pure.

What a command is about must stand on the board of who asks: a partner sees nothing else, and so can ask nothing of it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

import orjson
from pydantic import BaseModel, ValidationError

from desk.board import Board
from desk.bodies import (
    AckAlert,
    AckIncident,
    Annotate,
    Cancel,
    CommentAlert,
    CommentIncident,
    Dispute,
    Expire,
    Override,
    Reassign,
    Resolve,
    Silence,
    Snooze,
)
from desk.errors import ForbiddenError, InvalidError, Refusal, UnknownError
from desk.users import Role, User
from desk.view import Look
from models.commands import ACK, ANNOTATE, COMMENT, EXPIRE, PAYLOADS, SILENCE
from models.escalation import TargetSpec
from models.incident_commands import INCIDENT_ACK, INCIDENT_COMMENT, INCIDENT_REASSIGN, INCIDENT_RESOLVE, INCIDENT_SNOOZE
from models.kpis import CATALOGUE
from models.oncall_commands import CANCEL, OVERRIDE
from models.operation import Command
from models.policy_spec import SharedPart
from models.topics import BROADCAST

__all__ = ["Known", "command_of"]


class Known(NamedTuple):
    """What a command can be about."""

    board: Board
    """The newest, of any window."""
    look: Look
    """That it was made of."""
    shared: Callable[[], SharedPart]
    """What holds for every partner; raises UnavailableError if a newer release wrote it."""


class _Meant(NamedTuple):
    type: str
    partner: str
    payload: dict[str, Any]


def command_of(asked: BaseModel, user: User, known: Known, identity: str, now_ms: int) -> Command:
    """The command.

    Args:
        asked: the body of a request.
        user: who asks.
        known: what stands there now.
        identity: the command's id.
        now_ms: the wall clock.

    Raises:
        UnknownError: if what it is about is not there, or not to be seen by who asks.
        ForbiddenError: if who asks may not.
        InvalidError: if it makes no sense.
    """
    meant = _BY_SHAPE[type(asked)](asked, user, known)
    try:
        PAYLOADS[meant.type].model_validate_json(orjson.dumps(meant.payload))
    except ValidationError as error:
        raise InvalidError("; ".join(each["msg"] for each in error.errors(include_url=False))) from error
    return Command(id=identity, type=meant.type, actor=user.name, at=now_ms, partner=meant.partner, payload=meant.payload)


def _alert(asked: AckAlert | CommentAlert, user: User, known: Known) -> _Meant:
    board = known.board
    alert = _seen(board, user, "alerts", asked.alert)
    if isinstance(asked, AckAlert) and user.role is Role.PARTNER and not _told_of(board, user, asked.alert):
        raise _not_addressed()
    kind = ACK if isinstance(asked, AckAlert) else COMMENT
    return _Meant(kind, alert["partner"], {"fingerprint": asked.alert, **_rest(asked, "alert")})


def _incident(asked: AckIncident | CommentIncident | Snooze | Resolve | Reassign, user: User, known: Known) -> _Meant:
    incident = _seen(known.board, user, "incidents", asked.incident)
    if isinstance(asked, AckIncident) and user.role is Role.PARTNER and not incident["addressed"]:
        raise _not_addressed()
    if isinstance(asked, Reassign):
        _reachable(asked.to, incident["partner"], known)
    return _Meant(_OF_INCIDENTS[type(asked)], incident["partner"], _rest(asked))


def _silence(asked: Silence, _user: User, known: Known) -> _Meant:
    matchers = {name: value for name, value in asked.model_dump().items() if name not in {"until", "comment"} and value is not None}
    whole = any(letter in asked.partner for letter in "*?[")
    if not whole:
        _exists(known.board, asked.partner)
    return _Meant(SILENCE, BROADCAST if whole else asked.partner, {"matchers": matchers, "until": asked.until, "comment": asked.comment})


def _annotation(asked: Annotate | Dispute, user: User, known: Known) -> _Meant:
    board = known.board
    if asked.partner != BROADCAST or isinstance(asked, Dispute):
        _exists(board, asked.partner)
    if not user.sees(asked.partner):
        msg = f"there is no partner {asked.partner!r}"
        raise UnknownError(msg)
    if isinstance(asked, Dispute) and asked.kpi not in CATALOGUE and asked.kpi not in _seen(board, user, "partners", asked.partner)["kpis"]:
        msg = f"there is no KPI {asked.kpi!r}"
        raise UnknownError(msg)
    payload = _rest(asked, "partner")
    return _Meant(ANNOTATE, asked.partner, payload | ({"kind": "dispute"} if isinstance(asked, Dispute) else {}))


def _expire(asked: Expire, user: User, known: Known) -> _Meant:
    silence = _seen(known.board, user, "silences", asked.silence)
    return _Meant(EXPIRE, silence["partner"], {"silence": asked.silence})


def _override(asked: Override, _user: User, known: Known) -> _Meant:
    shared = known.shared()
    rotation = next((each for each in shared.rotations if each.id == asked.rotation), None)
    if rotation is None:
        _refuse("rotation", f"there is no rotation {asked.rotation!r}")
    if all(each.id != asked.person or each.partner != rotation.partner for each in shared.people):
        _refuse("person", f"nobody on the side of {rotation.partner or 'the client'} is called {asked.person!r}")
    return _Meant(OVERRIDE, BROADCAST, _rest(asked))


def _cancel(asked: Cancel, _user: User, known: Known) -> _Meant:
    if asked.override not in known.look.overrides:
        msg = f"there is no override {asked.override!r}"
        raise UnknownError(msg)
    return _Meant(CANCEL, BROADCAST, {"override": asked.override})


def _reachable(to: TargetSpec, partner: str, known: Known) -> None:
    """See that somebody is called so, on the client's side or on that of the incident's partner."""
    shared, policy = known.shared(), known.look.policies.get(partner)
    sides = {None, partner}
    named = {
        "person": {each.id for each in shared.people if each.partner in sides},
        "rotation": {each.id for each in shared.rotations if each.partner in sides},
        "receiver": {each.id for each in shared.receivers if each.partner in sides},
        "partner": set() if policy is None else {*policy.body["part"].get("contacts", ())},
    }
    for kind, name in to.model_dump(exclude_none=True).items():
        if name not in named[kind]:
            what = "contact of the partner" if kind == "partner" else kind
            _refuse(f"to.{kind}", f"there is no {what} {name!r} that an incident of {partner} could be handed to")


_OF_INCIDENTS: Final[Mapping[type[BaseModel], str]] = {
    AckIncident: INCIDENT_ACK,
    CommentIncident: INCIDENT_COMMENT,
    Snooze: INCIDENT_SNOOZE,
    Resolve: INCIDENT_RESOLVE,
    Reassign: INCIDENT_REASSIGN,
}

_BY_SHAPE: Final[Mapping[type[BaseModel], Callable[[Any, User, Known], _Meant]]] = {
    AckAlert: _alert,
    CommentAlert: _alert,
    AckIncident: _incident,
    CommentIncident: _incident,
    Snooze: _incident,
    Resolve: _incident,
    Reassign: _incident,
    Expire: _expire,
    Override: _override,
    Cancel: _cancel,
    Silence: _silence,
    Annotate: _annotation,
    Dispute: _annotation,
}


def _rest(asked: BaseModel, *without: str) -> dict[str, Any]:
    return asked.model_dump(by_alias=True, exclude_none=True, exclude={*without})


def _exists(board: Board, partner: str) -> None:
    if ("partners", partner) not in board.entities:
        msg = f"there is no partner {partner!r}"
        raise UnknownError(msg)


def _seen(board: Board, user: User, kind: Any, identity: str) -> Any:  # noqa: ANN401 - a record
    body = board.seen((kind, identity), user) if (kind, identity) in board.entities else None
    if body is None:
        msg = f"{kind} have no {identity!r}"
        raise UnknownError(msg)
    return orjson.loads(body)


def _told_of(board: Board, user: User, fingerprint: str) -> bool:
    """Whether a present incident with that alert was addressed to the partner's side; of one that is over nothing follows."""
    incidents = (orjson.loads(body) for body in board.all_of("incidents", user))
    present = (each for each in incidents if each["addressed"] and each["ended_at"] is None)
    return any(any(member["fingerprint"] == fingerprint for member in each["members"]) for each in present)


def _refuse(field: str, message: str) -> NoReturn:
    raise InvalidError(message, [{"field": field, "message": message}])


def _not_addressed() -> ForbiddenError:
    return ForbiddenError(Refusal.ROLE, "it was not addressed to you: a partner acknowledges what its own people were told of")
