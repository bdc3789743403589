"""Revisions: short names for content, the same wherever the same content is."""

from collections.abc import Mapping
from hashlib import sha256
from json import JSONEncoder
from typing import Final

__all__ = ["canonical", "revision_of", "revision_of_members"]

_ENCODER: Final = JSONEncoder(sort_keys=True, separators=(",", ":"))


def canonical(content: object) -> str:
    """JSON-able `content` in the one way of which revisions are taken."""
    return _ENCODER.encode(content)


def revision_of(content: object) -> str:
    """12 hex digits (48 bits) of the SHA-256 of JSON-able `content`; the order of an object's keys does not matter."""
    return _short(canonical(content))


def revision_of_members(members: Mapping[str, str]) -> str:
    """The revision of an object, whose members come as `canonical` writes them: what many have in common is written once.

    Their names are letters and underscores.
    """
    listed = ",".join(f'"{name}":{members[name]}' for name in sorted(members))
    return _short(f"{{{listed}}}")


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]
