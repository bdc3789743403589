"""A server of one's own: the notification as JSON, or in the shape of an Alertmanager's webhook; signed as Standard Webhooks say.

The signature covers id, time and body: `v1,` and base64 of HMAC-SHA256 over "id.timestamp.body". The id is that of the notification
and the same in every try, so that who gets it twice can tell. Source: standardwebhooks.com, specification 1.0.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha256
from typing import Final

import orjson

from alerts.notify.alertmanager import webhook_body
from alerts.notify.page import state
from alerts.notify.request import Circumstances, Request
from alerts.notify.text import moment
from models.notifications import Notification
from models.receivers import WebhookReceiver

__all__ = ["key_of", "render", "signature"]

_PREFIX: Final = "whsec_"


def render(notification: Notification, receiver: WebhookReceiver, with_: Circumstances) -> Request:
    """The body, with its signature if the receiver names a key."""
    if receiver.shape == "alertmanager":
        said = webhook_body(notification, receiver, with_.now_ms)
    else:
        # Where it goes is known to who receives it, and names secrets.
        data = notification.model_dump(mode="json", exclude={"receiver", "receipt"})
        said = {
            "type": f"incident.{notification.kind}",
            "timestamp": moment(notification.processed_at),
            "data": data | {"state": state(notification)},
        }
    body, seconds = orjson.dumps(said), with_.now_ms // 1000
    headers = {"Content-Type": "application/json", "webhook-id": notification.id, "webhook-timestamp": str(seconds)}
    if receiver.signing is not None:
        headers["webhook-signature"] = signature(key_of(with_.secrets[receiver.signing]), notification.id, seconds, body)
    return Request(receiver.url, body, headers)


def key_of(secret: str) -> bytes:
    """The bytes to sign with: `whsec_` and base64, or the text itself."""
    if secret.startswith(_PREFIX):
        try:
            return b64decode(secret.removeprefix(_PREFIX) + "==", validate=False)
        except Error:
            return secret.encode()
    return secret.encode()


def signature(key: bytes, identity: str, at_seconds: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    digest = hmac.new(key, f"{identity}.{at_seconds}.".encode() + body, sha256).digest()
    return f"v1,{b64encode(digest).decode()}"
