"""MySQL and MariaDB: multi-row statements, row locks in key order."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import orjson

from core.store.dialect import Lookup, Writer
from core.store.tables import Row, Table

_FIRST: Final = "SELECT number FROM programme_version ORDER BY number LIMIT 1"
"""The row that stands for the rules. The newest is another for who has waited for one than for who comes after it."""


class MySql(Writer):
    """MySQL and MariaDB. Keys travel as one JSON array; the driver writes the values of an INSERT into its text."""

    @staticmethod
    @cache
    def _keys(table: Table, by: tuple[str, ...]) -> str:
        types = dict(zip(table.columns, table.mysql_types, strict=True))
        keys = ", ".join(f"k{at} {types[column]} PATH '$[{at}]'" for at, column in enumerate(by))
        return f"JSON_TABLE(%s, '$[*]' COLUMNS ({keys})) k"

    @classmethod
    @cache
    def _looking_up(cls, sql: str, table: Table, by: tuple[str, ...]) -> str:
        return sql.format(keys=cls._keys(table, by), join="STRAIGHT_JOIN", integer="SIGNED")

    async def look_up(self, sql: str, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        return await self.query(self._looking_up(sql, table, by), [orjson.dumps(keys).decode()])

    @classmethod
    @cache
    def _select(cls, table: Table, by: tuple[str, ...], tail: str, columns: tuple[str, ...] = ()) -> str:
        selected = ", ".join(f"t.{column}" for column in columns or table.columns)
        on = " AND ".join(f"t.{column} = k.k{at}" for at, column in enumerate(by))
        # STRAIGHT_JOIN fixes the order: look each key up. For a list of keys (IN) the optimizer weighs every index
        # for every key, which on MariaDB takes a hundred times as long as the reading.
        return f"SELECT {selected} FROM {cls._keys(table, by)} STRAIGHT_JOIN {table.name} t ON {on}{tail}"

    async def select(
        self,
        table: Table,
        by: tuple[str, ...],
        keys: Sequence[Row],
        where: str = "",
        columns: tuple[str, ...] = (),
    ) -> Sequence[Row]:
        sql = self._select(table, by, f" WHERE {where}" if where else "", columns)
        return await self.query(sql, [orjson.dumps(keys).decode()])

    @staticmethod
    def _rows_of(found: Iterable[Any]) -> Sequence[Row]:
        # The one driver that gives dicts.
        return [tuple(row.values()) for row in found]

    async def keep_rules(self, beside: Sequence[Lookup] = ()) -> Sequence[Sequence[Row]]:
        # Named locks cannot be shared here; before the first version there are no rules to keep.
        await self.query(f"{_FIRST} LOCK IN SHARE MODE")
        return await self.find_all(beside)

    async def change_rules(self) -> None:
        await self.query(f"{_FIRST} FOR UPDATE")

    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        # Rows are locked as they are read, so the keys have to be in order as well.
        order = ", ".join(f"t.{column}" for column in table.key)
        sql = self._select(table, by, f" ORDER BY {order} FOR UPDATE")
        return await self.query(sql, [orjson.dumps(sorted(keys)).decode()])

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self._insert(table, rows, "")

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        change = ", ".join(f"{c} = VALUES({c})" for c in table.rest)
        await self._insert(table, rows, f" ON DUPLICATE KEY UPDATE {change}")

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        change = ", ".join(f"{c} = {table.name}.{c} + VALUES({c})" for c in table.rest)
        await self._insert(table, sorted(rows), f" ON DUPLICATE KEY UPDATE {change}")

    async def _insert(self, table: Table, rows: Sequence[Row], conflict: str) -> None:
        marks = "(" + ", ".join(["%s"] * len(table.columns)) + ")"
        sql = f"INSERT INTO {table.name} ({table.column_list}) VALUES {', '.join([marks] * len(rows))}{conflict}"
        await self.client.execute_query(sql, [value for row in rows for value in row])
