"""PagerDuty, Events API v2: an event an incident, which it knows again by the `dedup_key`.

202 is accepted, 400 final, 429 and 5xx are tried again. An update is a trigger with the same key, which pages nobody anew there.
Source: developer.pagerduty.com, "Send an alert event".
"""

from typing import Any, Final

import orjson

from alerts.notify.page import details, link, rule
from alerts.notify.request import Circumstances, Request
from alerts.notify.text import cut, moment
from models.notifications import Notification
from models.receivers import PagerDutyReceiver

__all__ = ["render"]

SUMMARY_MAX: Final = 1024
_FIELD_MAX: Final = 255
_DETAIL_MAX: Final = 1000
_DETAILS_MAX: Final = 100

_ACTIONS: Final = {"trigger": "trigger", "update": "trigger", "acknowledge": "acknowledge", "resolve": "resolve"}


def render(notification: Notification, receiver: PagerDutyReceiver, with_: Circumstances) -> Request:
    """The event."""
    event: dict[str, Any] = {
        "routing_key": with_.secrets[receiver.routing_key],
        "event_action": _ACTIONS[notification.kind],
        "dedup_key": notification.incident,
    }
    if event["event_action"] == "trigger":
        event |= {"client": "outwatch", "payload": _payload(notification)}
        runbook = link(notification)
        if runbook is not None:
            event["links"] = [{"href": runbook, "text": "Runbook"}]
    return Request(receiver.url, orjson.dumps(event), {"Content-Type": "application/json"})


def _payload(notification: Notification) -> dict[str, Any]:
    shown = {**details(notification), **{f"label {name}": value for name, value in notification.labels.items()}}
    return {
        "summary": cut(notification.text, SUMMARY_MAX),
        "source": cut(f"outwatch/{notification.partner}", _FIELD_MAX),
        "severity": notification.severity,
        "timestamp": moment(notification.opened_at),
        "component": cut(notification.labels.get("scope", "all"), _FIELD_MAX),
        "group": cut(notification.partner, _FIELD_MAX),
        "class": cut(rule(notification), _FIELD_MAX),
        "custom_details": {cut(name, _FIELD_MAX): cut(value, _DETAIL_MAX) for name, value in [*shown.items()][:_DETAILS_MAX]},
    }
