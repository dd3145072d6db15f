"""SQLite for Tortoise: transactions that take the write lock when they begin, short reads, checkpoints on demand.

Tortoise's own client begins *deferred* transactions: one that reads first and writes later can find that
another process has written in between, and fails at once with ``database is locked``, whatever the busy
timeout. ``BEGIN IMMEDIATE`` waits for its turn instead.

A read by an index takes SQLite less time than it takes to hand it to a thread and the rows back. So what is read
outside of transactions is read at once, on a connection of its own that cannot write and waits for nobody; a read that
is not done after ``SHORT_INSTRUCTIONS`` is given up and made by the thread, as is one that fails. The module's name
must contain "sqlite", as Tortoise picks the dialect of migrations by it.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

SHORT_INSTRUCTIONS: Final = 200_000
"""How long a read may keep everybody else waiting: instructions of SQLite's machine, some five milliseconds of them."""
_COUNTED_BY: Final = 2_000
_READS: Final = ("SELECT", "WITH")
_in_thread: Final = SqliteClient.execute_query

# Pages that several batches change are copied into the database once.
CHECKPOINT_BYTES = 64 * 1024 * 1024


class _ImmediateTransaction(SqliteTransactionWrapper):
    async def begin(self) -> None:
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as exc:
            raise OperationalError(exc) from exc


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
        await super().create_connection(with_db)
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
        rows = self._read(query, values or [])
        if rows is not None:
            self.log.debug("%s: %s", query, values)
            return len(rows), rows
        found: tuple[int, Sequence[Any]] = await _in_thread(self, query, values)
        return found

    def _read(self, query: str, values: list[Any]) -> list[Any] | None:
        """The rows of a short read; None for anything else."""
        if self._reads is None or not query.lstrip().startswith(_READS):
            return None
        self._left = SHORT_INSTRUCTIONS // _COUNTED_BY
        try:
            return self._reads.execute(query, values).fetchall()
        except sqlite3.Error:
            return None

    def _too_long(self) -> bool:
        self._left -= 1
        return self._left < 0

    def _in_transaction(self) -> TransactionContext:
        return _ImmediateContext(_ImmediateTransaction(self), self._lock)

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
