"""Revisions: short names for content, the same wherever the same content is."""

from hashlib import sha256
from json import dumps

__all__ = ["revision_of"]


def revision_of(content: object) -> str:
    """12 hex digits (48 bits) of the SHA-256 of JSON-able `content`; the order of an object's keys does not matter."""
    return sha256(dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:12]
