"""Connections: pages of a list that grows, by keyset, so that a page stays what it was while rows are added.

A resolver that is ``paged`` takes a ``Page`` and answers with ``page_of_member`` or ``page_of_all``, or with ``sliced``
where the list is at hand and short. The last column of an order is unique, so that no two rows share a place.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, starmap
from operator import itemgetter
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar

import orjson
import strawberry

from core.books.members import bucket_of
from core.errors import InvalidValue
from core.store.dialect import Reader, in_words_of
from core.store.tables import Row, Table, glance_of, table_of
from graph.context import Info
from graph.ids import InvalidCursor, cursor, read_cursor, seal, unseal
from graph.texts import NUL

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100
MEMBERS_MAX: Final = 100
"""Members in one statement: each is a part of a union, of which SQLite takes 500, with values of its own."""
COUNT_MAX: Final = 10_000

_PART: Final = itemgetter(-1)
_ROW: Final = itemgetter(slice(-1))

T = TypeVar("T")
U = TypeVar("U")


class Cursors(NamedTuple):
    """The places of a page's items in their list, each written when it is asked for."""

    place: str
    keys: Sequence[Any]
    text: Callable[[Any], str]
    """What is written of a key."""

    def of(self, at: int) -> str:
        """The cursor of the item that stands there in the page."""
        return cursor(self.place, self.text(self.keys[at]))


@strawberry.type
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(
        description="Whether there is more after this page; asked for with `last`, whether `before` was given."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether there is more before this page; asked for with `first`, whether `after` was given."
    )
    cursors: strawberry.Private[Cursors]

    @strawberry.field
    def start_cursor(self) -> str | None:
        """The cursor of the page's first item: the `before` of the page before."""
        return self.cursors.of(0) if self.cursors.keys else None

    @strawberry.field
    def end_cursor(self) -> str | None:
        """The cursor of the page's last item: the `after` of the next page."""
        return self.cursors.of(-1) if self.cursors.keys else None


@strawberry.type
class Edge(Generic[T]):
    """An item of a list, and its place there."""

    @strawberry.field
    def cursor(self) -> str:
        """The item's place in the list."""
        return self.cursors.of(self._at)

    node: T = strawberry.field(description="The item.")
    cursors: strawberry.Private[Cursors]
    _at: strawberry.Private[int]


@strawberry.type
class Connection(Generic[T]):
    """A page of a list."""

    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    nodes: list[T] = strawberry.field(description="The items.")
    cursors: strawberry.Private[Cursors]
    _count: strawberry.Private[Callable[[], Awaitable[int]]]

    def of(self, nodes: "Sequence[U]") -> "Connection[U]":
        """The same page with other items, one for each of these."""
        return Connection(page_info=self.page_info, nodes=list(nodes), cursors=self.cursors, _count=self._count)

    @strawberry.field
    def edges(self) -> list[Edge[T]]:
        """The items with their places."""
        return [Edge(cursors=self.cursors, _at=at, node=node) for at, node in enumerate(self.nodes)]

    @strawberry.field
    async def total_count(self) -> int | None:
        """How many items the list has in all; null when there are more than 10,000. Counted only if it is asked for."""
        count = await self._count()
        return count if count <= COUNT_MAX else None


# -- what is asked for --------------------------------------------------------------------------------


class Page(NamedTuple):
    """The part of a list that was asked for: ``size`` items after and before cursors, from the end if ``backwards``."""

    size: int = PAGE_DEFAULT
    after: str | None = None
    before: str | None = None
    backwards: bool = False

    @classmethod
    def of(cls, first: int | None, after: str | None, last: int | None, before: str | None) -> "Page":
        """The page that these arguments ask for. Raises InvalidValue."""
        if first is not None and last is not None:
            raise InvalidValue(field="last", reason="a page is asked for with first or with last, not with both")
        for name, given in (("first", first), ("last", last)):
            if given is not None and not 1 <= given <= PAGE_MAX:
                raise InvalidValue(field=name, reason=f"a page has 1 to {PAGE_MAX} items")
        return cls(first or last or PAGE_DEFAULT, after, before, last is not None)


