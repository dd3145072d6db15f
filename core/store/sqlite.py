"""SQLite: one writer at a time, keys and rows in the fewest words."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import orjson

from core.store.dialect import Lookup, Writer, Writing, statement_of
from core.store.sqlite_immediate import ImmediateTransaction
from core.store.tables import Row, Table


class Sqlite(Writer):
    """One writer at a time: BEGIN IMMEDIATE is the lock. Keys travel as one JSON array."""

    one_writer = True

    @staticmethod
    @cache
    def _looking_up(sql: str, by: tuple[str, ...]) -> str:
        names = ", ".join(f"json_extract(value, '$[{at}]') AS k{at}" for at, _ in enumerate(by))
        # LIMIT keeps SQLite from merging this into the statement, where it would parse a key for each row it meets.
        keys = f"(SELECT {names} FROM json_each(?) LIMIT -1) k"
        return sql.format(keys=keys, join="CROSS JOIN", integer="INTEGER")

    async def look_up(self, sql: str, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        return await self.query(self._looking_up(sql, by), [orjson.dumps(keys).decode()])

    @staticmethod
    @cache
    def _select(table: Table, by: tuple[str, ...], where: str, columns: tuple[str, ...] = ()) -> str:
        selected = ", ".join(f"t.{column}" for column in columns or table.columns)
        on = " AND ".join(f"t.{column} = json_extract(k.value, '$[{at}]')" for at, column in enumerate(by))
        # IS TRUE makes it a filter and nothing else: SQLite would take an index of all members' open lots for it,
        # and look through all of them for each member.
        more = f" AND ({where}) IS TRUE" if where else ""
        # By itself it would take the primary key, and look through all rows of the member for each key.
        index = table.indexes.get(by)
        taken = f" INDEXED BY {index}" if index is not None else ""
        # CROSS JOIN fixes the order: look each key up, instead of scanning the table for keys.
        return f"SELECT {selected} FROM json_each(?) k CROSS JOIN {table.name} t{taken} WHERE {on}{more}"

    async def select(
        self,
        table: Table,
        by: tuple[str, ...],
        keys: Sequence[Row],
        where: str = "",
        columns: tuple[str, ...] = (),
    ) -> Sequence[Row]:
        return await self.query(self._select(table, by, where, columns), [orjson.dumps(keys).decode()])

    @property
    def alone(self) -> bool:
        return isinstance(self.client, ImmediateTransaction)

    async def keep_rules(self, beside: Sequence[Lookup] = ()) -> Sequence[Sequence[Row]]:
        # Whoever is the one writer keeps everything.
        return await self.find_all(beside)

    async def change_rules(self) -> None:
        pass

    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        return await self.select(table, by, keys)

    async def write(self, changes: Sequence[tuple[Writing, Table, Sequence[Row]]]) -> None:
        if not isinstance(self.client, ImmediateTransaction):
            await super().write(changes)
            return
        statements = "\n".join(_statement(change, table) for change, table, _ in changes)
        await self.client.execute_each(statements, [rows for _, _, rows in changes])

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self._execute_many(Writing.INSERT, table, rows)

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        await self._execute_many(Writing.UPDATE, table, rows)

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        await self._execute_many(Writing.ACCUMULATE, table, rows)

    async def _execute_many(self, change: Writing, table: Table, rows: Sequence[Row]) -> None:
        # Tuples serve as well as the lists that Tortoise's signature asks for, and are here already.
        await self.client.execute_many(_statement(change, table), cast(list[list[Any]], rows))


@cache
def _statement(change: Writing, table: Table) -> str:
    return statement_of(change, table, f"VALUES ({', '.join('?' * len(table.columns))})")
