"""Where the ledger is kept: transactions for the committer, reads for everybody else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from core.store.databases import checkpoint_when_due
from core.store.dialect import Reader, Writer
from core.store.mysql import MySql
from core.store.postgres import Postgres
from core.store.sqlite import Sqlite

_WRITERS: Final[Mapping[str, type[Writer]]] = {"sqlite": Sqlite, "postgres": Postgres, "mysql": MySql}


def writer(client: BaseDBAsyncClient) -> Writer:
    """The writer that speaks the client's dialect."""
    return _WRITERS[client.capabilities.dialect](client)


class Store:
    """One database, by the name of its Tortoise connection."""

    def __init__(self, connection: str = "default") -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Writer]:
        """A transaction that commits when the block ends and is rolled back when it raises."""
        async with in_transaction(self._connection) as client:
            yield writer(client)

    def reader(self) -> Reader:
        """Reads outside of any transaction."""
        return writer(get_connection(self._connection))

    async def after_commit(self) -> None:
        """What has to be done now and then between transactions."""
        await checkpoint_when_due(get_connection(self._connection))
