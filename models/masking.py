"""Masking: what names a customer, or what a customer wrote, taken out of a JSON value of whatever shape.

Guarantee: no value of a field called as in `PERSONAL` is left, at any depth, also inside a CloudEvent. What is no JSON cannot be
masked, and is said so. Cost: the value is parsed and written anew, so its bytes change; numbers beyond 64 bits become floats.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

__all__ = ["MASK", "PERSONAL", "Masked", "mask_json"]

PERSONAL: Final = frozenset(
    {"customer", "customerid", "customerkey", "customername", "caller", "callerid", "ani", "phone", "phonenumber", "mobile", "msisdn"}
    | {"email", "emailaddress", "address", "comment"}
)
"""Names of fields, without regard to case, `_` and `-`: those of our events, and those that sources usually give such things."""

MASK: Final = "***"
"""What a text shows in place of what was masked; in JSON it is `by`."""

_REDACTED_CHARS_MIN: Final = 4
"""Shorter values are not looked for in texts: they would be found in innocent words."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A value without what is personal in it."""

    value: bytes
    """The bytes that were given, where nothing had to be masked."""
    names: tuple[str, ...]
    """The fields that were masked, as they were written."""
    hidden: tuple[str, ...]
    """The texts and numbers that stood in them, longest first."""

    def redact(self, text: str) -> str:
        """`text`, such as an error, without what was masked."""
        for each in self.hidden:
            text = text.replace(each, MASK)
        return text


def mask_json(value: bytes, by: str | None = None) -> Masked | None:
    """Mask a value; None where it is not JSON, or nested too deeply to be written again.

    Args:
        value: any bytes.
        by: stands for what was masked; null by default, which every event allows there.
    """
    try:
        data = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    names: dict[str, None] = {}
    hidden: set[str] = set()
    for holder, name in list(_personal(data)):
        names[name] = None
        hidden.update(_texts(holder[name]))
        holder[name] = by
    if not names:
        return Masked(value, (), ())
    try:
        return Masked(orjson.dumps(data), tuple(names), tuple(sorted(hidden, key=len, reverse=True)))
    except orjson.JSONEncodeError:
        return None


def _personal(data: Any) -> Iterator[tuple[dict[str, Any], str]]:  # noqa: ANN401 - JSON
    """The (object, name) of every personal field that says something; not those inside another one."""
    # A stack of our own: what is nested deeply on purpose must not end the worker.
    stack = [data]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            for name, inner in node.items():
                if inner is not None and name.lower().replace("_", "").replace("-", "") in PERSONAL:
                    yield node, name
                else:
                    stack.append(inner)


def _texts(data: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    stack = [data]
    while stack:
        node = stack.pop()
        if isinstance(node, dict | list):
            stack.extend(node.values() if isinstance(node, dict) else node)
        elif len(str(node)) >= _REDACTED_CHARS_MIN and not isinstance(node, bool):
            yield str(node)
