"""msgspec structs derived from pydantic models: the same fields, bounds and defaults, decoded four times as fast.

A derivation either carries everything that the model checks or fails at import: a bound, type or validator that it does not know
is a TypeError, never a check silently lost. Models inside of lists are derived with the model that holds them.
"""

from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import annotated_types
import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["struct_of", "to_struct"]

_PLAIN: Final = (str, int, float, bool)
_derived: Final[dict[type[BaseModel], type[msgspec.Struct]]] = {}
"""By model: what `to_struct` makes of its instances."""


def struct_of(model: type[BaseModel], module: str) -> type[msgspec.Struct]:
    """A frozen struct of the same name and attributes as `model`, tagged by its literal `type`.

    Args:
        model: A strict model with a field `type` of one literal, without validators of its own.
        module: The module that will hold the struct.

    Raises:
        TypeError: if the model checks anything that a struct cannot.
    """
    (tag,) = get_args(model.model_fields["type"].annotation)
    return _derive(model, module, tag)


def to_struct(model: BaseModel) -> msgspec.Struct:
    """The struct that holds what `model` holds; the model of it, and of all that is in it, must have been derived."""
    return _derived[type(model)](**{name: _to_plain(value) for name, value in vars(model).items() if name != "type"})


def _to_plain(value: Any) -> Any:  # noqa: ANN401 -- the value of any field
    if isinstance(value, list):
        return [_to_plain(each) for each in value]
    return to_struct(value) if isinstance(value, BaseModel) else value


def _derive(model: type[BaseModel], module: str, tag: str | None) -> type[msgspec.Struct]:
    validators = model.__pydantic_decorators__
    if validators.validators or validators.field_validators or validators.root_validators or validators.model_validators:
        msg = f"{model.__name__} has validators, which a struct cannot carry"
        raise TypeError(msg)
    if not model.model_config.get("strict") or model.model_config.get("extra") != "ignore":
        msg = f"{model.__name__} is not strict, or does not ignore unknown fields: a struct is and does"
        raise TypeError(msg)
    fields = [_field(name, info, module) for name, info in model.model_fields.items() if name != "type" or tag is None]
    _derived[model] = msgspec.defstruct(
        model.__name__,
        fields,
        # A tag is no field of a struct, yet a model's `type` can be asked for.
        namespace={"__doc__": model.__doc__} if tag is None else {"type": tag, "__doc__": model.__doc__},
        module=module,
        tag_field=None if tag is None else "type",
        tag=tag,
        rename={name: info.alias for name, info in model.model_fields.items() if info.alias is not None},
        frozen=True,
        kw_only=True,
        gc=False,  # Events hold no cycles, and a collector that walks every run costs more than the fold.
    )
    return _derived[model]


def _field(name: str, info: FieldInfo, module: str) -> tuple[str, Any] | tuple[str, Any, Any]:
    if info.default_factory or info.validation_alias != info.alias:
        msg = f"{name}: a default factory, or an alias that only reading knows, cannot be derived"
        raise TypeError(msg)
    kind = _type(info.annotation, info.metadata, module)
    return (name, kind) if info.is_required() else (name, kind, info.default)


def _type(annotation: Any, metadata: list[Any], module: str) -> Any:  # noqa: ANN401 -- a type form has no type of its own
    """The type form that msgspec checks as pydantic does `annotation` under `metadata`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [bound for extra in arguments[1:] for bound in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
        return _type(arguments[0], [*inner, *metadata], module)
    if origin in {Union, UnionType}:
        return Union[tuple(NoneType if each is NoneType else _type(each, metadata, module) for each in arguments)]  # noqa: UP007 -- made of a tuple
    if origin is Literal and not metadata:
        return annotation
    if origin is list:
        return _bounded(GenericAlias(list, (_type(arguments[0], [], module),)), metadata)
    if annotation in _PLAIN:
        return _bounded(annotation, metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not metadata:
        return _derived.get(annotation) or _derive(annotation, module, None)
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
