"""SQLite for Tortoise: transactions that take the write lock when they begin, short reads, checkpoints on demand.

Tortoise's own client begins *deferred* transactions: one that reads first and writes later can find that
another process has written in between, and fails at once with ``database is locked``, whatever the busy
timeout. ``BEGIN IMMEDIATE`` waits for its turn instead.

A read by an index takes SQLite less time than it takes to hand it to a thread and the rows back. So what is read
outside of transactions is read at once, on a connection of its own that cannot write and waits for nobody; a read that
is not done after ``SHORT_INSTRUCTIONS`` is given up and made by the thread, as is one that fails. A transaction has the
write lock and waits for nobody either: it reads at once on its own connection, which knows the pages that it read and
wrote before, and so it writes, unless it is much. Beginning and committing wait, and are left to the thread. The
module's name must contain "sqlite", as Tortoise picks the dialect of migrations by it.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import aiosqlite
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
    translate_exceptions,
)
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

SHORT_INSTRUCTIONS: Final = 200_000
"""How long a read may keep everybody else waiting: instructions of SQLite's machine, some five milliseconds of them."""
_COUNTED_BY: Final = 2_000
_ROWS_AT_ONCE: Final = 64
SHORT_ROWS: Final = 2_000
"""How many rows may keep everybody else waiting while they are written: some twenty milliseconds."""
_ANY_THREAD: Final = sqlite3.threadsafety == 3
"""Whether a connection may be used by several threads, one after another."""
_READS: Final = ("SELECT", "WITH")
_in_thread: Final = SqliteClient.execute_query

# Pages that several batches change are copied into the database once.
CHECKPOINT_BYTES = 64 * 1024 * 1024


class _Connection(aiosqlite.Connection):
    """A connection with a thread of its own, which can be used without it while it has nothing to do."""

    def __init__(self, filename: str) -> None:
        super().__init__(
            partial(sqlite3.connect, filename, isolation_level=None, check_same_thread=not _ANY_THREAD), _ROWS_AT_ONCE
        )
        self._under_way: deque[None] = deque()

    @property
    def idle(self) -> bool:
        """Whether the thread does nothing, not even for somebody who has gone."""
        return _ANY_THREAD and not self._under_way

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self._under_way.append(None)
        return await super()._execute(self._done, fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _done(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        finally:
            self._under_way.pop()


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that has the write lock from its beginning."""

    def __init__(self, connection: "SqliteImmediateClient") -> None:
        super().__init__(connection)
        self._reads_of = connection

    async def begin(self) -> None:
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as exc:
            raise OperationalError(exc) from exc

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, Sequence[Any]]:
        """The rows of a statement, and how many there are or were changed."""
        rows = self._reads_of.read_within(self._connection, query, values or [])
        if rows is not None:
            self.log.debug("%s: %s", query, values)
            return len(rows), rows
        found: tuple[int, Sequence[Any]] = await _in_thread(self, query, values)
        return found

    @translate_exceptions
    async def execute_each(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        """Several statements, one a line, each for rows of its own: at once, or handed to the thread if they are many.

        A transaction has the write lock and waits for nobody before it commits. In the thread each row would be written
        between two waits for the interpreter, which whoever else runs gives away every few milliseconds.
        """
        statements = list(zip(query.split("\n"), rows, strict=True))
        async with self.acquire_connection() as connection:
            for statement in statements:
                self.log.debug("%s: %s", *statement)
            if connection.idle and sum(map(len, rows)) <= SHORT_ROWS:
                _execute_each(connection._conn, statements)
            else:
                await connection._execute(_execute_each, connection._conn, statements)


def _execute_each(connection: sqlite3.Connection, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
    for statement, rows in statements:
        connection.executemany(statement, rows)


class _ImmediateContext(SqliteTransactionContext):
    """Entered whole or not at all, also when the task is cancelled while it waits for the lock."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            begin = asyncio.ensure_future(self.connection.begin())
            try:
                await asyncio.shield(begin)
            except asyncio.CancelledError:
                await asyncio.wait([begin])
                if not begin.cancelled() and begin.exception() is None:
                    await self.connection.rollback()
                raise
            self.token = get_connections().set(self.connection_name, self.connection)
        except BaseException:
            self._trxlock.release()
            raise
        client: TransactionalDBClient = self.connection
        return client


class SqliteImmediateClient(SqliteClient):
    """One connection on which the transactions of a process take turns, and one for its short reads."""

    checkpoint_due = CHECKPOINT_BYTES  # the size of the log at which the next checkpoint is tried
    _reads: sqlite3.Connection | None = None
    _left = 0

    async def create_connection(self, with_db: bool) -> None:
        if not self._connection:
            # As Tortoise makes it, but for more than one thread.
            self._connection = await _Connection(self.filename)
            self._connection._conn.row_factory = sqlite3.Row
            for pragma, value in self.pragmas.items():
                await (await self._connection.execute(f"PRAGMA {pragma}={value}")).close()
            await self._post_connect()
        if self._reads is None:
            self._reads = sqlite3.connect(self.filename, timeout=0, isolation_level=None)
            self._reads.row_factory = sqlite3.Row
            for pragma in ("query_only = ON", "wal_autocheckpoint = 0", f"cache_size = {self.pragmas['cache_size']}"):
                self._reads.execute(f"PRAGMA {pragma}")
            self._reads.set_progress_handler(self._too_long, _COUNTED_BY)

    async def close(self) -> None:
        if self._reads is not None:
            self._reads.close()
            self._reads = None
        await super().close()

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, Sequence[Any]]:
        """The rows of a statement, and how many there are or were changed."""
        rows = self.read(query, values or [])
        if rows is not None:
            self.log.debug("%s: %s", query, values)
            return len(rows), rows
        found: tuple[int, Sequence[Any]] = await _in_thread(self, query, values)
        return found

    def read(self, query: str, values: list[Any]) -> list[Any] | None:
        """The rows of a short read, of what is committed; None for anything else."""
        if self._reads is None or not query.lstrip().startswith(_READS):
            return None
        return self._read(self._reads, query, values)

    def read_within(self, connection: Any, query: str, values: list[Any]) -> list[Any] | None:
        """The same of a transaction, on its connection: what it has written is there, and pages that it has read."""
        # An interrupted statement that writes would end the transaction.
        if not connection.idle or not query.lstrip().startswith("SELECT"):
            return None
        own = connection._conn
        own.set_progress_handler(self._too_long, _COUNTED_BY)
        try:
            return self._read(own, query, values)
        finally:
            own.set_progress_handler(None, 0)

    def _read(self, connection: sqlite3.Connection, query: str, values: list[Any]) -> list[Any] | None:
        self._left = SHORT_INSTRUCTIONS // _COUNTED_BY
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.Error:
            return None

    def _too_long(self) -> bool:
        self._left -= 1
        return self._left < 0

    def _in_transaction(self) -> TransactionContext:
        return _ImmediateContext(ImmediateTransaction(self), self._lock)

    async def checkpoint(self, wait_ms: int) -> bool:
        """Move the write-ahead log into the database and empty it; see ``databases.checkpoint``.

        False when readers or a writer in other processes kept it from finishing within ``wait_ms``.
        """
        async with self.acquire_connection() as connection:
            # The timeout of ordinary statements is half a minute, in which this process would answer nothing.
            await connection.execute(f"PRAGMA busy_timeout = {wait_ms:d}")
            try:
                [(busy, _, _)] = await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                await connection.execute(f"PRAGMA busy_timeout = {self.pragmas['busy_timeout']}")
        return not busy


client_class = SqliteImmediateClient
