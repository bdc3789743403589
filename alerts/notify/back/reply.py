"""What a call-back comes to."""

import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from models.errors import OutwatchError

__all__ = ["TOLERANCE_SECONDS", "Ask", "CallbackError", "ForgedError", "Reply", "UnreadableCallbackError", "fresh", "signed"]

TOLERANCE_SECONDS: Final = 300
"""How far the time in a signature may lie from ours: who replays it later is refused."""


class CallbackError(OutwatchError):
    """Raised when a call-back is refused; the answer says nothing of why."""


class ForgedError(CallbackError):
    """Raised when a signature is missing, wrong or too old."""


class UnreadableCallbackError(CallbackError):
    """Raised when what was signed makes no sense."""


class Ask(StrEnum):
    """What somebody asks for."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Reply(NamedTuple):
    """A person's answer to a page."""

    ask: Ask
    incident: str
    actor: str
    delivery: str
    """The same each time that the call-back is sent."""
    epoch: int | None = None
    """That of the page which was answered, where it says so."""


def signed(expected: Iterable[str], given: Iterable[str]) -> bool:
    """Whether one of the signatures is one of those that our keys make; each is compared in constant time."""
    seen = [each.encode(errors="replace") for each in given]
    return any(hmac.compare_digest(made.encode(), each) for made in expected for each in seen)


def fresh(seconds: str | None, now_ms: int) -> int:
    """The time that a signature covers.

    Raises:
        ForgedError: if it is none, or lies too far from now.
    """
    text = (seconds or "").strip()
    if not text.isascii() or not text.isdigit() or abs(int(text[:15]) - now_ms / 1000) > TOLERANCE_SECONDS:
        msg = "time"
        raise ForgedError(msg)
    return int(text)