_First = Annotated[
    int | None,
    strawberry.argument(description=f"How many from the start, 1 to {PAGE_MAX}; {PAGE_DEFAULT} without `last`."),
]
_After = Annotated[str | None, strawberry.argument(description="Begin after this cursor: a page's `endCursor`.")]
_Last = Annotated[int | None, strawberry.argument(description=f"How many from the end instead, 1 to {PAGE_MAX}.")]
_Before = Annotated[str | None, strawberry.argument(description="End before this cursor: a page's `startCursor`.")]
_ARGUMENTS: Final = {"first": _First, "after": _After, "last": _Last, "before": _Before}


def paged(resolver: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """Let a resolver that takes ``page: Page`` have the arguments of a connection: first, after, last, before.

    It stands below ``query`` or ``strawberry.field``.
    """

    @functools.wraps(resolver)
    async def asked(
        *args: Any,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **kwargs: Any,
    ) -> T:
        return await resolver(*args, page=Page.of(first, after, last, before), **kwargs)

    signature = inspect.signature(resolver)
    parameters = [
        parameter.replace(kind=parameter.KEYWORD_ONLY) if name not in ("self", "root") else parameter
        for name, parameter in signature.parameters.items()
        if name != "page"
    ]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _ARGUMENTS.items()
    ]
    made: Any = asked
    made.__signature__ = signature.replace(parameters=parameters)
    return asked


# -- the order and the conditions of a list -----------------------------------------------------------


class Order(NamedTuple):
    """By which columns a list is sorted, all of them one way; none of them is ever null, and the last is unique."""

    columns: tuple[str, ...]
    descending: bool = False

    def beyond(self, key: Sequence[Any], *, backwards: bool = False) -> "Where":
        """What holds for the rows that come after the one with this key, or before it if ``backwards``."""
        sign = "<" if self.descending != backwards else ">"
        first, *rest = self.columns
        if not rest:
            return Where(f"{first} {sign} ?", (key[0],))
        # SQLite and PostgreSQL find the place in an index by the whole key, MySQL and MariaDB by its first part alone.
        # Of two bounds SQLite takes the one that comes first, so this stands before the list's own conditions.
        marks = ", ".join("?" * len(self.columns))
        return Where(f"({', '.join(self.columns)}) {sign} ({marks}) AND {first} {sign}= ?", (*key, key[0]))

    def by(self, *, backwards: bool = False) -> str:
        direction = "DESC" if self.descending != backwards else "ASC"
        return ", ".join(f"{column} {direction}" for column in self.columns)


def newest(*columns: str) -> Order:
    """The greatest first."""
    return Order(columns, descending=True)


def oldest(*columns: str) -> Order:
    """The least first."""
    return Order(columns)


class Where(NamedTuple):
    """A condition in SQL, with a ``?`` for each of its values.

    ``passing``: the values are of the moment, so that the next page is asked for with others.
    """

    sql: str
    values: tuple[Any, ...] = ()
    passing: bool = False


# -- reading ------------------------------------------------------------------------------------------


class Attached(NamedTuple):
    """The member's rows of another kind that belong to a row of a page: their column ``by`` equals its column ``of``.

    They are glanced at, at these ``columns``, of which the first is never null.
    """

    kind: type
    by: str
    of: str
    columns: tuple[str, ...]


