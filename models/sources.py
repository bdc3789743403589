"""Sources that say that they live (`source.alive`), and what that tells of a partner that nothing is heard of. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = ["SILENT_AFTER_MS", "UNNAMED", "Voice", "voice"]

SILENT_AFTER_MS: Final = 90_000
"""A source speaks every 30 s; one of which three are missing is silent."""

UNNAMED: Final = ""
"""What a source is called here that gives itself no name."""


class Voice(StrEnum):
    """What is known of the source of a partner's contacts."""

    UNDECLARED = "undeclared"
    """Nothing: none ever said that it lives, or of several, of which the policy names none as the partner's, only some live."""
    ALIVE = "alive"
    SILENT = "silent"
    """It used to say that it lives."""


def voice(alive: Mapping[str, bool], named: str | None) -> Voice:
    """What is known of the source of a partner.

    Args:
        alive: of each source on the topic of contacts that ever said that it lives, whether it still does.
        named: the partner's, as its policy says; None where that says nothing.
    """
    found = list(alive.values()) if named is None else [alive[named]] if named in alive else []
    if not found or (any(found) and not all(found)):
        return Voice.UNDECLARED
    return Voice.ALIVE if all(found) else Voice.SILENT
