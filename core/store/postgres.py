"""PostgreSQL: arrays in, many new rows by COPY; row locks in key order."""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson
from tortoise.backends.base_postgres.client import translate_exceptions

from core.store.dialect import Lookup, Writer, Writing, statement_of
from core.store.tables import Row, Table

_COPIED_FROM: Final = 256
"""From so many new rows on it is faster to copy them, though the server is spoken to twice."""
_JOINED_KEPT: Final = 256
"""Statements of several lookups whose text is kept: any questions, in any order, may come to be asked together."""
_BEGINS: Final = "begins here"
"""The column before those of a lookup, in a statement of several: its number. No table has one of that name."""
_NUMBER: Final[Callable[[Any], int]] = itemgetter(0)
"""Of which lookup a row of such a statement is."""
_WRITTEN_KEPT: Final = 256
"""The same of statements that write: what operations change comes together in ever other ways."""
_RULES: Final = int.from_bytes(sha256(b"laurel.rules").digest()[:8], signed=True)
_KEEPING: Final = f"SELECT pg_advisory_xact_lock_shared({_RULES})::text FROM {{keys}}"


class Postgres(Writer):
    """Rows travel as one array a column, so one statement of fixed text writes any number of them."""

    joins = True

    @staticmethod
    @cache
    def _looking_up(sql: str, table: Table, by: tuple[str, ...], *, counted: bool = False, first: int = 1) -> str:
        keys = _keys(table, by, counted=counted, first=first)
        return sql.format(keys=keys, join="JOIN", integer="bigint")

    async def look_up(self, sql: str, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        # Keys that do not begin as the table's are days and the like: there are many rows between two of them.
        if by[0] != table.key[0]:
            columns = [list(column) for column in zip(*keys, strict=True)]
            return await self.query(self._looking_up(sql, table, by, counted=True), columns)
        return await self.query(self._looking_up(sql, table, by), _arrays(keys))

    @staticmethod
    @cache
    def _select(
        table: Table, by: tuple[str, ...], where: str, tail: str = "", columns: tuple[str, ...] = (), *, first: int = 1
    ) -> str:
        selected = ", ".join(f"t.{column}" for column in columns or table.columns)
        on = " AND ".join(f"t.{column} = k.k{at}" for at, column in enumerate(by))
        more = f" WHERE {where}" if where else ""
        return f"SELECT {selected} FROM {_keys(table, by, first=first)} JOIN {table.name} t ON {on}{more}{tail}"

    async def select(
        self,
        table: Table,
        by: tuple[str, ...],
        keys: Sequence[Row],
        where: str = "",
        columns: tuple[str, ...] = (),
    ) -> Sequence[Row]:
        return await self.query(self._select(table, by, where, "", columns), _arrays(keys))

    @classmethod
    @lru_cache(maxsize=_JOINED_KEPT)
    def _joined(cls, asked: Sequence[tuple[Table, tuple[str, ...], str, str, tuple[str, ...]]]) -> str:
        parts, first = [], 1
        for number, (table, by, where, sql, columns) in enumerate(asked):
            if sql:
                one = cls._looking_up(sql, table, by, first=first)
            else:
                one = cls._select(table, by, where, "", columns, first=first)
            parts.append(f'(SELECT {number} AS "{_BEGINS}", p.* FROM ({one}) p) p{number}')
            first += len(by)
        # Side by side, as each has other columns. To read a row as one value takes longer than to read nothing often.
        numbers = ", ".join(f'p{number}."{_BEGINS}"' for number in range(len(parts)))
        joined = " FULL JOIN ".join(parts[:1] + [f"{part} ON FALSE" for part in parts[1:]])
        return f"SELECT COALESCE({numbers}), * FROM {joined}"

    async def find_all(self, lookups: Sequence[Lookup]) -> Sequence[Sequence[Row]]:
        if len(lookups) < 2:
            return await super().find_all(lookups)
        sql = self._joined(tuple([(table, by, *more) for table, by, _, *more in lookups]))
        values = [value for lookup in lookups for value in _arrays(lookup.keys)]
        found: list[list[Row]] = [[] for _ in lookups]
        _, rows = await self.client.execute_query(sql, values)
        if rows:
            begins = [at for at, name in enumerate(rows[0].keys()) if name == _BEGINS]
            parts = [slice(begin + 1, end) for begin, end in zip(begins, [*begins[1:], len(rows[0])], strict=True)]
            for number, of_part in groupby(rows, _NUMBER):
                columns = parts[number]
                found[number] += [row[columns] for row in of_part]
        return found

    async def keep_rules(self, beside: Sequence[Lookup] = ()) -> Sequence[Sequence[Row]]:
        # Advisory: to share a row's lock would write to the row, in every batch.
        if not beside:
            await self.query("SELECT pg_advisory_xact_lock_shared($1)", [_RULES])
            return ()
        # A lookup of one key, of whatever table, that finds the lock.
        table = beside[0].table
        *found, _ = await self.find_all([*beside, Lookup(table, table.key[:1], [(0,)], sql=_KEEPING)])
        return found

    async def change_rules(self) -> None:
        await self.query("SELECT pg_advisory_xact_lock($1)", [_RULES])

    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        tail = f" ORDER BY {', '.join(f't.{column}' for column in table.key)} FOR NO KEY UPDATE OF t"
        return await self.query(self._select(table, by, "", tail), _arrays(keys))

    async def write(self, changes: Sequence[tuple[Writing, Table, Sequence[Row]]]) -> None:
        together = []
        for change, table, rows in changes:
            if change is Writing.INSERT and len(rows) >= _COPIED_FROM:
                await _copy(self.client, table, rows)
            else:
                together.append((change, table, rows))
        if together:
            statement = _writing(tuple((change, table) for change, table, _ in together))
            values = [array for change, _, rows in together for array in _arrays(_ordered(change, rows))]
            await self.client.execute_query(statement, values)

    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        await self.write([(Writing.INSERT, table, rows)])

    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        await self.write([(Writing.UPDATE, table, rows)])

    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        await self.write([(Writing.ACCUMULATE, table, rows)])


@lru_cache(maxsize=_WRITTEN_KEPT)
def _writing(changes: tuple[tuple[Writing, Table], ...]) -> str:
    """One statement that makes all these changes, none of which sees what another does."""
    parts, first = [], 1
    for change, table in changes:
        parts.append(statement_of(change, table, f"SELECT * FROM {_unnest(table.postgres_types, first=first)}"))
        first += len(table.columns)
    if len(parts) == 1:
        return parts[0]
    # What is written down last is done first, so that the rows for which somebody may wait are locked last.
    written = [f"w{at} AS ({part})" for at, part in enumerate(parts)]
    return f"WITH {', '.join(reversed(written))} SELECT 1"


def _ordered(change: Writing, rows: Sequence[Row]) -> Sequence[Row]:
    # In key order, so that two writers can't wait for each other.
    return sorted(rows) if change is Writing.ACCUMULATE else rows


@translate_exceptions
async def _copy(client: Any, table: Table, rows: Sequence[Row]) -> None:
    client.log.debug("%s: %s", f"COPY {table.name} ({table.column_list}) FROM STDIN", rows)
    async with client.acquire_connection() as connection:
        await connection.copy_records_to_table(table.name, records=rows, columns=table.columns)


@cache
def _types(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(table.postgres_types[table.columns.index(column)] for column in columns)


@cache
def _keys(table: Table, by: tuple[str, ...], *, counted: bool = False, first: int = 1) -> str:
    names = ", ".join(f"k{at}" for at, _ in enumerate(by))
    return f"{_unnest(_types(table, by), counted=counted, first=first)} AS k({names})"


def _unnest(types: tuple[str, ...], *, counted: bool = False, first: int = 1) -> str:
    """Rows of a statement's values, one array a column, from the ``first`` value on: each a text as ``_arrays`` has it.

    Where the planner is to have them ``counted`` they are arrays. Of one that it sees it counts the elements, thinks a
    plan for so many better than the one it keeps, and plans each time anew, which takes longer than to look up a row.
    """
    form = "${}::{}[]" if counted else "(SELECT ${}::text::{}[])"
    arrays = [form.format(at, kind) for at, kind in enumerate(types, first)]
    return f"unnest({', '.join(arrays)})"


def _arrays(rows: Sequence[Row]) -> list[str]:
    """The columns of rows, each an array as PostgreSQL reads it.

    Of an array that it writes itself the driver asks each element whether it is a list.

    >>> _arrays([(1, "tea"), (-3, None)])
    ['{1,-3}', '{"tea",null}']
    """
    return [_array(column) for column in zip(*rows, strict=True)]


def _array(column: tuple[Any, ...]) -> str:
    r"""A column as PostgreSQL reads an array: as JSON has it, but for letters that JSON has a name for.

    >>> _array(('say "tea"\n',))
    '{"say \\"tea\\"\n"}'
    """
    text = orjson.dumps(column)[1:-1].decode()
    # What else there is that begins with a backslash is hardly ever there, and looked for one by one.
    if text.count("\\") > text.count('\\"'):
        text = _ESCAPED.sub(_unescaped, text)
    return f"{{{text}}}"


_ESCAPED: Final = re.compile(r"\\(?:u[0-9a-f]{4}|.)")


def _unescaped(escape: "re.Match[str]") -> str:
    said: str = orjson.loads(f'"{escape[0]}"')
    return escape[0] if said in _MARKED else said


_MARKED: Final = frozenset('"\\')
