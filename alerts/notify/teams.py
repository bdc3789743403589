"""Teams, by a Workflows webhook: an Adaptive Card 1.2 in a message of at most 28 KB.

The old connectors (`MessageCard`) are retired. Source: learn.microsoft.com, "Create incoming webhooks with Workflows".
"""

from typing import Any, Final

import orjson

from alerts.notify.page import details, link, state, title
from alerts.notify.request import Circumstances, Request
from alerts.notify.text import cut, one_line
from models.notifications import Notification
from models.receivers import TeamsReceiver

__all__ = ["BODY_BYTES_MAX", "render"]

BODY_BYTES_MAX: Final = 28_000
_TITLE_MAX: Final = 500
_FACT_MAX: Final = 1000
_FACTS_MAX: Final = 50

_COLOURS: Final = {"CRITICAL": "attention", "WARNING": "warning", "RESOLVED": "good"}


def render(notification: Notification, receiver: TeamsReceiver, with_: Circumstances) -> Request:
    """The card; of its facts as many as it holds."""
    shown = [*details(notification).items()][:_FACTS_MAX]
    while len(body := orjson.dumps(_message(notification, shown))) > BODY_BYTES_MAX:
        shown.pop()
    return Request(with_.secrets[receiver.webhook], body, {"Content-Type": "application/json"})


def _message(notification: Notification, shown: list[tuple[str, str]]) -> dict[str, Any]:
    head = {"type": "TextBlock", "text": cut(title(notification), _TITLE_MAX), "weight": "bolder", "size": "medium", "wrap": True}
    head["color"] = _COLOURS.get(state(notification), "default")
    facts = [{"title": cut(one_line(name), _FACT_MAX), "value": cut(value, _FACT_MAX)} for name, value in shown]
    runbook = link(notification)
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [head, {"type": "FactSet", "facts": facts}],
        **({} if runbook is None else {"actions": [{"type": "Action.OpenUrl", "title": "Runbook", "url": runbook}]}),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}
