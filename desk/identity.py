"""Who asks: by a bearer token, by the header of a trusted proxy, or by the cookie of a session."""

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

from desk.errors import ForbiddenError, Refusal, TooManyError, UnauthenticatedError
from desk.limits import Limits
from desk.sessions import COOKIE, Sessions
from desk.users import Role, User, UsersFile

__all__ = ["CSRF_HEADER", "Caller", "Identity"]

CSRF_HEADER: Final = "X-CSRF-Token"
_LOGIN_BURST: Final = 10
_LOGINS_PER_SECOND: Final = 0.1


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised."""

    user: User
    csrf: str | None
    """What must come with whatever changes something; None where nothing of it is said by the browser itself."""
    again: Callable[[], User | None]
    """Who that is now: a token may be taken away while a stream is open."""
    cookie: str | None = None
    """That said so; None where something else did."""


class Identity:
    """Recognises who asks.

    Args:
        users: the file of users.
        sessions: makes and reads cookies.
        header: of a proxy, that names the user; None: there is none.
        proxies: networks, by commas, whose header is believed.
        now_ms: the wall clock.
        monotonic: seconds that only go on.
        forgotten: called where it is forgotten of an address how many wrong tokens it showed.
    """

    def __init__(
        self,
        users: UsersFile,
        sessions: Sessions,
        header: str | None,
        proxies: str,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        forgotten: Callable[[], None],
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._header = header
        self._proxies: list[IPv4Network | IPv6Network] = [ip_network(each.strip()) for each in proxies.split(",") if each.strip()]
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._tries = Limits(_LOGIN_BURST, _LOGINS_PER_SECOND, forgotten)

    def of(self, request: web.Request) -> Caller:
        """Who asks.

        Raises:
            UnauthenticatedError: if nobody says so, or it is not believed.
            TooManyError: if this address showed too many wrong tokens.
        """
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            user = self.by_token(request, token.strip())
            return Caller(user, None, lambda: self._users.now().of_token(token.strip()))
        if self._header is not None and self._trusts(request) and self._header in request.headers:
            names = request.headers.getall(self._header)
            name = names[0]
            # Twice: the proxy added its own behind one that came in. Which is whose, nobody knows.
            known = self._users.now().named(name) if len(names) == 1 else None
            if known is None:
                msg = f"the file of users does not name {name[:100]!r}"
                raise UnauthenticatedError(msg)
            return Caller(known, self._sessions.csrf(known, ""), lambda: self._users.now().named(name))
        cookie = request.cookies.get(COOKIE, "")

        def of_session() -> User | None:
            return self._sessions.user(cookie, self._now_ms(), self._users.now().named)

        found = of_session() if cookie else None
        if found is None:
            msg = "say who you are: a bearer token, or log in at /api/v1/session"
            raise UnauthenticatedError(msg)
        return Caller(found, self._sessions.csrf(found, cookie), of_session, cookie)

    def by_token(self, request: web.Request, token: str) -> User:
        """Whose token that is.

        Raises:
            UnauthenticatedError: if it is nobody's.
            TooManyError: if this address showed too many such.
        """
        user = self._users.now().of_token(token)
        if user is None:
            wait_seconds = self._tries.take(_site(self.address(request)), self._monotonic())
            if wait_seconds:
                raise TooManyError(wait_seconds)
            msg = "the token is nobody's"
            raise UnauthenticatedError(msg)
        return user

    def begin(self, user: User) -> tuple[str, str]:
        """The cookie of a new session, and what must come with whatever changes something."""
        cookie = self._sessions.begin(user, self._now_ms())
        return cookie, self._sessions.csrf(user, cookie)

    def renewed(self, caller: Caller) -> tuple[str, str] | None:
        """A session that begins now in place of one that is half over; None where there is no need to.

        Of viewers alone: a wall is on for years and nobody is there to log in, and who only looks changes nothing.
        """
        if caller.cookie is None or caller.user.role is not Role.VIEWER or not self._sessions.is_half_over(caller.cookie, self._now_ms()):
            return None
        return self.begin(caller.user)

    def check_csrf(self, caller: Caller, request: web.Request) -> None:
        """See that a page of ours asks, where the browser alone says who asks.

        Raises:
            ForbiddenError: if it is not known to.
        """
        said = request.headers.get(CSRF_HEADER, "")
        if caller.csrf is not None and not compare_digest(said.encode(errors="replace"), caller.csrf.encode()):
            raise ForbiddenError(Refusal.CSRF, f"send the csrf of /api/v1/session in the header {CSRF_HEADER}")

    def address(self, request: web.Request) -> str:
        """Where a request comes from: behind a trusted proxy, what that says."""
        if self._trusts(request):
            forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            if _network_of(forwarded) is not None:
                return forwarded
        return _peer(request)

    def _trusts(self, request: web.Request) -> bool:
        peer = _network_of(_peer(request))
        return peer is not None and any(peer.version == each.version and peer.subnet_of(each) for each in self._proxies)  # type: ignore[arg-type]


def _peer(request: web.Request) -> str:
    name = None if request.transport is None else request.transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""


def _site(address: str) -> str:
    """Of IPv6 the network that one customer of a provider has: it has as many addresses as it likes."""
    network = _network_of(address)
    return str(network.supernet(new_prefix=64)) if isinstance(network, IPv6Network) else str(network or address)


def _network_of(text: str) -> IPv4Network | IPv6Network | None:
    try:
        address = ip_address(text)
        # Who listens for both kinds is told of IPv4 as of IPv6, and all of that would be one site.
        return ip_network((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)
    except ValueError:
        return None
