"""SQLite for Tortoise with transactions that take the write lock when they begin, and checkpoints on demand.

Tortoise's own client begins *deferred* transactions: one that reads first and writes later can find that
another process has written in between, and fails at once with ``database is locked``, whatever the busy
timeout. ``BEGIN IMMEDIATE`` waits for its turn instead. The module's name must contain "sqlite", as
Tortoise picks the dialect of migrations by it.
"""

import asyncio
import sqlite3

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError

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
    """One connection; reads and writes of a process take turns on it."""

    checkpoint_due = CHECKPOINT_BYTES  # the size of the log at which the next checkpoint is tried

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
