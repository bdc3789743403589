"""Slack's interactivity: somebody pressed the button of a page.

`X-Slack-Signature` is `v0=` and hexadecimal HMAC-SHA256 of "v0:time:body"; the body is a form with JSON in its `payload`.
Source: api.slack.com, "Verifying requests from Slack" and "Handling user interaction".
"""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qs

import orjson

from alerts.notify.back.reply import Ask, ForgedError, Reply, UnreadableCallbackError, fresh, signed
from alerts.notify.slack import ACK_ACTION

__all__ = ["read"]


def read(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now_ms: int) -> Reply | None:
    """What a person asked for; None for another button.

    Raises:
        ForgedError: if the signature does not hold, or is over 5 minutes old.
        UnreadableCallbackError: if the body makes no sense.
    """
    seconds = fresh(headers.get("X-Slack-Request-Timestamp"), now_ms)
    base = f"v0:{seconds}:".encode() + body
    if not signed((f"v0={hmac.new(key.encode(), base, sha256).hexdigest()}" for key in keys), [headers.get("X-Slack-Signature", "")]):
        msg = "signature"
        raise ForgedError(msg)
    try:
        payload = orjson.loads(parse_qs(body.decode(), strict_parsing=True, max_num_fields=10)["payload"][0])
        action = next((each for each in payload.get("actions", ()) if each["action_id"] == ACK_ACTION), None)
        if action is None:
            return None
        value, user = orjson.loads(action["value"]), payload["user"]
        name = user.get("username") or user.get("name") or user["id"]
        return Reply(
            Ask.ACKNOWLEDGE, str(value["incident"]), f"slack:{name}", f"slack/{user['id']}/{action['action_ts']}", int(value["epoch"])
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableCallbackError(type(error).__name__) from None
