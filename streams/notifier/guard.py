"""Where pages may go: nowhere that an address from a policy could misuse us to reach.

Loopback, private, link-local, shared and reserved addresses are refused unless a setting allows their network; so are the metadata
services of clouds, which are link-local. The address that was checked is the one that is connected to: a name is resolved once a
connection, by us, so that it cannot mean another machine a moment later.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

__all__ = ["ForbiddenAddressError", "Guard"]

Network = IPv4Network | IPv6Network

_CARRIERS: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("2002::/16"), ip_network("2001::/32"))
"""Of IPv6, what carries an IPv4 address that could be any."""


class ForbiddenAddressError(OSError):
    """Raised when an address may not be connected to; the text names the setting."""


class Guard(AbstractResolver):
    """Resolves names into addresses that may be connected to.

    Args:
        allowed: networks that may be although they are not public.
        rehearses: this machine may be, and nothing else: a stream that is played again wakes nobody.
    """

    def __init__(self, allowed: Sequence[Network], *, rehearses: bool = False) -> None:
        self._allowed = allowed
        self._rehearses = rehearses

    def check(self, url: str) -> None:
        """Look at an address that stands in the URL itself, of which no resolver is asked.

        Raises:
            ForbiddenAddressError: if it is not allowed.
        """
        host = URL(url).host or ""
        try:
            address = ip_address(host)
        except ValueError:
            return  # A name.
        self._check(address)

    def _check(self, address: IPv4Address | IPv6Address) -> None:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        if mapped is not None:
            address = mapped
        if self._rehearses:
            if not address.is_loopback:
                msg = "with OUTWATCH_CLOCK=log pages go to this machine only"
                raise ForbiddenAddressError(msg)
            return
        if any(address in network for network in self._allowed):
            return
        public = address.is_global and not address.is_multicast and not address.is_reserved
        if not public or any(address in carrier for carrier in _CARRIERS):
            msg = "its address is not public: allow the network in OUTWATCH_NOTIFY_NETWORKS"
            raise ForbiddenAddressError(msg)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a name; refused as a whole if one of them is.

        Raises:
            ForbiddenAddressError: if an address is not allowed.
            OSError: if there is none.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
        results = []
        for kind, _, protocol, _, place in found:
            address = str(place[0])
            self._check(ip_address(address.partition("%")[0]))
            results.append(ResolveResult(hostname=host, host=address, port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST))
        return results

    async def close(self) -> None:
        """Nothing is held."""
