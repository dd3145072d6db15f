"""How much one caller may ask for in a while, counted in memory, or in Redis for all processes together.

A window begins with a caller's first request. A request is let through as long as anything is left of the window, and
may take more than is left: what it costs is known only when it has been read, and the next one waits the longer. Nobody
waits for a Redis that does not answer: requests are let through until it does again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any, Final, NamedTuple

from limits import parse
from limits.aio.storage import RedisStorage, Storage
from limits.errors import StorageError

from graph.limits.bounds import NOBODY, Bounds, Rate
from graph.limits.memory import Memory
from graph.texts import NUL
from graph.tokens import Caller
from graph.transport.failures import Failure, RequestFailed

log = logging.getLogger("laurel.limits")

REDIS_SECONDS: Final = 0.25
REFUSED_COST: Final = 50
"""What a request costs that was refused once its document had been read, which takes longest for the worst."""
RETRY_SECONDS: Final = 5.0
"""How long a Redis that did not answer is left alone."""
NETWORK_BITS: Final = 64
"""Of an IPv6 address these tell who it is; its holder chooses the others."""


@dataclass(slots=True)
class Standing:
    """How a caller stands within a window: what has been used of it, and in how many seconds it ends."""

    who: str
    window: "_Window"
    key: str
    used: int = 0
    seconds_left: float = 0.0

    @property
    def policy(self) -> str:
        """The header field of the IETF's draft, RateLimit-Policy."""
        return f'"{self.who}";{self.window.policy}'

    @property
    def left(self) -> str:
        """The other one, RateLimit."""
        left, ends = max(self.window.rate.amount - self.used, 0), max(ceil(self.seconds_left), 0)
        return f'"{self.who}";r={left};t={ends}'

    @property
    def headers(self) -> dict[str, str]:
        """Both header fields."""
        return {"RateLimit-Policy": self.policy, "RateLimit": self.left}


class _Window(NamedTuple):
    """A rate with what is made of it once: its windows are so many seconds long, and this is around their keys."""

    rate: Rate
    seconds: int
    policy: str
    before: str
    after: str

    @classmethod
    def of(cls, rate: Rate) -> "_Window":
        item = parse(f"{rate.amount}/{rate.period}")
        unit, seconds = "cost" if rate.of_cost else "requests", item.get_expiry()
        before, after = item.key_for(NUL).split(NUL)
        return cls(rate, seconds, f'q={rate.amount};qu="{unit}";w={seconds}', before, after)


class Rates:
    """The windows of all callers. Close it when it is no longer needed."""

    def __init__(self, bounds: Bounds, *, redis_url: str = "", now: Callable[[], float] = time.time) -> None:
        self._bounds = bounds
        self._now = now
        self._windows: dict[Rate, _Window] = {}
        self._redis_pool: Any = None
        self._storage: Storage = self._redis(redis_url) if redis_url else Memory(now)
        self._silent_until = 0.0

    def _redis(self, url: str) -> Storage:
        # An installation that counts in memory need not have it.
        from redis.asyncio import ConnectionPool

        self._redis_pool = ConnectionPool.from_url(url)
        return RedisStorage(
            f"async+{url}", implementation="redispy", wrap_exceptions=True, connection_pool=self._redis_pool
        )

    async def aclose(self) -> None:
        if self._redis_pool is not None:
            await self._redis_pool.aclose()

    async def admit(self, caller: Caller | None, address: str) -> Standing | None:
        """Count a request; how its caller stands, None where nothing bounds them. Raises RequestFailed."""
        rate = self._bounds.rate(caller)
        if rate is None:
            return None
        who = NOBODY if caller is None else caller.role
        key = f"{NOBODY}:{_network(address)}" if caller is None else caller.actor
        window = self._windows.get(rate)
        if window is None:
            window = self._windows[rate] = _Window.of(rate)
        standing = Standing(who, window, f"{window.before}{key}{window.after}")
        if isinstance(self._storage, Memory):
            _count_here(self._storage, standing, 1)
        elif not await self._count(standing, 1):
            return None
        if standing.used > rate.amount:
            wait = max(ceil(standing.seconds_left), 1)
            raise RequestFailed(
                Failure.RATE_LIMITED,
                f"too much was asked for; ask again in {wait} seconds",
                headers={"Retry-After": str(wait), **standing.headers},
                facts={"maximum": rate.amount, "retryAfter": wait},
            )
        return standing

    async def charge(self, standing: Standing | None, cost: int, requests: int = 1) -> None:
        """Count the rest of what was let through as one request: its cost, or that it was a list of requests."""
        if standing is not None:
            amount = (cost if standing.window.rate.of_cost else requests) - 1
            if amount > 0 and isinstance(self._storage, Memory):
                _count_here(self._storage, standing, amount)
            elif amount > 0:
                await self._count(standing, amount)

    async def _count(self, standing: Standing, amount: int) -> bool:
        """Count so much more in Redis; whether it could be counted."""
        key, seconds = standing.key, standing.window.seconds
        if time.monotonic() < self._silent_until:
            return False
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                standing.used = await self._storage.incr(key, seconds, amount)
                standing.seconds_left = await self._storage.get_expiry(key) - self._now()
        except (StorageError, OSError) as error:  # a TimeoutError is an OSError
            if not self._silent_until:
                log.warning("Redis does not answer, so no rate is limited: %s", type(error).__name__)
            self._silent_until = time.monotonic() + RETRY_SECONDS
            return False
        if self._silent_until:
            log.warning("Redis answers again, and rates are limited")
            self._silent_until = 0.0
        return True


def _count_here(memory: Memory, standing: Standing, amount: int) -> None:
    """Count so much more in the window that is open now, which may be a later one: a body can take its time."""
    counted, standing.seconds_left = memory.window(standing.key, standing.window.seconds)
    counted.count += amount
    standing.used = counted.count


def _network(address: str) -> str:
    """Who an address belongs to: itself, or the network of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, NETWORK_BITS), strict=False))
    return address
