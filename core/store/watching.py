"""Whoever wants to know of each statement that is sent, and how long it takes: nobody, unless an installation asks.

The ORM has no place for it that costs nothing where nobody asks, so its clients' methods are replaced meanwhile.
BEGIN and COMMIT are not among them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Final

from tortoise.backends.asyncpg import client as asyncpg
from tortoise.backends.mysql import client as mysql
from tortoise.backends.sqlite import client as sqlite

from core.store.asyncpg_kept import AsyncpgKeptClient
from core.store.sqlite_immediate import ImmediateTransaction, SqliteImmediateClient

Watch = Callable[[str], AbstractContextManager[object]]

_METHODS: Final = (
    "execute_each",
    "execute_insert",
    "execute_many",
    "execute_query",
    "execute_query_dict",
    "execute_script",
)
_CLIENTS: Final = (
    asyncpg.AsyncpgDBClient,
    AsyncpgKeptClient,
    asyncpg.TransactionWrapper,
    mysql.MySQLClient,
    mysql.TransactionWrapper,
    sqlite.SqliteClient,
    SqliteImmediateClient,
    ImmediateTransaction,
    sqlite.SqliteTransactionWrapper,
)
_MADE_OF_OTHERS: Final = {(mysql.MySQLClient, "execute_query_dict")}


@contextmanager
def statements_watched(watch: Watch) -> Iterator[None]:
    """Have every statement of this process run inside ``watch(its text)``. Values never stand in a statement's text."""
    replaced = [
        (client, name, vars(client)[name])
        for client in _CLIENTS
        for name in _METHODS
        if name in vars(client) and (client, name) not in _MADE_OF_OTHERS
    ]
    for client, name, method in replaced:
        setattr(client, name, _watched(method, watch))
    try:
        yield
    finally:
        for client, name, method in replaced:
            setattr(client, name, method)


def _watched(method: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    @wraps(method)
    async def watched(client: Any, query: str, *values: Any, **named: Any) -> Any:
        with watch(query):
            return await method(client, query, *values, **named)

    return watched
