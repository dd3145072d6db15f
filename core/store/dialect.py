"""What the writer asks of a database, and how each of the three says it.

Values never stand in the text of a statement, and a statement's text does not depend on how many rows it is about,
so that every database can keep it prepared. Rows are plain tuples of driver types.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from core.accounts import Account
from core.store.tables import Row, Table, table_of


class Reader(ABC):
    """The reads of one open transaction (or of none, for the graph's loaders)."""

    def __init__(self, client: BaseDBAsyncClient) -> None:
        self.client = client

    @abstractmethod
    async def select(self, table: Table, by: tuple[str, ...], keys: Sequence[Row], where: str = "") -> Sequence[Row]:
        """All rows whose columns ``by`` equal one of the keys."""

    async def query(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Row]:
        """Rows of a statement in the database's own words."""
        _, rows = await self.client.execute_query(sql, list(values))
        # Tortoise promises dicts; only MySQL's driver gives them, the others give records.
        return [tuple(row.values()) if type(row) is dict else tuple(row) for row in rows]


class Writer(Reader):
    """The writes of one open transaction."""

    @abstractmethod
    async def lock(self, keys: Sequence[Row]) -> Sequence[Row]:
        """The account rows of these members (bucket, member_id), locked in key order until the transaction ends."""

    @abstractmethod
    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """New rows. Fails as a whole when one of them exists."""

    @abstractmethod
    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        """New values of existing rows, each row whole."""

    @abstractmethod
    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        """Add the last column to that of the existing row, or insert the row."""


def _columns(table: Table) -> str:
    return ", ".join(table.columns)


def _rest(table: Table) -> list[str]:
    return [column for column in table.columns if column not in table.key]


class Sqlite(Writer):
    """One writer at a time: BEGIN IMMEDIATE is the lock. Keys travel as one JSON array."""

    @staticmethod
    @cache
    def _select(table: Table, by: tuple[str, ...], where: str) -> str:
        columns = ", ".join(f"t.{column}" for column in table.columns)
        on = " AND ".join(f"t.{column} = json_extract(k.value, '$[{at}]')" for at, column in enumerate(by))
        more = f" AND {where}" if where else ""
        # CROSS JOIN fixes the order: look each key up, instead of scanning the table for keys.
        return f"SELECT {columns} FROM json_each(?) k CROSS JOIN {table.name} t WHERE {on}{more}"

    async def select(self, table: Table, by: tuple[str, ...], keys: Sequence[Row], where: str = "") -> Sequence[Row]:
        return await self.query(self._select(table, by, where), [orjson.dumps(keys).decode()])

    async def lock(self, keys: Sequence[Row]) -> Sequence[Row]:
        return await self.select(_account(), ("bucket", "member_id"), keys)

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        await self._execute_many(f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks})", rows)

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        await self._upsert(table, rows, ", ".join(f"{c} = excluded.{c}" for c in _rest(table)))

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        (column,) = _rest(table)
        await self._upsert(table, rows, f"{column} = {table.name}.{column} + excluded.{column}")

    async def _upsert(self, table: Table, rows: Sequence[Row], change: str) -> None:
        marks = ", ".join("?" * len(table.columns))
        await self._execute_many(
            f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks}) "
            f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {change}",
            rows,
        )

    async def _execute_many(self, sql: str, rows: Sequence[Row]) -> None:
        # Tuples serve as well as the lists that Tortoise's signature asks for, and are here already.
        await self.client.execute_many(sql, cast(list[list[Any]], rows))


