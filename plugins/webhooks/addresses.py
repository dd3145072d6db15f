"""Which addresses may be sent to: nobody may use Laurel to reach what only Laurel can reach.

A name is looked up anew for each sending and the connection goes to the very address that was checked, as a name may
stand for another one a moment later.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

import httpx

URL_MAX: Final = 2_000
_LOOK_UP_SECONDS: Final = 5.0


class AddressRefused(Exception):
    """Nothing is sent there. The message says why."""


class Target(NamedTuple):
    """Where a request goes: ``url`` with the checked address in it, and the ``host`` it is for."""

    url: httpx.URL
    host: str
    server_name: str


def check_url(text: str, *, private: bool) -> httpx.URL:
    """The address, if it can be one. Raises AddressRefused.

    Without ``private`` only https is sent to, and no address that is private, loopback, link-local or otherwise not
    of the open internet.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise AddressRefused("it is no URL") from error
    if len(text) > URL_MAX:
        raise AddressRefused(f"it is longer than {URL_MAX} characters")
    if url.scheme != "https" and not (private and url.scheme == "http"):
        raise AddressRefused("it must begin with https://")
    if not url.host:
        raise AddressRefused("it names no host")
    if url.userinfo:
        raise AddressRefused("it carries a user name or a password")
    if url.fragment:
        raise AddressRefused("it has a fragment")
    if not private and (literal := _literal(url.host)) is not None:
        _check(literal)
    return url


async def find(url: httpx.URL, *, private: bool) -> Target:
    """Look the host up. Raises AddressRefused, and OSError when it cannot be found."""
    literal = _literal(url.host)
    addresses = [literal] if literal is not None else await _look_up(url)
    if not private:
        for address in addresses:
            _check(address)
    chosen = addresses[0]
    return Target(url.copy_with(host=str(chosen)), url.netloc.decode("ascii"), url.host)


async def _look_up(url: httpx.URL) -> Sequence[IPv4Address | IPv6Address]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LOOK_UP_SECONDS):
        found = await loop.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    return [ip_address(address[0]) for *_, address in found]


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _check(address: IPv4Address | IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if not (mapped or address).is_global or address.is_multicast:
        raise AddressRefused("it is not an address of the open internet")
