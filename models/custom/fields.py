"""The fields of events that a KPI of a policy may ask for, and those that it may sum."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from models import decode
from models.custom.spec import EventName
from models.events import EVENT_TYPES

__all__ = [
    "AMOUNTS",
    "CRITICAL_FAIL",
    "CUSTOMERS",
    "EVALUATED",
    "FIELDS",
    "HANDLE_SECONDS",
    "RECORD",
    "STRUCTS",
    "WHOLE",
    "Amount",
    "Asked",
]

HANDLE_SECONDS: Final = "handle_seconds"
"""Of `contact.completed`: talk, hold and wrap-up together, which no event says."""
EVALUATED: Final = "quality.evaluated"
"""Events with items, each of a criterion."""
CRITICAL_FAIL: Final = "critical_fail"
"""Of `quality.evaluated`: what `compliance_rate` counts, which no event says."""
WHOLE: Final = frozenset({"automatic_fail", "script_done", "script_required"})
"""What an evaluation says of the contact as a whole, and not by criterion."""
_NAMES: Final = frozenset({"event_id", "partner_id", "type", "contact_id", "root_contact_id", "customer_key", "comment"})
"""What says nothing of what happened, or who a customer is: no policy names one."""


class Asked(NamedTuple):
    """What a field can be compared with."""

    kind: Literal["text", "flag", "number"]
    options: tuple[str, ...] = ()
    """Of a text that can only be one of them."""


class Amount(NamedTuple):
    """How a field is summed: whole numbers, so that any order gives the same."""

    scale: int
    """So many make one."""
    fine: int
    """Of squares, so many squared make one: 1 of times, which would not fit in thousandths."""
    seconds: bool = False


_TIME: Final = Amount(1000, 1, seconds=True)
_POINTS: Final = Amount(1000, 1000)
_WHOLE: Final = Amount(1, 1)

AMOUNTS: Final[Mapping[str, Amount]] = {
    **dict.fromkeys(("wait_seconds", "talk_seconds", "hold_seconds", "wrap_seconds", HANDLE_SECONDS), _TIME),
    **dict.fromkeys(("score", "points", "points_possible"), _POINTS),
    **dict.fromkeys(("holds", "script_done", "script_required"), _WHOLE),
}
"""None of them is ever below 0."""


def _asked(annotation: Any) -> Asked | None:  # noqa: ANN401 - a type form has no type of its own
    """What a field of this type can be compared with; None for times, which are of two types, and lists."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _asked(arguments[0])
    if origin in {Union, UnionType}:
        (said, *others) = (each for each in arguments if each is not NoneType)
        return None if others else _asked(said)
    if origin is Literal:
        return Asked("text", arguments)
    return {str: Asked("text"), bool: Asked("flag"), int: Asked("number"), float: Asked("number")}.get(annotation)


def _fields(model: Any) -> dict[str, Asked]:  # noqa: ANN401 - the class of an event
    asked = {name: _asked(info.annotation) for name, info in model.model_fields.items() if name not in _NAMES}
    return {name: each for name, each in asked.items() if each is not None}


_MODELS: Final = {get_args(model.model_fields["type"].annotation)[0]: model for model in EVENT_TYPES}
CUSTOMERS: Final = ("csat", "nps", "ces")
"""The surveys of customers: what employees answer is told only where five did, and so by the KPIs of the catalogue alone."""
_COUNTABLE: Final[tuple[EventName, ...]] = get_args(EventName)

STRUCTS: Final[Mapping[EventName, type]] = {name: getattr(decode, _MODELS[name].__name__) for name in _COUNTABLE}
RECORD: Final[type] = decode.ContactRecord
FIELDS: Final[Mapping[EventName, Mapping[str, Asked]]] = {
    **{name: _fields(_MODELS[name]) for name in _COUNTABLE},
    **{name: {**_fields(_MODELS[name]), "survey": Asked("text", CUSTOMERS)} for name in ("survey.invited", "survey.response")},
    EVALUATED: {**_fields(_MODELS[EVALUATED]), CRITICAL_FAIL: Asked("flag")},
    "contact.completed": {**_fields(_MODELS["contact.completed"]), HANDLE_SECONDS: Asked("number")},
}
