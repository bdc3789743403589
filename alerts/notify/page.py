"""What pages say whatever shows them: a title, why, since when; nothing that the notification does not say itself."""

import re
from typing import Final

from alerts.notify.text import moment, one_line
from models.notifications import Notification, NotifyReason

__all__ = ["details", "link", "rule", "state", "title"]

_LINK_MAX: Final = 1000
_LINK: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?([/?#]([A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?")
_STATES: Final = {"update": "UPDATE", "acknowledge": "ACKNOWLEDGED", "resolve": "RESOLVED"}

_WHY: Final[dict[NotifyReason, str]] = {
    NotifyReason.OPENED: "It began.",
    NotifyReason.WORSE: "It became worse.",
    NotifyReason.NOT_ACKNOWLEDGED: "Nobody answered before.",
    NotifyReason.REJECTED: "The page before could not be delivered.",
    NotifyReason.EMPTY_SHIFT: "Nobody is on call before you.",
    NotifyReason.FALLBACK: "Nobody answered at all.",
    NotifyReason.ACK_ENDED: "An acknowledgement or a snooze ended.",
    NotifyReason.REASSIGNED: "It was handed over to you.",
    NotifyReason.CHANGED: "What it holds changed.",
    NotifyReason.ACKNOWLEDGED: "Somebody looks after it.",
    NotifyReason.RESOLVED: "It is over.",
    NotifyReason.DIGEST: "Pages that were held back.",
    NotifyReason.TEST: "A test: nothing is wrong.",
    NotifyReason.HANDOVER: "A shift began: this is of the one before.",
    NotifyReason.AUDIT: "Outwatch itself may not page anybody.",
}


def state(notification: Notification) -> str:
    """CRITICAL, WARNING, UPDATE, ACKNOWLEDGED, RESOLVED, TEST or HANDOVER."""
    if notification.reason in {NotifyReason.TEST, NotifyReason.HANDOVER}:
        return notification.reason.upper()
    return _STATES.get(notification.kind, notification.severity.upper())


def title(notification: Notification) -> str:
    """One line: the state, then the text that is whole by itself."""
    return one_line(f"[{state(notification)}] {notification.text}")


def rule(notification: Notification) -> str:
    """The rule that the incident groups by, if it names one."""
    return notification.labels.get("rule", "outwatch")


def link(notification: Notification) -> str | None:
    """The runbook, where it is an address that every receiver takes for one; some refuse a page for less."""
    runbook = notification.runbook
    return runbook if runbook is not None and len(runbook) <= _LINK_MAX and _LINK.fullmatch(runbook) else None


def details(notification: Notification) -> dict[str, str]:
    """By name in the order in which they are shown: the facts, then what is true of every page."""
    found = {fact.name: fact.value for fact in notification.facts}
    found |= {"Why you are told": _WHY[notification.reason], "Since": moment(notification.opened_at)}
    if notification.ended_at is not None:
        found["Until"] = moment(notification.ended_at)
    if notification.members > 1:
        found["Open alerts"] = str(notification.members)
    if notification.late:
        found["Late"] = "Decided while the past was caught up on."
    if notification.suggested_action is not None:
        found["What to do"] = notification.suggested_action
    if notification.runbook is not None:
        found["Runbook"] = notification.runbook
    return found
