"""What the core asks of a database. ``sqlite``, ``postgres`` and ``mysql`` beside this module say how each does it.

Values never stand in the text of a statement, and a statement's text does not depend on how many rows it is about,
so that every database can keep it prepared. Rows are plain tuples of driver types.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Any, ClassVar, NamedTuple

from tortoise.backends.base.client import BaseDBAsyncClient

from core.store.tables import Row, Table


class Writing(Enum):
    """What becomes of rows."""

    INSERT = auto()
    UPDATE = auto()
    ACCUMULATE = auto()


class Lookup(NamedTuple):
    """What is to be looked up for many keys: by ``Reader.select``, or by ``look_up`` where it has a statement.

    ``columns`` are those that are selected; all if none is named.
    """

    table: Table
    by: tuple[str, ...]
    keys: Sequence[Row]
    where: str = ""
    sql: str = ""
    columns: tuple[str, ...] = ()


class Reader(ABC):
    """The reads of one open transaction (or of none, for the graph's loaders)."""

    joins: ClassVar[bool] = False
    """Whether ``find_all`` takes one statement, and less than several would."""
    one_writer: ClassVar[bool] = False
    """Whether the database lets one write at a time."""

    def __init__(self, client: BaseDBAsyncClient) -> None:
        self.client = client

    @property
    def alone(self) -> bool:
        """Whether nobody else can write until its transaction ends, so that what is read stays as it is."""
        return False

    @abstractmethod
    async def select(
        self,
        table: Table,
        by: tuple[str, ...],
        keys: Sequence[Row],
        where: str = "",
        columns: tuple[str, ...] = (),
    ) -> Sequence[Row]:
        """All rows whose columns ``by`` equal one of the keys, of which these columns or all."""

    @abstractmethod
    async def look_up(self, sql: str, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        """Rows of a statement of the caller's own, for all keys at once.

        ``{keys}`` in it becomes the keys as a table: ``k.k0``, ``k.k1`` … of the types of the table's columns ``by``.
        ``{join}`` joins what is looked up for each of them, and is written where another table follows.
        ``{integer}`` is what a sum of whole numbers is cast to, which otherwise is a decimal on some databases.
        """

    async def find(self, lookup: Lookup) -> Sequence[Row]:
        """What is looked up."""
        table, by, keys, where, sql, columns = lookup
        return await (self.look_up(sql, table, by, keys) if sql else self.select(table, by, keys, where, columns))

    async def find_all(self, lookups: Sequence[Lookup]) -> Sequence[Sequence[Row]]:
        """What each of several looks up."""
        return [await self.find(lookup) for lookup in lookups]

    async def query(self, sql: str, values: Sequence[Any] = ()) -> Sequence[Row]:
        """Rows of a statement in the database's own words."""
        _, rows = await self.client.execute_query(sql, list(values))
        return self._rows_of(rows)

    @staticmethod
    def _rows_of(found: Iterable[Any]) -> Sequence[Row]:
        """The rows of what the driver gives: records, though Tortoise promises dicts."""
        return [*map(tuple, found)]


class Writer(Reader):
    """The writes of one open transaction."""

    @abstractmethod
    async def keep_rules(self, beside: Sequence[Lookup] = ()) -> Sequence[Sequence[Row]]:
        """See to it that no version of the programme is published before the transaction ends.

        Gives what is looked up ``beside``, of which some may have been changed while it waited for this.
        """

    @abstractmethod
    async def change_rules(self) -> None:
        """Wait for all that keep the rules, and let nobody keep them before the transaction ends."""

    @abstractmethod
    async def lock(self, table: Table, by: tuple[str, ...], keys: Sequence[Row]) -> Sequence[Row]:
        """Like ``select``, and the rows are locked, in the order of the table's key, until the transaction ends."""

    @abstractmethod
    async def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """New rows. Fails as a whole when one of them exists."""

    @abstractmethod
    async def update(self, table: Table, rows: Sequence[Row]) -> None:
        """New values of existing rows, each row whole."""

    async def write(self, changes: Sequence[tuple[Writing, Table, Sequence[Row]]]) -> None:
        """Make several changes, in their order."""
        for change, table, rows in changes:
            match change:
                case Writing.INSERT:
                    await self.insert(table, rows)
                case Writing.UPDATE:
                    await self.update(table, rows)
                case Writing.ACCUMULATE:
                    await self.accumulate(table, rows)

    async def delete(self, table: Table, row: Row) -> None:
        """Delete a row, found by its key: once in a while, as nearly everything is kept."""
        where = " AND ".join(f"{column} = ?" for column in table.key)
        values = [row[table.columns.index(column)] for column in table.key]
        await self.client.execute_query(in_words_of(self, f"DELETE FROM {table.name} WHERE {where}"), values)

    @abstractmethod
    async def accumulate(self, table: Table, rows: Sequence[Row]) -> None:
        """Add the columns outside the key to those of the existing row, or insert the row."""


def statement_of(change: Writing, table: Table, rows: str) -> str:
    """The statement that makes a change, of ``rows`` as SQL gives them, where the database knows ON CONFLICT."""
    insert = f"INSERT INTO {table.name} ({table.column_list}) {rows}"
    match change:
        case Writing.INSERT:
            return insert
        case Writing.UPDATE:
            changed = ", ".join(f"{c} = excluded.{c}" for c in table.rest)
        case Writing.ACCUMULATE:
            changed = ", ".join(f"{c} = {table.name}.{c} + excluded.{c}" for c in table.rest)
    return f"{insert} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changed}"


def in_words_of(reader: Reader, sql: str) -> str:
    """A statement written with ``?`` for its values, as the reader's database writes them."""
    match reader.client.capabilities.dialect:
        case "postgres":
            first, *rest = sql.split("?")
            return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
        case "mysql":
            return sql.replace("?", "%s")
        case _:
            return sql
