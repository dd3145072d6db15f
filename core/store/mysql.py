"""MySQL and MariaDB: multi-row statements, row locks in key order."""

from collections.abc import Sequence

from core.store.dialect import Writer
from core.store.tables import Row, Table


class MySql(Writer):
    """MySQL and MariaDB. The driver writes values into the text itself and joins the rows of an INSERT into one."""

    @staticmethod
    def _where(by: tuple[str, ...], keys: Sequence[Row]) -> str:
        marks = "(" + ", ".join(["%s"] * len(by)) + ")"
        return f"({', '.join(by)}) IN ({', '.join([marks] * len(keys))})"

    async def select(self, table: Table, by: tuple[str, ...], keys: Sequence[Row], where: str = "") -> Sequence[Row]:
        more = f" AND {where}" if where else ""
        sql = f"SELECT {table.column_list} FROM {table.name} t WHERE {self._where(by, keys)}{more}"
        return await self.query(sql, [value for key in keys for value in key])

    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        where, order = self._where(by, keys), ", ".join(table.key)
        sql = f"SELECT {table.column_list} FROM {table.name} WHERE {where} ORDER BY {order} FOR UPDATE"
        return await self.query(sql, [value for key in keys for value in key])

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self._insert(table, rows, "")

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        change = ", ".join(f"{c} = VALUES({c})" for c in table.rest)
        await self._insert(table, rows, f" ON DUPLICATE KEY UPDATE {change}")

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        (column,) = table.rest
        change = f"{column} = {table.name}.{column} + VALUES({column})"
        await self._insert(table, sorted(rows), f" ON DUPLICATE KEY UPDATE {change}")

    async def _insert(self, table: Table, rows: Sequence[Row], conflict: str) -> None:
        marks = "(" + ", ".join(["%s"] * len(table.columns)) + ")"
        sql = f"INSERT INTO {table.name} ({table.column_list}) VALUES {', '.join([marks] * len(rows))}{conflict}"
        await self.client.execute_query(sql, [value for row in rows for value in row])
