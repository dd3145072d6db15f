"""Connections: pages of a list that grows, by keyset, so that a page stays what it was while rows are added."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import strawberry

from core.errors import InvalidValue
from core.members import bucket_of
from core.store.dialect import Reader
from core.store.tables import table_of
from graph.context import Info
from graph.ids import cursor, read_cursor

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100

T = TypeVar("T")


@strawberry.type
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether the page was asked for with `after`.")
    start_cursor: str | None = strawberry.field(description="The cursor of the page's first item.")
    end_cursor: str | None = strawberry.field(description="The cursor of the page's last item: the next `after`.")


@strawberry.type
class Edge(Generic[T]):
    """An item of a list, and its place there."""

    cursor: str = strawberry.field(description="The item's place in the list.")
    node: T = strawberry.field(description="The item.")


@strawberry.type
class Connection(Generic[T]):
    """A page of a list."""

    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    edges: list[Edge[T]] = strawberry.field(description="The items with their places.")
    nodes: list[T] = strawberry.field(description="The items.")


def check_first(first: int) -> None:
    """Raise InvalidValue unless a page may be that long."""
    if not 1 <= first <= PAGE_MAX:
        raise InvalidValue(field="first", reason=f"a page has 1 to {PAGE_MAX} items")


def connection(place: str, items: Sequence[tuple[str, T]], first: int, after: str | None) -> Connection[T]:
    """The page of these items, each with its key, of which one more than ``first`` was read."""
    edges = [Edge(cursor=cursor(place, key), node=node) for key, node in items[:first]]
    info = PageInfo(
        has_next_page=len(items) > first,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(page_info=info, edges=edges, nodes=[edge.node for edge in edges])


def sliced(place: str, items: Sequence[tuple[str, T]], first: int, after: str | None) -> Connection[T]:
    """A page of a list that is wholly at hand, by its items' keys."""
    check_first(first)
    start = 0
    if after is not None:
        key = read_cursor(place, after)
        keys = [key for key, _ in items]
        # The item may have gone meanwhile, as a lot that was spent; then the page begins anew.
        start = keys.index(key) + 1 if key in keys else 0
    return connection(place, items[start : start + first + 1], first, after)


class Newest(NamedTuple):
    """A page of each member's rows of a kind, by descending ``column``, in one statement.

    Keys are ``(bucket, member_id, after)``; ``after`` is the column's value in the row before, or None.
    ``where`` is a fixed SQL condition.
    """

    kind: type
    column: str
    limit: int
    where: str = ""

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], list[Any]]:
        table = table_of(self.kind)
        columns = ", ".join(table.columns)
        parts: list[str] = []
        values: list[Any] = []
        for number, (bucket, member_id, after) in enumerate(keys):
            conditions = ["bucket = ?", "member_id = ?"]
            values += [bucket, member_id]
            if after is not None:
                conditions.append(f"{self.column} < ?")
                values.append(after)
            if self.where:
                conditions.append(self.where)
            # MariaDB and SQLite take ORDER BY and LIMIT in a part of a union only as a table of its own.
            parts.append(
                f"SELECT {number} AS part, t{number}.* FROM (SELECT {columns} FROM {table.name} "
                f"WHERE {' AND '.join(conditions)} ORDER BY {self.column} DESC LIMIT {self.limit}) t{number}"
            )
        found: dict[tuple[Any, ...], list[Any]] = {tuple(key): [] for key in keys}
        for part, *row in await reader.query(in_words_of(reader, " UNION ALL ".join(parts)), values):
            found[tuple(keys[part])].append(table.of(table.decode(row)))
        at = table.columns.index(self.column) - len(table.leading)
        for rows in found.values():
            rows.sort(key=lambda value: value[at], reverse=True)
        return found


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


async def newest(
    info: Info,
    kind: type,
    member_id: str,
    node: Callable[[Any], T],
    *,
    column: str,
    first: int,
    after: str | None,
    where: str = "",
) -> Connection[T]:
    """A page of a member's rows of a kind, newest first by ``column``, which is text and grows with time.

    ``node`` makes of a row what the page holds. Raises InvalidValue and InvalidCursor.
    """
    check_first(first)
    table = table_of(kind)
    place = f"{table.name}:{member_id}"
    key = None if after is None else read_cursor(place, after)
    question = Newest(kind, column, first + 1, where)
    rows = await info.context.loaders.ask(question, (bucket_of(member_id), member_id, key))
    return connection(place, [(getattr(row, column), node(row)) for row in rows], first, after)


async def oldest(
    info: Info,
    kind: type,
    node: Callable[[str, Any], T],
    *,
    by: Mapping[str, str],
    column: str,
    first: int,
    after: str | None,
) -> Connection[T]:
    """A page of all members' rows of a kind whose columns equal ``by``: a queue, the oldest first.

    ``column`` is text and grows with time; an index holds ``by`` and it. ``node`` makes of a member's id and a row what
    the page holds. Raises InvalidValue and InvalidCursor.
    """
    check_first(first)
    table = table_of(kind)
    place = ":".join([table.name, *by.values()])
    conditions, values = [f"{name} = ?" for name in by], list(by.values())
    if after is not None:
        conditions.append(f"{column} > ?")
        values.append(read_cursor(place, after))
    sql = (
        f"SELECT {', '.join(table.columns)} FROM {table.name} "
        f"WHERE {' AND '.join(conditions)} ORDER BY {column} LIMIT {first + 1}"
    )
    reader = info.context.reader
    rows = [table.decode(row) for row in await reader.query(in_words_of(reader, sql), values)]
    at, member_at = table.columns.index(column), table.columns.index("member_id")
    return connection(place, [(row[at], node(row[member_at], table.of(row))) for row in rows], first, after)
