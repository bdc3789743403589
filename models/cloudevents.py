"""CloudEvents 1.0 around a canonical event: structured (an envelope with `data`) and binary (`ce_*` headers), JSON data only.

Only what the data does not say itself is filled in. An attribute's name has no underscore, so no envelope passes for a canonical
event, nor the other way round. Source: CloudEvents 1.0.2, its JSON format and its Kafka protocol binding.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson

__all__ = ["Headers", "unwrap"]

Headers = Sequence[tuple[str, bytes]]
"""A record's headers, as Kafka clients give them."""

_FIELDS: Final = {"id": "event_id", "type": "type", "time": "occurred_at", "subject": "partner_id"}
"""Attribute -> the field it fills."""


def unwrap(value: bytes, headers: Headers) -> bytes | None:
    """The canonical event inside, as JSON and not validated; None where there is no CloudEvent around `value`."""
    try:
        outer = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(outer, dict):
        return None
    structured = outer.get("specversion") == "1.0"
    attributes, data = (outer, outer.get("data")) if structured else (_attributes(headers), outer)
    if attributes.get("specversion") != "1.0" or not isinstance(data, dict):
        return None
    return orjson.dumps({field: attributes[name] for name, field in _FIELDS.items() if name in attributes} | data)


def _attributes(headers: Headers) -> dict[str, Any]:
    # A client may hand over a header without a value; an attribute that is not UTF-8 names nothing that could be looked for.
    return {name.removeprefix("ce_"): text.decode(errors="replace") for name, text in headers if name.startswith("ce_") and text}
