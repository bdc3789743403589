"""Ids of alerts: the same inputs make the same ids, so a recomputation after a crash doubles nothing."""

from hashlib import sha256
from uuid import UUID, uuid5

import orjson

__all__ = ["episode_id", "event_id", "fingerprint"]


def fingerprint(rule_id: str, partner: str, scope: str) -> str:
    """32 hex digits of what an alert is about: without value, severity or the rule's revision, so it outlives them."""
    return _digest(rule_id, partner, scope)


def episode_id(of: str, started_ms: int) -> str:
    """A UUID of one run of trouble: the fingerprint `of` and the grid point at which it began."""
    return str(uuid5(UUID(of), str(started_ms)))


def event_id(of: str, episode: str, seq: int, *at_ms: int) -> str:
    """32 hex digits of one transition; with the grid point, of what happened beside the condition after it."""
    return _digest(of, episode, seq, *at_ms)


def _digest(*parts: str | int) -> str:
    return sha256(orjson.dumps(parts)).hexdigest()[:32]
