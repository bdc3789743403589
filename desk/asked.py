"""What is asked for, as the command that does it. Pure.

What a command is about must stand on the board of who asks: a partner sees nothing else, and so can ask nothing of it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from pydantic import BaseModel, ValidationError

from desk.board import Board
from desk.bodies import AckAlert, AckIncident, Annotate, CommentAlert, CommentIncident, Dispute, Silence, Snooze
from desk.errors import ForbiddenError, InvalidError, Refusal, UnknownError
from desk.users import Role, User
from models.commands import ACK, ANNOTATE, COMMENT, PAYLOADS, SILENCE
from models.incident_commands import INCIDENT_ACK, INCIDENT_COMMENT, INCIDENT_SNOOZE
from models.kpis import CATALOGUE
from models.operation import Command
from models.topics import BROADCAST

__all__ = ["command_of"]


class _Meant(NamedTuple):
    type: str
    partner: str
    payload: dict[str, Any]


def command_of(asked: BaseModel, user: User, board: Board, identity: str, now_ms: int) -> Command:
    """The command.

    Args:
        asked: the body of a request.
        user: who asks.
        board: the newest, of any window.
        identity: the command's id.
        now_ms: the wall clock.

    Raises:
        UnknownError: if what it is about is not there, or not to be seen by who asks.
        ForbiddenError: if who asks may not.
        InvalidError: if it makes no sense.
    """
    meant = _BY_SHAPE[type(asked)](asked, user, board)
    try:
        PAYLOADS[meant.type].model_validate_json(orjson.dumps(meant.payload))
    except ValidationError as error:
        raise InvalidError("; ".join(each["msg"] for each in error.errors(include_url=False))) from error
    return Command(id=identity, type=meant.type, actor=user.name, at=now_ms, partner=meant.partner, payload=meant.payload)


def _alert(asked: AckAlert | CommentAlert, user: User, board: Board) -> _Meant:
    alert = _seen(board, user, "alerts", asked.alert)
    if isinstance(asked, AckAlert) and user.role is Role.PARTNER and not _told_of(board, user, asked.alert):
        raise _not_addressed()
    kind = ACK if isinstance(asked, AckAlert) else COMMENT
    return _Meant(kind, alert["partner"], {"fingerprint": asked.alert, **_rest(asked, "alert")})


def _incident(asked: AckIncident | CommentIncident | Snooze, user: User, board: Board) -> _Meant:
    incident = _seen(board, user, "incidents", asked.incident)
    if isinstance(asked, AckIncident) and user.role is Role.PARTNER and not incident["addressed"]:
        raise _not_addressed()
    kind = {AckIncident: INCIDENT_ACK, CommentIncident: INCIDENT_COMMENT, Snooze: INCIDENT_SNOOZE}[type(asked)]
    return _Meant(kind, incident["partner"], _rest(asked))


def _silence(asked: Silence, _user: User, board: Board) -> _Meant:
    matchers = {name: value for name, value in asked.model_dump().items() if name not in {"until", "comment"} and value is not None}
    whole = any(letter in asked.partner for letter in "*?[")
    if not whole:
        _known(board, asked.partner)
    return _Meant(SILENCE, BROADCAST if whole else asked.partner, {"matchers": matchers, "until": asked.until, "comment": asked.comment})


def _annotation(asked: Annotate | Dispute, user: User, board: Board) -> _Meant:
    if asked.partner != BROADCAST or isinstance(asked, Dispute):
        _known(board, asked.partner)
    if not user.sees(asked.partner):
        msg = f"there is no partner {asked.partner!r}"
        raise UnknownError(msg)
    if isinstance(asked, Dispute) and asked.kpi not in CATALOGUE and asked.kpi not in _seen(board, user, "partners", asked.partner)["kpis"]:
        msg = f"there is no KPI {asked.kpi!r}"
        raise UnknownError(msg)
    payload = _rest(asked, "partner")
    return _Meant(ANNOTATE, asked.partner, payload | ({"kind": "dispute"} if isinstance(asked, Dispute) else {}))


_BY_SHAPE: Final[Mapping[type[BaseModel], Callable[[Any, User, Board], _Meant]]] = {
    AckAlert: _alert,
    CommentAlert: _alert,
    AckIncident: _incident,
    CommentIncident: _incident,
    Snooze: _incident,
    Silence: _silence,
    Annotate: _annotation,
    Dispute: _annotation,
}


def _rest(asked: BaseModel, *without: str) -> dict[str, Any]:
    return asked.model_dump(by_alias=True, exclude_none=True, exclude={*without})


def _known(board: Board, partner: str) -> None:
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
    """Whether an incident with that alert was addressed to the partner's side."""
    incidents = (orjson.loads(body) for body in board.all_of("incidents", user))
    return any(each["addressed"] and any(member["fingerprint"] == fingerprint for member in each["members"]) for each in incidents)


def _not_addressed() -> ForbiddenError:
    return ForbiddenError(Refusal.ROLE, "it was not addressed to you: a partner acknowledges what its own people were told of")
