"""Notifications and receivers for tests, and the golden shapes that are made of them: `python -m tests.pages` writes those anew."""

from pathlib import Path
from typing import Any

import orjson

from alerts.notify.render import render
from alerts.notify.request import Circumstances, Letter
from models.notifications import Notification
from models.receivers import Receiver

FOLDER = Path(__file__).parent / "data" / "notify"
AT_MS = 1_795_435_200_000  # 2026-11-23T12:00:00Z
INCIDENT = "0b7a3f0e-6a3e-5d0c-9a55-2f8f3c1f7c11"

RECEIVERS: dict[str, dict[str, Any]] = {
    "pagerduty": {"id": "ops_pager", "type": "pagerduty", "routing_key": "pagerduty-ops"},
    "alertmanager": {"id": "alerts", "type": "alertmanager", "url": "http://alertmanager.example:9093/", "bearer": "am-token"},
    "slack": {"id": "ops_chat", "type": "slack", "channel": "C0123456789", "token": "slack-bot"},
    "teams": {"id": "ops_teams", "type": "teams", "webhook": "teams-ops"},
    "mail": {"id": "ops_mail", "type": "mail", "to": ["ana@client.example", "ops@client.example"]},
    "webhook": {"id": "ops_hook", "type": "webhook", "url": "https://pages.example/outwatch", "signing": "hook-key"},
    "webhook_alertmanager": {"id": "am_hook", "type": "webhook", "url": "https://pages.example/am", "shape": "alertmanager"},
}
SECRETS = {
    "pagerduty-ops": "R0UT1NGKEY0000000000000000000000",
    "am-token": "am-bearer-secret",
    "slack-bot": "xoxb-slack-secret",
    "teams-ops": "https://prod.workflows.example/workflows/teams-secret",
    "hook-key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
CIRCUMSTANCES = Circumstances(SECRETS, AT_MS, sender="outwatch@client.example")


def notification(receiver: str | Receiver = "webhook", /, **over: Any) -> Notification:
    """A page as an incident writes it."""
    said: dict[str, Any] = {
        "id": "5f1b6f9e-2c53-5c3a-8f39-0d3a5a3b7f10",
        "incident": INCIDENT,
        "partner": "northwind",
        "epoch": 1,
        "loop": 0,
        "step": 0,
        "kind": "trigger",
        "reason": "opened",
        "target": {"kind": "rotation", "id": "ops_primary", "person": "ana"},
        "receiver": RECEIVERS[receiver] if isinstance(receiver, str) else receiver.model_dump(mode="json"),
        "side": "client",
        "severity": "critical",
        "text": "Northwind: service level 61.2 % in queue billing, target 80 %, n 412, since 11:52 UTC",
        "facts": [{"name": "Service level", "value": "61.2 % <65 %"}, {"name": "Arrivals", "value": "412, usual 300 & rising"}],
        "members": 2,
        "runbook": "https://runbooks.example/service-level",
        "suggested_action": "Move two agents from chat",
        "labels": {"rule": "service_level_low", "scope": "queue=billing"},
        "opened_at": AT_MS - 480_000,
        "late": False,
        "processed_at": AT_MS - 1_000,
    }
    return Notification.model_validate_json(orjson.dumps(said | over))


ENDED = {"kind": "resolve", "reason": "resolved", "ended_at": AT_MS - 60_000, "members": 0, "epoch": 2}
KINDS: dict[str, dict[str, Any]] = {
    "trigger": {},
    "update": {"kind": "update", "reason": "changed"},
    "acknowledge": {"kind": "acknowledge", "reason": "acknowledged"},
    "resolve": ENDED,
}


def shape(receiver: str, kind: str) -> str:
    """What is sent, readable."""
    made = render(notification(receiver, **KINDS[kind]), CIRCUMSTANCES._replace(receipt="1795435000.000100" if kind == "resolve" else None))
    if isinstance(made, Letter):
        text = made.message.as_string()
        return text.replace(made.message.get_boundary() or "", "BOUNDARY").replace("\r\n", "\n")
    said = {"url": made.url, "headers": made.headers, "body": orjson.loads(made.body)}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2).decode() + "\n"


def shapes() -> dict[str, str]:
    """By file name."""
    ends = {name: "eml" if name == "mail" else "json" for name in RECEIVERS}
    return {f"{name}_{kind}.{end}": shape(name, kind) for name, end in ends.items() for kind in KINDS}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in shapes().items():
        (FOLDER / name).write_text(text)
