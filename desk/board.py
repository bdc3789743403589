"""The board: what everybody looks at, as entities that are told anew when they change, and only to those who may see them. Pure.

A viewer is told what differs between the board that it was told of last and the newest one: so the newest wins, whoever is slow misses
boards and never queues them, and nothing is kept for anybody but a board.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, NamedTuple

import orjson

from desk.shapes import OwnIncident
from desk.users import Role, User
from desk.view import Look, Read
from models.overview import View, overview

__all__ = ["KINDS", "Board", "Entity", "board_of", "delta", "snapshot"]

Json = Mapping[str, Any]
Kind = Literal["partners", "totals", "alerts", "incidents", "silences", "annotations", "outcomes", "heartbeats", "projector"]
KINDS: Final[tuple[Kind, ...]] = (
    "partners",
    "totals",
    "alerts",
    "incidents",
    "silences",
    "annotations",
    "outcomes",
    "heartbeats",
    "projector",
)
Key = tuple[Kind, str]

_HEARTBEAT: Final = ("partition", "as_of", "frontier", "cadence_seconds")
_INSTRUCTIONS: Final = frozenset({"runbook", "suggested_action"})
_OWN: Final = frozenset(OwnIncident.model_fields)


class Entity(NamedTuple):
    """Something that is shown."""

    partner: str | None
    """Whose it is; None: of no single partner."""
    body: bytes
    theirs: bytes | None
    """What the partner sees of it; None: nothing."""


@dataclass(frozen=True, slots=True)
class Board:
    """What stood there at one moment, in one window."""

    number: int
    at_ms: int
    window: str
    entities: Mapping[Key, Entity]
    as_of: Mapping[int, int]
    """By partition: when its worker last said that it lives."""
    partition_of: Callable[[str], int]

    def seen(self, key: Key, user: User) -> bytes | None:
        """What a user sees of an entity."""
        entity = self.entities[key]
        if user.role is not Role.PARTNER:
            return entity.body
        if key[0] == "heartbeats":
            return entity.body if key[1] == str(self.partition_of(user.partner or "")) else None
        return entity.theirs if entity.partner == user.partner else None

    def all_of(self, kind: Kind, user: User) -> Iterator[bytes]:
        """What a user sees of a kind, in order."""
        for key in self.entities:
            if key[0] == kind and (body := self.seen(key, user)) is not None:
                yield body

    def as_of_ms(self, user: User) -> int | None:
        """When what a user sees was last known to hold: of the worker that was silent for longest."""
        if user.role is Role.PARTNER:
            return self.as_of.get(self.partition_of(user.partner or ""))
        return min(self.as_of.values(), default=None)


def board_of(look: Look, window: str, number: int, now_ms: int, clock: Literal["wall", "log"], partition_of: Callable[[str], int]) -> Board:
    """Bring together what was read."""
    figures = look.windows[window]
    view = View(
        window=window,
        figures=tuple(each.body for each in figures.partners.values()),
        total=figures.total and figures.total.body,
        alerts=tuple(each.body for each in look.alerts.values()),
        heartbeats={int(number): each.body for number, each in look.heartbeats.items()},
        policies={partner: each.body for partner, each in look.policies.items()},
        health=look.projector and look.projector.body,
    )
    entities: dict[Key, Entity] = {}
    for row in overview(view, now_ms, clock, partition_of).partners:
        # Of its fields alone: `asdict` copies every figure of every partner, 100 ms a second for 200 of them.
        said = {each.name: getattr(row, each.name) for each in fields(row)}
        body = orjson.dumps({**said, "partition": partition_of(row.partner), "window": window})
        entities["partners", row.partner] = Entity(row.partner, body, body)
    if figures.total is not None:
        entities["totals", window] = Entity(None, figures.total.raw, None)
    for fingerprint, alert in sorted(look.alerts.items(), key=_place):
        entities["alerts", fingerprint] = _own(alert, orjson.dumps(_alert_of_partner(alert.body)))
    for identity, incident in sorted(look.incidents.items(), key=lambda each: (-each[1].body["opened_at"], each[0])):
        entities["incidents", identity] = _own(incident, orjson.dumps(_incident_of_partner(incident.body)))
    for identity, silence in look.silences.items():
        entities["silences", identity] = _own(silence, orjson.dumps({**silence.body, "comment": ""}))
    for identity, annotation in look.annotations.items():
        entities["annotations", identity] = _own(annotation)
    for outcome in look.outcomes:
        entities["outcomes", f"{outcome.body['id']}@{outcome.body['processed_at']}"] = _own(outcome)
    for partition, beat in look.heartbeats.items():
        entities["heartbeats", partition] = Entity(None, orjson.dumps({name: beat.body.get(name) for name in _HEARTBEAT}), None)
    if look.projector is not None:
        entities["projector", ""] = Entity(None, look.projector.raw, None)
    as_of = {int(partition): each.body["as_of"] for partition, each in look.heartbeats.items()}
    return Board(number, now_ms, window, entities, as_of, partition_of)


def _place(alert: tuple[str, Read]) -> tuple[int, int, str]:
    body = alert[1].body
    # What a worker of a release before wrote has no order.
    return -body.get("order", 0), body.get("fired_at") or 0, alert[0]


def _alert_of_partner(alert: Json) -> dict[str, Any]:
    """What its partner sees: neither what others said of it, nor what they are to do, which is the client's for all partners."""
    ack = alert.get("ack")
    rule = {name: value for name, value in alert["rule"].items() if name not in _INSTRUCTIONS}
    return {**alert, "rule": rule, "comments": [], "ack": ack and {**ack, "comment": None}}


def _incident_of_partner(incident: Json) -> dict[str, Any]:
    members = [{name: value for name, value in each.items() if name not in _INSTRUCTIONS} for each in incident["members"]]
    own = {name: value for name, value in incident.items() if name in _OWN}
    return {**own, "members": members, "addressed": addressed(incident)}


def addressed(incident: Json) -> bool:
    """Whether somebody on the partner's side was told of it."""
    return any(told["side"] == "partner" for told in incident["told"])


def snapshot(board: Board, user: User) -> bytes:
    """All that a user sees, as JSON: `desk.shapes.Snapshot`."""
    return _frame(board, user, {kind: [orjson.Fragment(body) for body in board.all_of(kind, user)] for kind in KINDS})


def delta(old: Board, new: Board, user: User) -> bytes | None:
    """What a user sees differently: `desk.shapes.Delta`; None if nothing."""
    changed: dict[str, list[orjson.Fragment]] = defaultdict(list)
    gone: dict[str, list[str]] = defaultdict(list)
    for key in _differing(old, new):
        body = new.seen(key, user) if key in new.entities else None
        if body is not None:
            changed[key[0]].append(orjson.Fragment(body))
        elif key in old.entities and old.seen(key, user) is not None:
            gone[key[0]].append(key[1])
    if not changed and not gone:
        return None
    return _frame(new, user, {"changed": changed, "gone": gone})


def _differing(old: Board, new: Board) -> Iterable[Key]:
    yield from (key for key in old.entities if key not in new.entities)
    before = old.entities
    yield from (key for key, entity in new.entities.items() if before.get(key) != entity)


def _frame(board: Board, user: User, parts: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"at": board.at_ms, "as_of": board.as_of_ms(user), "window": board.window, **parts})


def _own(read: Read, theirs: bytes | None = None) -> Entity:
    return Entity(read.body["partner"], read.raw, theirs or read.raw)
