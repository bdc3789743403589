"""What the desk answers when it does not do what was asked: problem details (RFC 9457).

ProblemError
├── UnknownError        404: no such route, partner, KPI or alert
├── UnauthenticatedError 401
├── ForbiddenError      403: a role that may not, a token of a cookie's request that is missing
├── InvalidError        422: a body or a parameter that makes no sense; names each
├── TooManyError        429: a limit of requests
└── UnavailableError    503: Redis, Kafka or room for a viewer
"""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

__all__ = [
    "DeskError",
    "ForbiddenError",
    "InvalidError",
    "ProblemError",
    "Refusal",
    "TooManyError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnknownError",
]


class Refusal(StrEnum):
    """Why a request was refused: the `type` of the problem, and the label of the metric."""

    UNKNOWN = "unknown"
    METHOD = "method"
    UNAUTHENTICATED = "unauthenticated"
    ROLE = "role"
    PARTNER = "partner"
    CSRF = "csrf"
    INVALID = "invalid"
    MEDIA_TYPE = "media_type"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    RATE = "rate"
    VIEWERS = "viewers"
    NO_VIEW = "no_view"
    NO_KAFKA = "no_kafka"
    BUG = "bug"


class DeskError(Exception):
    """Raised when the desk cannot start, or not go on."""


class ProblemError(DeskError):
    """Raised when a request is refused; carries what the answer says."""

    def __init__(self, status: HTTPStatus, reason: Refusal, detail: str, **more: Any) -> None:  # noqa: ANN401 - members of the problem
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.headers: dict[str, str] = {}
        self.body = {"type": f"urn:outwatch:{reason}", "title": status.phrase, "status": status.value, "detail": detail, **more}


class UnknownError(ProblemError):
    """Raised when what is asked for is not there."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, Refusal.UNKNOWN, detail)


class UnauthenticatedError(ProblemError):
    """Raised when nobody says who asks, or it is not believed."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.UNAUTHORIZED, Refusal.UNAUTHENTICATED, detail)
        self.headers["WWW-Authenticate"] = 'Bearer realm="outwatch"'


class ForbiddenError(ProblemError):
    """Raised when who asks may not."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, reason, detail)


class InvalidError(ProblemError):
    """Raised when a body or a parameter makes no sense; `errors` names the fields."""

    def __init__(self, detail: str, errors: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, Refusal.INVALID, detail, **({"errors": list(errors)} if errors else {}))


class TooManyError(ProblemError):
    """Raised when somebody asks too often."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(HTTPStatus.TOO_MANY_REQUESTS, Refusal.RATE, f"too many requests; try again in {wait_seconds} s")
        self.headers["Retry-After"] = str(wait_seconds)


class UnavailableError(ProblemError):
    """Raised when something is missing that the answer is made of."""

    def __init__(self, reason: Refusal, detail: str, wait_seconds: int = 2) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, reason, detail)
        self.headers["Retry-After"] = str(wait_seconds)
