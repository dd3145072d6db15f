"""Which addresses may be sent to: nobody may use Laurel to reach what only Laurel can reach.

A name is looked up anew for each sending and the connection goes to the very addresses that were checked, as a name may
stand for another one a moment later.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

import httpx

URL_MAX: Final = 2_000
PORT_MAX: Final = 65_535
_LOOK_UP_SECONDS: Final = 5.0

_OPEN_INTERNET_6: Final = IPv6Network("2000::/3")
"""All that is given out of IPv6 to the internet; what lies beyond is old, or for networks of one's own."""

_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """Nothing is sent there. The message says why."""


class Target(NamedTuple):
    """Where a request goes: ``url`` with a checked address in it, and the ``host`` it is for."""

    url: httpx.URL
    host: str
    server_name: str


def check_url(text: str, *, private: bool) -> httpx.URL:
    """The address, if it can be one. Raises AddressRefused.

    Without ``private`` only https is sent to, and no address that is private, loopback, link-local or otherwise not
    of the open internet.
    """
    if len(text) > URL_MAX:
        raise AddressRefused(f"it is longer than {URL_MAX} characters")
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError) as error:  # the latter for what cannot be read as a name of IDNA
        raise AddressRefused("it is no URL") from error
    if url.scheme != "https" and not (private and url.scheme == "http"):
        raise AddressRefused("it must begin with https://")
    if not host:
        raise AddressRefused("it names no host")
    if "%" in url.raw_host.decode("ascii"):
        raise AddressRefused("it names no host that there can be")
    if url.port is not None and not 0 < url.port <= PORT_MAX:
        raise AddressRefused(f"a port is 1 to {PORT_MAX}")
    if url.userinfo:
        raise AddressRefused("it carries a user name or a password")
    if url.fragment:
        raise AddressRefused("it has a fragment")
    if not private and (literal := _literal(host)) is not None:
        _check(literal)
    return url


async def find(url: httpx.URL, *, private: bool) -> Sequence[Target]:
    """Look the host up: where to try, in this order. Raises AddressRefused, and OSError when it cannot be found."""
    literal = _literal(url.host)
    addresses = [literal] if literal is not None else await _look_up(url)
    if not private:
        for address in addresses:
            _check(address)
    host = url.netloc.decode("ascii")
    return [Target(url.copy_with(host=str(address)), host, url.host) for address in addresses]


async def _look_up(url: httpx.URL) -> Sequence[IPv4Address | IPv6Address]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LOOK_UP_SECONDS):
        try:
            found = await loop.getaddrinfo(url.raw_host.decode("ascii"), url.port or 443, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise AddressRefused("it names no host that there can be") from error
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is itself, however it is written.

    >>> _literal("127.0.0.1"), _literal("0x7f.1"), _literal("2130706433"), _literal("shop.example")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), None)
    """
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        # Whoever looks it up takes these for addresses as well: with fewer parts, octal, hexadecimal.
        return IPv4Address(socket.inet_aton(host.removesuffix(".")))
    except (OSError, UnicodeError):
        return None


def _check(address: IPv4Address | IPv6Address) -> None:
    meant = _within(address) or address
    far = isinstance(meant, IPv4Address) or meant in _OPEN_INTERNET_6
    if not far or not meant.is_global or meant.is_multicast:
        raise AddressRefused("it is not an address of the open internet")


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, by 6to4, or by a translator (NAT64)."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
