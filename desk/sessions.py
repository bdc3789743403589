"""Sessions without a store: a signed cookie that names a user and an end, so that any desk with the same secret takes it. Pure.

The signature covers the hash of the user's token: another token, or none, ends the user's sessions.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest, new
from typing import Final

import orjson

from desk.users import User

__all__ = ["COOKIE", "SESSION_SECONDS", "Sessions"]

COOKIE: Final = "outwatch_session"
SESSION_SECONDS: Final = 12 * 3600
_CHARACTERS_MAX: Final = 1000


class Sessions:
    """Makes and reads cookies.

    Args:
        key: what they are signed with.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(self, user: User, now_ms: int) -> str:
        """The cookie of a session that begins now."""
        payload = urlsafe_b64encode(orjson.dumps([user.name, now_ms // 1000 + SESSION_SECONDS])).decode()
        return f"{payload}.{self._sign(payload, user)}"

    def user(self, cookie: str, now_ms: int, named: Callable[[str], User | None]) -> User | None:
        """Whose session it is; None if it is no one's, or over."""
        payload, _, signature = cookie.partition(".")
        if len(cookie) > _CHARACTERS_MAX:
            return None
        try:
            name, ends = orjson.loads(urlsafe_b64decode(payload))
            user = named(name)
            over = ends * 1000 <= now_ms
        except (ValueError, TypeError):
            return None
        # A quoted cookie may carry bytes that are no text; aiohttp hands them on as surrogates.
        if user is None or over or not compare_digest(signature.encode(errors="replace"), self._sign(payload, user).encode()):
            return None
        return user

    def is_half_over(self, cookie: str, now_ms: int) -> bool:
        """Whether less than half of it is left, of a cookie that is somebody's."""
        _, ends = orjson.loads(urlsafe_b64decode(cookie.partition(".")[0]))
        return bool(ends * 1000 - now_ms < SESSION_SECONDS * 500)

    def csrf(self, user: User, cookie: str) -> str:
        """What a page must say in a header beside what the browser says by itself."""
        return self._mac("csrf", user.name, cookie)[:32]

    def _sign(self, payload: str, user: User) -> str:
        return self._mac("session", payload, user.token_sha256 or "")

    def _mac(self, *parts: str) -> str:
        return new(self._key, orjson.dumps(parts), sha256).hexdigest()
