"""What goes out to a receiver, and what its answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal, NamedTuple

from alerts.notify.text import cut, one_line

__all__ = ["DETAIL_MAX", "WAIT_SECONDS_MAX", "Answer", "Circumstances", "Letter", "Request", "Verdict", "judge", "said"]

DETAIL_MAX: Final = 500
WAIT_SECONDS_MAX: Final = 600.0
"""However long a receiver asks us to wait."""

_AGAIN: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class Circumstances(NamedTuple):
    """What a request is made with, beside its notification."""

    secrets: Mapping[str, str]
    """By name, all that its receiver names."""
    now_ms: int
    receipt: str | None = None
    """What this receiver answered to the first page of the incident."""
    sender: str = "outwatch@localhost"
    """Of mail."""


@dataclass(frozen=True, slots=True)
class Request:
    """A POST; its body is JSON."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail."""

    message: EmailMessage
    to: tuple[str, ...]


class Answer(NamedTuple):
    """Of a server."""

    status: int
    body: bytes
    """Its beginning."""
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means: `again` may succeed later."""

    kind: Literal["sent", "rejected", "again"]
    detail: str
    receipt: str | None = None
    wait_seconds: float | None = None
    """What the receiver asked for, within bounds."""


def judge(answer: Answer, now_ms: int) -> Verdict:
    """What the status means wherever nothing else is agreed: 2xx took it; 408, 425, 429 and 5xx may later; all else refuses for good."""
    detail = said(answer)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict("sent", detail)
    if answer.status in _AGAIN or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict("again", detail, wait_seconds=_wait_seconds(answer.retry_after, now_ms))
    return Verdict("rejected", detail)


def said(answer: Answer) -> str:
    """Status and beginning of the body, in one line."""
    return cut(one_line(f"{answer.status} {answer.body.decode(errors='replace')}"), DETAIL_MAX)


def _wait_seconds(retry_after: str | None, now_ms: int) -> float | None:
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after) if retry_after.strip().isdigit() else parsedate_to_datetime(retry_after).timestamp() - now_ms / 1000
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), WAIT_SECONDS_MAX)