class Slice(NamedTuple):
    """A page of each member's rows of a kind, and one row more, in one statement.

    Keys are ``(bucket, member_id, after, before)``; the latter two are keys of the order, or None. Answers are pairs of
    a row's key in the order and its value, or a glance at it if it is ``glanced`` at: at these ``columns``, or at all
    if none is named. Of columns that are named more may be ``attached``: in place of a row then stands a pair of it and
    of what belongs to it, or of it and None where that had better be asked for by itself.
    """

    kind: type
    order: Order
    where: tuple[Where, ...]
    size: int
    backwards: bool
    glanced: bool = False
    columns: tuple[str, ...] = ()
    attached: Attached | None = None

    @property
    def keys_max(self) -> int:
        return MEMBERS_MAX

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], list[Any]]:
        table = table_of(self.kind)
        columns = self.columns or table.columns
        # Elsewhere one statement with both takes more than two, or all rows of the member are looked through.
        attached = self.attached if reader.joins else None
        parts: list[str] = []
        values: list[Any] = []
        for number, (bucket, member_id, after, before) in enumerate(keys):
            owned = Where("bucket = ? AND member_id = ?", (bucket, member_id))
            conditions = _joined((owned, *_between(self.order, after, before), *self.where))
            values += conditions.values
            # MariaDB and SQLite take ORDER BY and LIMIT in a part of a union only as a table of its own.
            page = (
                f"(SELECT {', '.join(columns)} FROM {table.name} WHERE {conditions.sql} "
                f"ORDER BY {self.order.by(backwards=self.backwards)} LIMIT {self.size + 1}) t"
            )
            if attached is None:
                parts.append(f"SELECT t.*, {number} AS part FROM {page}")
                continue
            # OFFSET 0 keeps it from reading all that the member has, to join the page with that.
            parts.append(
                f"SELECT t.*, a.*, {number} AS part FROM {page} LEFT JOIN LATERAL ("
                f"SELECT {', '.join(attached.columns)} FROM {table_of(attached.kind).name} "
                f"WHERE bucket = ? AND member_id = ? AND {attached.by} = t.{attached.of} OFFSET 0) a ON TRUE"
            )
            values += (bucket, member_id)
        found: dict[tuple[Any, ...], list[Any]] = {tuple(key): [] for key in keys}
        read = self._reading(table, columns, attached)
        for part, of_part in groupby(await reader.query(in_words_of(reader, " UNION ALL ".join(parts)), values), _PART):
            found[tuple(keys[part])] += read(of_part)
        for rows in found.values():
            rows.sort(key=lambda pair: pair[0], reverse=self.order.descending != self.backwards)
        return found

    def _reading(
        self, table: Table, columns: tuple[str, ...], attached: Attached | None
    ) -> Callable[[Iterator[Row]], Iterable[tuple[Any, Any]]]:
        """What makes answers of the rows of a part, each of which has the part's number at its end."""
        key_of = _key_of(columns, self.order)
        if not self.columns:
            assert self.attached is None, "nothing is attached to a value"
            value_of = glance_of(table) if self.glanced else table.read
            return lambda rows: [(key_of(row), value_of(row)) for row in map(_ROW, rows)]
        assert self.glanced, "a value has all columns"
        glance_at = glance_of(table, columns)
        if attached is not None:
            width = len(columns)
            # Its columns are behind those of the page's row.
            attached_at = glance_of(table_of(attached.kind), ("",) * width + attached.columns)

            def read(rows: Iterator[Row]) -> Iterable[tuple[Any, Any]]:
                found: dict[Any, tuple[Any, list[Any]]] = {}
                for row in rows:
                    key = key_of(row)
                    if (pair := found.get(key)) is None:
                        pair = found[key] = glance_at(row), []
                    if row[width] is not None:
                        pair[1].append(attached_at(row))
                return found.items()

            return read
        if self.attached is not None:
            return lambda rows: [(key_of(row), (glance_at(row), None)) for row in rows]
        return lambda rows: [(key_of(row), glance_at(row)) for row in rows]


class Size(NamedTuple):
    """How many rows of a kind each member has, ``COUNT_MAX + 1`` at most. Keys are ``(bucket, member_id)``."""

    kind: type
    where: tuple[Where, ...]

    @property
    def keys_max(self) -> int:
        return MEMBERS_MAX

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], int]:
        parts: list[str] = []
        values: list[Any] = []
        for number, (bucket, member_id) in enumerate(keys):
            counted = _count(self.kind, (Where("bucket = ? AND member_id = ?", (bucket, member_id)), *self.where))
            parts.append(f"SELECT {number} AS part, t{number}.n FROM ({counted.sql}) t{number}")
            values += counted.values
        rows = await reader.query(in_words_of(reader, " UNION ALL ".join(parts)), values)
        return {tuple(keys[part]): count for part, count in rows}


