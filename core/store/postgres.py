"""PostgreSQL: arrays in, row locks in key order."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any, Final

from core.store.dialect import Writer
from core.store.tables import Row, Table

_RULES: Final = int.from_bytes(sha256(b"laurel.rules").digest()[:8], signed=True)


class Postgres(Writer):
    """Rows travel as one array a column, so one statement of fixed text writes any number of them."""

    @staticmethod
    @cache
    def _keys(table: Table, by: tuple[str, ...]) -> str:
        types = dict(zip(table.columns, table.postgres_types, strict=True))
        names = ", ".join(f"k{at}" for at, _ in enumerate(by))
        arrays = ", ".join(f"${at}::{types[column]}[]" for at, column in enumerate(by, 1))
        return f"unnest({arrays}) AS k({names})"

    @classmethod
    @cache
    def _looking_up(cls, sql: str, table: Table, by: tuple[str, ...]) -> str:
        return sql.format(keys=cls._keys(table, by), join="JOIN")

    async def look_up(self, sql: str, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        return await self.query(self._looking_up(sql, table, by), _arrays(keys))

    @classmethod
    @cache
    def _select(cls, table: Table, by: tuple[str, ...], where: str, tail: str) -> str:
        columns = ", ".join(f"t.{column}" for column in table.columns)
        on = " AND ".join(f"t.{column} = k.k{at}" for at, column in enumerate(by))
        more = f" WHERE {where}" if where else ""
        return f"SELECT {columns} FROM {cls._keys(table, by)} JOIN {table.name} t ON {on}{more}{tail}"

    async def select(self, table: Table, by: tuple[str, ...], keys: Sequence[Row], where: str = "") -> Sequence[Row]:
        return await self.query(self._select(table, by, where, ""), _arrays(keys))

    async def keep_rules(self) -> None:
        # Advisory: to share a row's lock would write to the row, in every batch.
        await self.query("SELECT pg_advisory_xact_lock_shared($1)", [_RULES])

    async def change_rules(self) -> None:
        await self.query("SELECT pg_advisory_xact_lock($1)", [_RULES])

    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        tail = f" ORDER BY {', '.join(f't.{column}' for column in table.key)} FOR NO KEY UPDATE OF t"
        return await self.query(self._select(table, by, "", tail), _arrays(keys))

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self._insert(table, rows, "")

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        change = ", ".join(f"{c} = excluded.{c}" for c in table.rest)
        await self._insert(table, rows, f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {change}")

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        (column,) = table.rest
        change = f"{column} = {table.name}.{column} + excluded.{column}"
        # In key order, so that two writers can't wait for each other.
        await self._insert(table, sorted(rows), f" ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {change}")

    async def _insert(self, table: Table, rows: Sequence[Row], conflict: str) -> None:
        arrays = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(table.postgres_types, 1))
        sql = f"INSERT INTO {table.name} ({table.column_list}) SELECT * FROM unnest({arrays}){conflict}"
        await self.client.execute_query(sql, _arrays(rows))


def _arrays(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
