"""The one kind of question the core asks its tables: rows by the equality of some columns.

A question with a ``lookup``, and answers ``told`` by what that finds, can be asked together with others of its kind
(``core.store.dialect.Reader.find_all``); one that has to ask on after that has a ``settle`` as well.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from core.store.dialect import Lookup, Reader
from core.store.tables import Row, table_of


class Rows(NamedTuple):
    """Rows of one kind whose columns ``by`` equal a key, and for which ``where`` (SQL, no values) holds."""

    kind: type
    by: tuple[str, ...]
    where: str = ""

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], list[Any]]:
        return self.told(await reader.find(self.lookup(keys)))

    def lookup(self, keys: Sequence[tuple[Any, ...]]) -> Lookup:
        """What is to be looked up."""
        return Lookup(table_of(self.kind), self.by, keys, self.where)

    def told(self, rows: Sequence[Row]) -> Mapping[tuple[Any, ...], list[Any]]:
        """The answers that are in what was found."""
        table = table_of(self.kind)
        at = [table.columns.index(column) for column in self.by]
        key_of = itemgetter(*at)  # of one column it is the value itself
        found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        decodes = any(map(table.decodes, self.by))
        for row in rows:
            key = key_of(table.decode(row) if decodes else row)
            found[key if len(at) > 1 else (key,)].append(table.read(row))
        return found


class Glances(NamedTuple):
    """The same rows, for who looks at little of each: see ``Table.glance``."""

    kind: type
    by: tuple[str, ...]

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], list[Any]]:
        table = table_of(self.kind)
        at, glance = [table.columns.index(column) for column in self.by], table.glance
        key_of = itemgetter(*at)
        found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        for row in await reader.select(table, self.by, keys):
            found[key_of(row) if len(at) > 1 else (key_of(row),)].append(glance(row))
        return found
