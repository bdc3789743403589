"""Slack, `chat.postMessage` with blocks; the pages of an incident keep to one thread.

A header has 150 characters, a section 3000, or 10 fields of 2000; a message 50 blocks; `text` is what a notification shows. Slack
answers 200 to almost everything and says in the body whether it took it. Source: api.slack.com, "Block Kit" and "chat.postMessage".
"""

from typing import Any, Final

import orjson

from alerts.notify.page import details, link, title
from alerts.notify.request import Answer, Circumstances, Request, Verdict, judge, said
from alerts.notify.text import cut, cut_escaped, one_line
from models.notifications import Notification, NotifyReason
from models.receivers import SlackReceiver

__all__ = ["ACK_ACTION", "BLOCKS_MAX", "FIELDS_MAX", "FIELD_MAX", "HEADER_MAX", "SECTION_MAX", "read_answer", "render"]

HEADER_MAX: Final = 150
SECTION_MAX: Final = 3000
FIELD_MAX: Final = 2000
FIELDS_MAX: Final = 10
BLOCKS_MAX: Final = 50
ACK_ACTION: Final = "incident.ack"
"""The `action_id` of the button."""

_NO_INCIDENT: Final = frozenset({NotifyReason.DIGEST, NotifyReason.TEST, NotifyReason.HANDOVER, NotifyReason.AUDIT})
_AGAIN: Final = frozenset({"ratelimited", "rate_limited", "fatal_error", "internal_error", "request_timeout", "service_unavailable"})


def render(notification: Notification, receiver: SlackReceiver, with_: Circumstances) -> Request:
    """The message."""
    body: dict[str, Any] = {
        "channel": receiver.channel,
        "text": cut_escaped(title(notification), SECTION_MAX, _escape),
        "blocks": _blocks(notification),
        "unfurl_links": False,
    }
    if with_.receipt is not None:
        # A reply in a thread notifies nobody who has not taken part in it: what pages is shown in the channel as well.
        body |= {"thread_ts": with_.receipt, "reply_broadcast": notification.kind == "trigger"}
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {with_.secrets[receiver.token]}"}
    return Request(receiver.url, orjson.dumps(body), headers)


def read_answer(answer: Answer, now_ms: int) -> Verdict:
    """What Slack says; the receipt is the `ts` that a thread is named by."""
    by_status = judge(answer, now_ms)
    if by_status.kind != "sent":
        return by_status
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("ok"), bool):
        return Verdict("again", f"no answer of Slack: {said(answer)}")
    if body["ok"]:
        return Verdict("sent", "200 ok", receipt=str(body["ts"]) if "ts" in body else None)
    why = str(body.get("error", "unknown"))
    return Verdict("again" if why in _AGAIN else "rejected", one_line(f"Slack refuses it: {why}"))


def _blocks(notification: Notification) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(title(notification), HEADER_MAX)}},
        {"type": "section", "text": _markdown(notification.text, SECTION_MAX)},
    ]
    shown = [*details(notification).items()]
    fields = [_field(name, value) for name, value in shown[:FIELDS_MAX]]
    blocks.append({"type": "section", "fields": fields})
    if shown[FIELDS_MAX:]:
        lines = "\n".join(f"{name}: {one_line(value)}" for name, value in shown[FIELDS_MAX:])
        blocks.append({"type": "section", "text": _markdown(lines, SECTION_MAX)})
    buttons = _buttons(notification)
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _field(name: str, value: str) -> dict[str, Any]:
    half = FIELD_MAX // 4
    return {"type": "mrkdwn", "text": f"*{cut_escaped(one_line(name) or '-', half, _escape)}*\n{cut_escaped(value, half, _escape)}"}


def _markdown(text: str, limit: int) -> dict[str, Any]:
    # A text that is empty, or blank, would be refused.
    return {"type": "mrkdwn", "text": cut_escaped(text if text.strip() else "-", limit, _escape)}


def _buttons(notification: Notification) -> list[dict[str, Any]]:
    made = []
    if notification.kind in {"trigger", "update"} and notification.reason not in _NO_INCIDENT:
        value = {"incident": notification.incident, "epoch": notification.epoch, "partner": notification.partner}
        text = {"type": "plain_text", "text": "Acknowledge"}
        made.append({"type": "button", "action_id": ACK_ACTION, "text": text, "value": orjson.dumps(value).decode(), "style": "primary"})
    runbook = link(notification)
    if runbook is not None:
        made.append({"type": "button", "action_id": "runbook", "text": {"type": "plain_text", "text": "Runbook"}, "url": runbook})
    return made


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
