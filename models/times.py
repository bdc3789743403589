"""Times on the wire: RFC 3339 text with an offset, or epoch milliseconds, both read as epoch milliseconds.

RFC 3339, section 5.6: date, `T` or a space, time, an optional fraction, and `Z` or an offset; letters in either case. Fractions
are cut to milliseconds, never rounded, so that a time never moves into the next second.
"""

import re
from datetime import UTC, datetime
from typing import Final

from models.errors import TimeError

__all__ = ["EARLIEST_MS", "to_ms"]

EARLIEST_MS: Final = 315_532_800_000
"""1980-01-01T00:00:00Z. No contact is older; seconds sent for milliseconds fall before it until the year 11968."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# `datetime.fromisoformat` reads much more than RFC 3339 (no offset, week dates, no separators); this lets only RFC 3339 through to it.
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


def to_ms(value: int | str) -> int:
    """A time as epoch milliseconds (UTC).

    Raises:
        TimeError: if it cannot be read, has no offset, is a leap second, or lies before 1980.
    """
    ms = value if isinstance(value, int) else _text_to_ms(value)
    if ms < EARLIEST_MS:
        hint = " (it looks like seconds: send milliseconds)" if isinstance(value, int) and value >= EARLIEST_MS // 1000 else ""
        msg = f"{value!r} lies before 1980{hint}"
        raise TimeError(msg)
    return ms


def _text_to_ms(text: str) -> int:
    matched = _RFC3339.fullmatch(text)
    if matched is None:
        msg = f"{text[:64]!r} is not an RFC 3339 time with an offset, such as 2024-05-01T09:30:00Z or 2024-05-01T09:30:00+02:00"
        raise TimeError(msg)
    if matched[1] == "60":
        msg = f"{text[:64]!r} is a leap second, which epoch time does not have: send second 59 or the next minute"
        raise TimeError(msg)
    try:
        since = datetime.fromisoformat(text.upper()) - _EPOCH
    except ValueError as error:
        msg = f"{text[:64]!r} is no date: {error}"
        raise TimeError(msg) from None
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
