"""Alertmanager: alerts of its API v2, posted again every minute with an end ahead, and its webhook's shape (version 4).

An alert is known by its labels. The end lies so far ahead that one lost minute resolves nothing; where we fall silent for longer it
resolves by itself, and comes back when we do. Source: Alertmanager's api/v2/openapi.yaml and its webhook's documentation.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import orjson

from alerts.notify.page import details, link, rule, state
from alerts.notify.request import Circumstances, Request
from alerts.notify.text import cut, moment
from models.notifications import Notification
from models.receivers import AlertmanagerReceiver, WebhookReceiver

__all__ = ["AHEAD_MS", "labels_of", "render", "request", "webhook_body"]

AHEAD_MS: Final = 5 * 60_000
_VALUE_MAX: Final = 1000
_NEVER: Final = "0001-01-01T00:00:00Z"
_WRONG: Final = re.compile(r"[^a-zA-Z0-9_]")


def render(notification: Notification, receiver: AlertmanagerReceiver, with_: Circumstances) -> Request:
    """The alert, in a list of one."""
    ends_ms = _ended_ms(notification, with_.now_ms) if notification.kind == "resolve" else with_.now_ms + AHEAD_MS
    alert = {
        "labels": labels_of(notification),
        "annotations": _annotations(notification),
        "startsAt": moment(min(notification.opened_at, ends_ms)),
        "endsAt": moment(ends_ms),
        **({} if (runbook := link(notification)) is None else {"generatorURL": runbook}),
    }
    return request([alert], receiver, with_.secrets)


def request(alerts: Sequence[Mapping[str, Any]], receiver: AlertmanagerReceiver, secrets: Mapping[str, str]) -> Request:
    """Alerts to be posted; its address and headers are also those by which they are read."""
    headers = {"Content-Type": "application/json"}
    if receiver.bearer is not None:
        headers["Authorization"] = f"Bearer {secrets[receiver.bearer]}"
    return Request(f"{receiver.url.rstrip('/')}/api/v2/alerts", orjson.dumps(alerts), headers)


def webhook_body(notification: Notification, receiver: WebhookReceiver, now_ms: int) -> dict[str, Any]:
    """The body that an Alertmanager would post to a webhook."""
    over = notification.kind == "resolve"
    status = "resolved" if over else "firing"
    labels, annotations = labels_of(notification), _annotations(notification)
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": moment(notification.opened_at),
        "endsAt": moment(_ended_ms(notification, now_ms)) if over else _NEVER,
        "generatorURL": link(notification) or "",
        "fingerprint": sha256(orjson.dumps(labels, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16],
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{incident="{notification.incident}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver.id,
        "groupLabels": {"incident": notification.incident},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [alert],
    }


def _ended_ms(notification: Notification, now_ms: int) -> int:
    return now_ms if notification.ended_at is None else min(notification.ended_at, now_ms)


def labels_of(notification: Notification) -> dict[str, str]:
    """What it is known by: the same in every page of an incident of one severity."""
    own = {
        "alertname": rule(notification),
        "partner": notification.partner,
        "incident": notification.incident,
        "severity": notification.severity,
    }
    return {_name(name): cut(value, _VALUE_MAX) for name, value in {**notification.labels, **own}.items() if value}


def _annotations(notification: Notification) -> dict[str, str]:
    shown = {"summary": notification.text, "state": state(notification)}
    if notification.runbook is not None:
        shown["runbook_url"] = notification.runbook
    shown |= {_name(name): value for name, value in details(notification).items()}
    return {name: cut(value, _VALUE_MAX) for name, value in shown.items() if value}


def _name(text: str) -> str:
    """A name as Prometheus takes it."""
    name = _WRONG.sub("_", text.lower())[:100]
    return name if name and not name[0].isdigit() else f"_{name}"