def _between(order: Order, after: Sequence[Any] | None, before: Sequence[Any] | None) -> tuple[Where, ...]:
    limits = [order.beyond(after)] if after is not None else []
    if before is not None:
        limits.append(order.beyond(before, backwards=True))
    return tuple(limits)


def _joined(where: Sequence[Where]) -> Where:
    sql = " AND ".join(f"({condition.sql})" for condition in where) or "1 = 1"
    return Where(sql, tuple(value for condition in where for value in condition.values))


def _count(kind: type, where: Sequence[Where]) -> Where:
    conditions = _joined(where)
    rows = f"SELECT 1 FROM {table_of(kind).name} WHERE {conditions.sql} LIMIT {COUNT_MAX + 1}"
    return Where(f"SELECT COUNT(*) AS n FROM ({rows}) counted", conditions.values)


@functools.cache
def _key_of(columns: tuple[str, ...], order: Order) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """What gives the key in the order of a row of these columns."""
    at = [columns.index(column) for column in order.columns]
    return itemgetter(slice(at[0], at[0] + 1)) if len(at) == 1 else itemgetter(*at)


# -- answering ----------------------------------------------------------------------------------------


async def page_of_member(
    info: Info,
    kind: type,
    member_id: str,
    node: Callable[..., T],
    page: Page,
    order: Order,
    where: Sequence[Where] = (),
    *,
    glanced: bool = False,
    columns: tuple[str, ...] = (),
    attached: Attached | None = None,
) -> Connection[T]:
    """A page of a member's rows of a kind; ``node`` makes of a row what the page holds. Raises InvalidCursor.

    However many members are asked for such a page, it is one statement. With ``glanced`` a ``node`` that looks at
    little of a row is given a glance at it instead of its value (``glance_of``), of which these ``columns`` are
    read and those of the order, or all if none is named. With ``attached`` it is given that as well (``Slice``).
    """
    where = tuple(where)
    place = _place(kind, order, where, member_id)
    after, before = _read(kind, place, order, page.after), _read(kind, place, order, page.before)
    if columns:
        columns = (*columns, *[column for column in order.columns if column not in columns])
    question = Slice(kind, order, where, page.size, page.backwards, glanced, columns, attached)
    loaders, owner = info.context.loaders, (bucket_of(member_id), member_id)
    rows = await loaders.ask(question, (*owner, after, before)) or []

    async def count() -> int:
        found: int = await loaders.ask(Size(kind, where), owner) or 0
        return found

    keys, values = zip(*rows, strict=True) if rows else ((), ())
    nodes = [*(map if attached is None else starmap)(node, values)]
    return _connection(place, keys, nodes, page, count, _dumped)


async def page_of_all(
    info: Info,
    kind: type,
    node: Callable[[str, Any], T],
    page: Page,
    order: Order,
    where: Sequence[Where] = (),
    *,
    glanced: bool = False,
    sealed: bool = False,
) -> Connection[T]:
    """A page of a table's rows, whosoever they are; ``node`` makes of a member's id and a row what the page holds.

    An index should hold the columns of ``where`` and then those of the order. With ``glanced`` a ``node`` is given a
    glance at a row. With ``sealed`` nobody can read a cursor, as whoever asks may not know whose rows they are.
    Raises InvalidCursor.
    """
    where = tuple(where)
    place = _place(kind, order, where)
    settings = info.context.laurel.settings
    # Where others sign the tokens, the address of the database is what all processes know and nobody else.
    secret = (settings.secret or settings.database_url) if sealed else ""
    after, before = (_read(kind, place, order, given, secret) for given in (page.after, page.before))
    limits = _between(order, after, before)
    table, reader = table_of(kind), info.context.reader
    conditions = _joined((*limits, *where))
    sql = (
        f"SELECT {table.column_list} FROM {table.name} WHERE {conditions.sql} "
        f"ORDER BY {order.by(backwards=page.backwards)} LIMIT {page.size + 1}"
    )
    rows = await reader.query(in_words_of(reader, sql), conditions.values)
    member_at = table.columns.index("member_id" if "member_id" in table.columns else "id")

    async def count() -> int:
        counted = _count(kind, where)
        ((found,),) = await reader.query(in_words_of(reader, counted.sql), counted.values)
        return int(found)

    value_of = glance_of(table) if glanced else table.read
    nodes = [node(row[member_at], value_of(row)) for row in rows]
    keys = [*map(_key_of(table.columns, order), rows)]
    return _connection(place, keys, nodes, page, count, lambda key: _dumped(key, place, secret))


