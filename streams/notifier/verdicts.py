"""Whether an intent is to be sent now, or is beside the point. Pure."""

from enum import StrEnum
from typing import Final, NamedTuple

from models.notifications import Notification, NotifyReason

__all__ = ["END_KEPT_MS", "OLD_MS", "Course", "Known", "course", "wait_ms"]

OLD_MS: Final = 30 * 60_000
"""When a page is told of in a digest, unless its incident is open still, and when one that cannot be delivered is given up."""
END_KEPT_MS: Final = 24 * 3_600_000
"""When an end that cannot be delivered is given up."""

_WAIT_MS_MIN: Final = 10_000
_WAIT_MS_MAX: Final = 120_000


class Course(StrEnum):
    """What is to be done with an intent."""

    SEND = "send"
    STALE = "stale"
    DIGEST = "digest"
    EXPIRED = "expired"


class Known(NamedTuple):
    """How an incident stands, as far as is known."""

    epoch: int
    open: bool


def course(notification: Notification, known: Known | None, tried_ms: int | None, now_ms: int) -> Course:
    """What to do with an intent, first tried in vain at `tried_ms`.

    An end is sent however late: a page that was told must not stand for ever at its pager.
    """
    age_ms = now_ms - notification.processed_at
    if notification.kind == "resolve":
        return Course.EXPIRED if tried_ms is not None and age_ms > END_KEPT_MS else Course.SEND
    if notification.reason is NotifyReason.HANDOVER:
        return Course.EXPIRED if age_ms > OLD_MS else Course.SEND  # It is of no incident.
    over = known is not None and (not known.open or notification.epoch < known.epoch)
    if age_ms > OLD_MS and (known is None or not known.open):
        return Course.DIGEST if notification.kind == "trigger" else Course.STALE
    if over:
        return Course.STALE
    return Course.EXPIRED if tried_ms is not None and now_ms - tried_ms > OLD_MS else Course.SEND


def wait_ms(tries: int, asked_seconds: float | None) -> int:
    """How long to wait after so many rounds that failed; about as long as the receiver asked for, if it did."""
    own = min(_WAIT_MS_MIN << min(tries - 1, 8), _WAIT_MS_MAX)
    # One that asks for a second, and goes on asking, is not asked each second for half an hour.
    return own if asked_seconds is None else max(own // 8, round(asked_seconds * 1000))
