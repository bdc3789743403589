"""What pagers and chats call back: signatures, what a person asked for, and nothing else."""

import hmac
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify.back import pagerduty, slack, webhook
from alerts.notify.back.reply import Ask, CallbackError, ForgedError, Reply, UnreadableCallbackError
from alerts.notify.webhook import signature
from tests.pages import AT_MS, INCIDENT

SECONDS = AT_MS // 1000
KEYS = ["old", "new"]


def hexadecimal(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, sha256).hexdigest()


def from_pagerduty(kind: str = "incident.acknowledged", agent: str = "user_reference", at: str = "2026-11-23T11:59:00Z") -> bytes:
    event = {
        "id": "01DEL",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": at,
        "agent": {"id": "PUSER", "type": agent, "summary": "Ana Silva"},
        "data": {"id": "PINC", "type": "incident", "incident_key": INCIDENT, "status": "acknowledged"},
    }
    return orjson.dumps({"event": event})


def by_pagerduty(body: bytes, key: str = "new") -> Reply | None:
    headers = {"X-PagerDuty-Signature": f"v1=00,v1={hexadecimal(key, body)}"}
    return pagerduty.read(headers, body, KEYS, AT_MS)


def from_slack(action: str = "incident.ack") -> bytes:
    value = orjson.dumps({"incident": INCIDENT, "epoch": 2, "partner": "northwind"}).decode()
    actions = [{"action_id": action, "value": value, "action_ts": "1795435100.1"}]
    payload = {"type": "block_actions", "user": {"id": "U1", "username": "ana"}, "actions": actions}
    return urlencode({"payload": orjson.dumps(payload).decode()}).encode()


def by_slack(body: bytes, key: str = "new", seconds: int = SECONDS) -> Reply | None:
    signed = f"v0={hexadecimal(key, f'v0:{seconds}:'.encode() + body)}"
    return slack.read({"X-Slack-Request-Timestamp": str(seconds), "X-Slack-Signature": signed}, body, KEYS, AT_MS)


def by_webhook(body: bytes, key: str = "new", seconds: int = SECONDS) -> Reply | None:
    headers = {
        "webhook-id": "one",
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v2,x {signature(key.encode(), 'one', seconds, body)}",
    }
    return webhook.read(headers, body, KEYS, AT_MS)


def own(**data: Any) -> bytes:
    return orjson.dumps({"type": "incident.resolve", "data": {"incident": INCIDENT, "actor": "ana", **data}})


def test_pagerduty_tells_what_a_person_did_there() -> None:
    assert by_pagerduty(from_pagerduty()) == Reply(Ask.ACKNOWLEDGE, INCIDENT, "pagerduty:Ana Silva", "pagerduty/01DEL")
    resolved = by_pagerduty(from_pagerduty("incident.resolved"))
    assert resolved is not None
    assert resolved.ask is Ask.RESOLVE


@pytest.mark.parametrize(
    "body",
    [
        from_pagerduty("incident.triggered"),
        from_pagerduty(agent="inbound_integration_reference"),
        from_pagerduty(at="2026-11-22T11:00:00Z"),
    ],
)
def test_what_else_it_tells_what_we_did_ourselves_and_what_is_old_is_of_no_concern(body: bytes) -> None:
    assert by_pagerduty(body) is None


def test_slack_tells_who_pressed_the_button_of_which_page() -> None:
    assert by_slack(from_slack()) == Reply(Ask.ACKNOWLEDGE, INCIDENT, "slack:ana", "slack/U1/1795435100.1", 2)
    assert by_slack(from_slack("runbook")) is None


def test_a_server_of_ones_own_may_resolve() -> None:
    assert by_webhook(own()) == Reply(Ask.RESOLVE, INCIDENT, "webhook:ana", "webhook/one")
    assert by_webhook(own(epoch=3)) == Reply(Ask.RESOLVE, INCIDENT, "webhook:ana", "webhook/one", 3)
    assert by_webhook(orjson.dumps({"type": "incident.snooze", "data": {}})) is None


NAMES = [
    *("X-PagerDuty-Signature", "X-Slack-Signature", "X-Slack-Request-Timestamp"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
]
READERS: dict[str, tuple[Callable[..., Reply | None], bytes]] = {
    "pagerduty": (by_pagerduty, from_pagerduty()),
    "slack": (by_slack, from_slack()),
    "webhook": (by_webhook, own()),
}


@pytest.mark.parametrize("source", READERS)
def test_either_of_two_keys_is_accepted_and_no_other(source: str) -> None:
    read, body = READERS[source]
    assert read(body, "old") == read(body, "new")
    with pytest.raises(ForgedError):
        read(body, "other")


@pytest.mark.parametrize("source", ["slack", "webhook"])
@pytest.mark.parametrize("off", [-301, 301])
def test_a_signature_that_is_replayed_later_is_refused(source: str, off: int) -> None:
    read, body = READERS[source]
    assert read(body, "new", SECONDS + off // 2) is not None
    with pytest.raises(ForgedError):
        read(body, "new", SECONDS + off)


@pytest.mark.parametrize("source", READERS)
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["event", "type", "data", "payload", "incident"]), inner, max_size=3),
    ).map(orjson.dumps)
)
def test_a_body_that_is_signed_and_makes_no_sense_is_unreadable_and_nothing_worse(source: str, body: bytes) -> None:
    with suppress(UnreadableCallbackError):
        assert READERS[source][0](body) is None


@pytest.mark.parametrize("read", [pagerduty.read, slack.read, webhook.read])
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "X-PagerDuty-Signature",
                "X-Slack-Signature",
                "X-Slack-Request-Timestamp",
                "webhook-id",
                "webhook-timestamp",
                "webhook-signature",
            ]
        ),
        st.text(max_size=40) | st.just(str(SECONDS)) | st.just("v1=é,v1=\udcff"),
    )
)
def test_no_header_but_the_right_one_is_let_through(read: Callable[..., Reply | None], headers: dict[str, str]) -> None:
    with pytest.raises(CallbackError):
        read(headers, b"{}", KEYS, AT_MS)
