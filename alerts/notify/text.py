"""Text for machines that refuse what is too long: cut at a whole word, so that no page is lost to its length."""

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["cut", "cut_escaped", "moment", "one_line", "units"]

_ELLIPSIS = "…"
_BMP_END = "\uffff"


def units(text: str) -> int:
    """The length as the strictest count it: in UTF-16 units, of which an emoji is two."""
    return len(text) + sum(character > _BMP_END for character in text)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` units; what is cut ends after a whole word, where there is one, with an ellipsis."""
    if units(text) <= limit:
        return text
    kept, used = 0, len(_ELLIPSIS)
    for character in text:
        used += 1 + (character > _BMP_END)
        if used > limit:
            break
        kept += 1
    short = text[:kept]
    if not text[kept].isspace():
        whole = len(short.rstrip()) if not short or short[-1].isspace() else _word_end(short)
        # Half of what there is room for is worth more than a whole word.
        short = short[:whole] if 2 * whole >= kept else short
    return short.rstrip() + _ELLIPSIS


def _word_end(text: str) -> int:
    at = len(text)
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at


def cut_escaped(text: str, limit: int, escape: Callable[[str], str]) -> str:
    """`escape(text)` in at most `limit` units, never cut within what stands for one character."""
    room = limit
    while units(escaped := escape(cut(text, room))) > limit:
        room -= max(1, (units(escaped) - limit) // _WIDEST)
    return escaped


_WIDEST = 5
"""Characters that `&amp;` takes."""


def one_line(text: str) -> str:
    """Without line breaks and runs of blanks."""
    return " ".join(text.split())


def moment(at_ms: int) -> str:
    """RFC 3339 in UTC, such as 2026-11-23T12:00:00.000Z."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
