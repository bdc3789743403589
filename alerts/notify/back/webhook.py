"""A call-back of one's own, signed as Standard Webhooks say.

```json
{"type": "incident.acknowledge", "data": {"incident": "0b7a3f0e-...", "actor": "ana"}}
```
or `incident.resolve`. Source: standardwebhooks.com, specification 1.0.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from alerts.notify.back.reply import Ask, ForgedError, Reply, UnreadableCallbackError, fresh, signed
from alerts.notify.webhook import key_of, signature

__all__ = ["read"]

_ASKS: Final = {f"incident.{ask}": ask for ask in Ask}
_ID_MAX: Final = 200


def read(headers: Mapping[str, str], body: bytes, keys: Sequence[str], now_ms: int) -> Reply | None:
    """What is asked for; None for another type.

    Raises:
        ForgedError: if the signature does not hold, or its time lies over 5 minutes from ours.
        UnreadableCallbackError: if the body makes no sense.
    """
    seconds, identity = fresh(headers.get("webhook-timestamp"), now_ms), headers.get("webhook-id", "")
    given = headers.get("webhook-signature", "").split(" ")
    named = 0 < len(identity) <= _ID_MAX and identity.isascii()
    if not named or not signed((signature(key_of(key), identity, seconds, body) for key in keys), given):
        msg = "signature"
        raise ForgedError(msg)
    try:
        said = orjson.loads(body)
        ask = _ASKS.get(said["type"])
        if ask is None:
            return None
        data = said["data"]
        epoch = data.get("epoch")
        return Reply(ask, str(data["incident"]), f"webhook:{data['actor']}", f"webhook/{identity}", None if epoch is None else int(epoch))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableCallbackError(type(error).__name__) from None