class Postgres(Writer):
    """Rows travel as one array a column, so one statement of fixed text writes any number of them."""

    @staticmethod
    @cache
    def _select(table: Table, by: tuple[str, ...], where: str, tail: str) -> str:
        types = dict(zip(table.columns, table.postgres_types, strict=True))
        columns = ", ".join(f"t.{column}" for column in table.columns)
        names = ", ".join(f"k{at}" for at, _ in enumerate(by))
        arrays = ", ".join(f"${at}::{types[column]}[]" for at, column in enumerate(by, 1))
        on = " AND ".join(f"t.{column} = k.k{at}" for at, column in enumerate(by))
        more = f" WHERE {where}" if where else ""
        return f"SELECT {columns} FROM unnest({arrays}) AS k({names}) JOIN {table.name} t ON {on}{more}{tail}"

    async def select(self, table: Table, by: tuple[str, ...], keys: Sequence[Row], where: str = "") -> Sequence[Row]:
        return await self.query(self._select(table, by, where, ""), _arrays(keys))

    async def lock(self, keys: Sequence[Row]) -> Sequence[Row]:
        tail = " ORDER BY t.bucket, t.member_id, t.unit FOR NO KEY UPDATE OF t"
        return await self.query(self._select(_account(), ("bucket", "member_id"), "", tail), _arrays(keys))

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self._insert(table, rows, "")

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        change = ", ".join(f"{c} = excluded.{c}" for c in _rest(table))
        await self._insert(table, rows, f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {change}")

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        (column,) = _rest(table)
        change = f"{column} = {table.name}.{column} + excluded.{column}"
        # In key order, so that two writers can't wait for each other.
        await self._insert(table, sorted(rows), f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {change}")

    async def _insert(self, table: Table, rows: Sequence[Row], conflict: str) -> None:
        arrays = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(table.postgres_types, 1))
        sql = f"INSERT INTO {table.name} ({_columns(table)}) SELECT * FROM unnest({arrays}){conflict}"
        await self.client.execute_query(sql, _arrays(rows))


def _arrays(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


class MySql(Writer):
    """MySQL and MariaDB. The driver writes values into the text itself and joins the rows of an INSERT into one."""

    @staticmethod
    def _where(by: tuple[str, ...], keys: Sequence[Row]) -> str:
        marks = "(" + ", ".join(["%s"] * len(by)) + ")"
        return f"({', '.join(by)}) IN ({', '.join([marks] * len(keys))})"

    async def select(self, table: Table, by: tuple[str, ...], keys: Sequence[Row], where: str = "") -> Sequence[Row]:
        more = f" AND {where}" if where else ""
        sql = f"SELECT {_columns(table)} FROM {table.name} t WHERE {self._where(by, keys)}{more}"
        return await self.query(sql, [value for key in keys for value in key])

    async def lock(self, keys: Sequence[Row]) -> Sequence[Row]:
        where = self._where(("bucket", "member_id"), keys)
        sql = f"SELECT {_columns(_account())} FROM account WHERE {where} ORDER BY bucket, member_id, unit FOR UPDATE"
        return await self.query(sql, [value for key in keys for value in key])

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self._insert(table, rows, "")

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        change = ", ".join(f"{c} = VALUES({c})" for c in _rest(table))
        await self._insert(table, rows, f" ON DUPLICATE KEY UPDATE {change}")

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        (column,) = _rest(table)
        change = f"{column} = {table.name}.{column} + VALUES({column})"
        await self._insert(table, sorted(rows), f" ON DUPLICATE KEY UPDATE {change}")

    async def _insert(self, table: Table, rows: Sequence[Row], conflict: str) -> None:
        marks = "(" + ", ".join(["%s"] * len(table.columns)) + ")"
        sql = f"INSERT INTO {table.name} ({_columns(table)}) VALUES {', '.join([marks] * len(rows))}{conflict}"
        await self.client.execute_query(sql, [value for row in rows for value in row])


def _account() -> Table:
    return table_of(Account)


_DIALECTS: Mapping[str, type[Writer]] = {"sqlite": Sqlite, "postgres": Postgres, "mysql": MySql}


def writer(client: BaseDBAsyncClient) -> Writer:
    """The writer that speaks the client's dialect."""
    return _DIALECTS[client.capabilities.dialect](client)
