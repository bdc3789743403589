"""PagerDuty's webhooks, version 3: an incident was acknowledged or resolved there, by a person.

`X-PagerDuty-Signature` holds `v1=` and hexadecimal HMAC-SHA256 of the body, one a key; the time is within the body.
Source: developer.pagerduty.com, "Webhooks Overview" and "Verifying Signatures".
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson

from alerts.notify.back.reply import Ask, ForgedError, Reply, UnreadableCallbackError, signed

__all__ = ["read"]

_ASKS: Final = {"incident.acknowledged": Ask.ACKNOWLEDGE, "incident.resolved": Ask.RESOLVE}
_OLD_MS: Final = 23 * 3_600_000
"""Within the day for which a command's id is remembered, so that nothing acts twice."""


def read(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now_ms: int) -> Reply | None:
    """What a person asked for; None for what else PagerDuty tells.

    Raises:
        ForgedError: if the signature does not hold.
        UnreadableCallbackError: if the body makes no sense.
    """
    given = [each.strip() for each in headers.get("X-PagerDuty-Signature", "").split(",")]
    if not signed((f"v1={hmac.new(key.encode(), body, sha256).hexdigest()}" for key in keys), given):
        msg = "signature"
        raise ForgedError(msg)
    try:
        event = orjson.loads(body)["event"]
        return _reply(event, now_ms)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableCallbackError(type(error).__name__) from None


def _reply(event: dict[str, Any], now_ms: int) -> Reply | None:
    ask, data, agent = _ASKS.get(event["event_type"]), event["data"], event.get("agent") or {}
    # What our own events do there comes back as well, from an integration.
    if ask is None or agent.get("type") != "user_reference" or not data.get("incident_key"):
        return None
    if now_ms - datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000 > _OLD_MS:
        return None
    return Reply(ask, str(data["incident_key"]), f"pagerduty:{agent.get('summary') or agent['id']}", f"pagerduty/{event['id']}")
