"""Where the ledger is kept: transactions for the committer, reads for everybody else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connection, get_connections
from tortoise.transactions import in_transaction

from core.store import comments as comments
from core.store.databases import checkpoint_when_due
from core.store.dialect import Reader, Writer
from core.store.mysql import MySql
from core.store.postgres import Postgres
from core.store.sqlite import Sqlite

_WRITERS: Final[Mapping[str, type[Writer]]] = {"sqlite": Sqlite, "postgres": Postgres, "mysql": MySql}


def writer(client: BaseDBAsyncClient) -> Writer:
    """The writer that speaks the client's dialect."""
    return _WRITERS[client.capabilities.dialect](client)


async def _give_back(opening: TransactionContext) -> None:
    """Return the connection on which a transaction could not begin to its pool; Tortoise forgets to."""
    if isinstance(opening, TransactionContextPooled) and opening.client._connection is not None:
        with suppress(Exception):  # it is broken, and the error that says so is on its way
            await opening.client._parent._pool.release(opening.client._connection)


class Store:
    """One database, by the name of its Tortoise connection."""

    def __init__(self, connection: str = "default") -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Writer]:
        """A transaction that commits when the block ends and is rolled back when it raises."""
        outside = get_connection(self._connection)
        opening = in_transaction(self._connection)
        begun = False
        try:
            async with opening as client:
                begun = True
                yield writer(client)
        finally:
            if not begun:
                await _give_back(opening)
            if get_connection(self._connection) is not outside:
                # Tortoise leaves a transaction that could not begin or end as the connection of this task.
                get_connections().set(self._connection, outside)

    @property
    def one_writer(self) -> bool:
        """Whether the database lets one write at a time, so that a second would only wait."""
        return self.reader().one_writer

    def reader(self) -> Reader:
        """Reads outside of any transaction."""
        return writer(get_connection(self._connection))

    async def after_commit(self) -> None:
        """What has to be done now and then between transactions."""
        await checkpoint_when_due(get_connection(self._connection))
