"""What people and scripts are shown of a letter; masked unless they ask for more. Pure."""

from typing import Any

import orjson

from models.masking import mask_json
from streams.letters.letter import Letter

__all__ = ["shown"]

_HIDDEN = "(not shown: it cannot be masked; --unmasked shows it)"


def shown(letter: Letter, *, replayed: bool, unmasked: bool = False) -> dict[str, Any]:
    """A letter as JSON data: where it stands, what it tells of, and its value, where that was read.

    What is personal is replaced in the value and in the error. A value that is not JSON is not shown masked, nor are the contents
    of headers, except those that CloudEvents names.
    """
    masked = None if unmasked or letter.value is None else mask_json(letter.value, "***")
    said: dict[str, Any] = {
        "letter": str(letter.at),
        "source": str(letter.source),
        "partner": letter.partner,
        "reason": letter.reason,
        "error": letter.error if masked is None else masked.redact(letter.error),
        "failed_at": letter.failed_at_ms,
        "bytes": letter.length,
        "cut": letter.cut,
        "replayed": replayed,
        "replayed_from": letter.replayed_from or None,
        "masked_when_written": letter.masked.split(",") if letter.masked else [],
        "headers": {name: _text(content) if unmasked or name.startswith("ce_") else "***" for name, content in letter.headers},
    }
    if letter.value is None:
        value: Any = None
    elif unmasked:
        value = _json_or_text(letter.value)
    else:
        value = _HIDDEN if masked is None else orjson.loads(masked.value)
    return said | {"key": None if letter.key is None else _text(letter.key), "value": value}


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")


def _json_or_text(value: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return _text(value)
