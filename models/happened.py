"""What happened to a partner, as the view keeps it: a line for each transition of an alert that somebody would tell of. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

__all__ = ["KINDS", "line"]

KINDS: Final = frozenset({"fired", "escalated", "eased", "refired", "resolved", "retired"})
"""Of transitions; what is only pending, recovering or waits for its page is not told of."""

_TEXT_MAX: Final = 300


def line(event: Mapping[str, Any]) -> bytes:
    """A transition (`models.records.AlertEvent`, as JSON gives it) in 300 to 500 bytes of JSON.

    Raises:
        KeyError, TypeError: if it is none.
    """
    told = {
        "id": event["id"],
        "at": event["evaluated_at"],
        "what": event["transition"]["kind"],
        "text": event["explanation"][:_TEXT_MAX],
        "severity": event["severity"],
        "rule": event["rule"]["id"],
        "scope": event["scope"],
        "kpi": event["evidence"].get("kpi"),
        "alert": event["fingerprint"],
        "suppressed_by": event.get("suppressed_by", ()),
        "late": event["late"],
    }
    return orjson.dumps(told)