def sliced(place: str, items: Sequence[tuple[str, T]], page: Page) -> Connection[T]:
    """A page of a list that is wholly at hand, by its items' keys; ``place`` names the list. Raises InvalidCursor."""
    keys = [key for key, _ in items]
    start, end = 0, len(items)
    # The item may have gone meanwhile, as a lot that was spent; then the page begins anew.
    if page.after is not None and (key := read_cursor(place, page.after)) in keys:
        start = keys.index(key) + 1
    if page.before is not None and (key := read_cursor(place, page.before)) in keys:
        end = keys.index(key)
    part = items[start:end]
    part = part[::-1][: page.size + 1] if page.backwards else part[: page.size + 1]

    async def count() -> int:
        return len(items)

    return _connection(place, [key for key, _ in part], [item for _, item in part], page, count, str)


def _connection(
    place: str,
    keys: Sequence[Any],
    nodes: list[T],
    page: Page,
    count: Callable[[], Awaitable[int]],
    text: Callable[[Any], str],
) -> Connection[T]:
    """The page of these nodes, with their keys, of which one more was read than the page has."""
    more, keys, nodes = len(nodes) > page.size, keys[: page.size], nodes[: page.size]
    if page.backwards:
        keys, nodes = keys[::-1], nodes[::-1]
    cursors = Cursors(place, keys, text)
    info = PageInfo(
        has_next_page=page.before is not None if page.backwards else more or page.before is not None,
        has_previous_page=page.after is not None if not page.backwards else more or page.after is not None,
        cursors=cursors,
    )
    return Connection(page_info=info, nodes=nodes, cursors=cursors, _count=count)


def _place(kind: type, order: Order, where: Sequence[Where], member_id: str = "") -> str:
    # A cursor of another order points to nowhere, and one of another filter to what may not be in the list.
    kept = tuple((each.sql, () if each.passing else each.values) for each in where)
    return repr((table_of(kind).name, member_id, order.columns, order.descending, kept))


def _dumped(key: Sequence[Any], place: str = "", secret: str = "") -> str:
    text = orjson.dumps(key).decode()
    return seal(secret, place, text) if secret else text


def _read(kind: type, place: str, order: Order, given: str | None, secret: str = "") -> tuple[Any, ...] | None:
    """The key of the row that a cursor stands for. A cursor can be forged, so its key is taken for a stranger's."""
    if given is None:
        return None
    table = table_of(kind)
    types = [table.postgres_types[table.columns.index(column)] for column in order.columns]
    try:
        text = read_cursor(place, given)
        key = orjson.loads(unseal(secret, place, text) if secret else text)
    except orjson.JSONDecodeError:
        key = None
    if not isinstance(key, list) or len(key) != len(types) or not all(map(_fits, key, types)):
        raise InvalidCursor(cursor=given[:100])
    return tuple(key)


def _fits(value: Any, column_type: str) -> bool:
    """Whether a value can be compared with what is in a column of that type, on every database."""
    bits = {"smallint": 15, "int": 31, "bigint": 63}.get(column_type)
    if bits is None:
        return isinstance(value, str) and NUL not in value
    return type(value) is int and -(2**bits) <= value < 2**bits
