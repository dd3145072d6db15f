"""PostgreSQL for Tortoise: a few connections stay with those who read, rather than in the pool between two reads.

To take a connection out of the pool and give it back takes more than half of what a read by a key does: the pool starts
a task to give it back and a timer to close it. So whoever has read leaves the connection to the next who reads, and the
pool has the rest. The module's name must contain "asyncpg", as Tortoise picks the dialect of migrations by it.
"""

from time import monotonic
from typing import Any, Final, NamedTuple

from asyncpg import InterfaceError
from asyncpg.pool import PoolConnectionProxy
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import PoolConnectionWrapper
from tortoise.backends.base_postgres.client import translate_exceptions

KEPT_MAX: Final = 4
"""Connections that stay with those who read."""
LEFT_MIN: Final = 6
"""So many of all that there may be are left to transactions, whatever is kept."""
KEPT_SECONDS: Final = 300.0
"""After so long without a read a connection is not trusted any more; after so long with them the pool looks at it."""
_READS: Final = ("SELECT", "WITH")
_execute_any: Final = AsyncpgDBClient.execute_query


def _is_open(connection: "PoolConnectionProxy[Any]") -> bool:
    try:
        return not connection.is_closed()
    except InterfaceError:
        # The server has closed it, and the pool has taken it back by itself.
        return False


class _Kept(NamedTuple):
    """A connection that nobody uses at the moment; since when it is out of the pool, and since when it is not used."""

    connection: "PoolConnectionProxy[Any]"
    taken_at: float
    used_at: float


class _Lent(PoolConnectionWrapper[Any]):
    """A connection for one read: one that was kept, or one of the pool."""

    __slots__ = ("taken_at",)

    client: "AsyncpgKeptClient"

    async def __aenter__(self) -> Any:
        kept, now = self.client.kept, monotonic()
        while kept:
            connection, self.taken_at, used_at = kept.pop()
            if not _is_open(connection):
                continue
            if now - used_at < KEPT_SECONDS:
                self.connection = connection
                return connection
            # The pool makes another for it.
            connection.terminate()
        connection = await super().__aenter__()
        self.taken_at = monotonic()
        return connection

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        # After an error the pool finds out what is left of it.
        if exc_type is not None or not self.client.keep(self.connection, self.taken_at):
            await self.client.give_back(self.connection)


class AsyncpgKeptClient(AsyncpgDBClient):
    """Tortoise's client, with connections that stay with those who read."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.kept: list[_Kept] = []
        self.keeps = max(0, min(KEPT_MAX, self.pool_maxsize - LEFT_MIN))

    def acquire_connection(self) -> PoolConnectionWrapper[Any]:
        return _Lent(self, self._pool_init_lock)

    def keep(self, connection: Any, taken_at: float) -> bool:
        """Keep a connection that was lent. False where the pool is to have it: somebody may be waiting there."""
        pool, now = self._pool, monotonic()
        if pool is None or len(self.kept) >= self.keeps or now - taken_at >= KEPT_SECONDS:
            return False
        # None is left for who comes next. To say how many are idle the pool looks at each, twice.
        if pool._queue.empty():
            return False
        if self.kept and now - self.kept[0].used_at >= KEPT_SECONDS:
            oldest = self.kept.pop(0)
            if _is_open(oldest.connection):
                oldest.connection.terminate()
        self.kept.append(_Kept(connection, taken_at, now))
        return True

    async def give_back(self, connection: Any) -> None:
        """Return a connection to the pool, if there still is one."""
        if self._pool is not None:
            await self._pool.release(connection)

    @translate_exceptions
    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, list[Any]]:
        if not query.startswith(_READS):
            done: tuple[int, list[Any]] = await _execute_any(self, query, values)
            return done
        async with self.acquire_connection() as connection:
            self.log.debug("%s: %s", query, values)
            rows = await connection.fetch(query, *values or ())
            return len(rows), rows

    async def _give_all_back(self) -> None:
        kept, self.kept = self.kept, []
        for one in kept:
            await self.give_back(one.connection)

    async def _expire_connections(self) -> None:
        await self._give_all_back()
        await super()._expire_connections()

    async def _close(self) -> None:
        # One that is lent meanwhile is not kept any more, as the pool waits for all of them.
        keeps, self.keeps = self.keeps, 0
        try:
            await self._give_all_back()
            await super()._close()
        finally:
            self.keeps = keeps


client_class = AsyncpgKeptClient
