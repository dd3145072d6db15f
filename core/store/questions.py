"""The one kind of question the core asks its tables: rows by the equality of some columns.

A question with a ``lookup``, and answers ``told`` by what that finds, can be asked together with others of its kind
(``core.store.dialect.Reader.find_all``); one that has to ask on after that has a ``settle`` as well.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from core.store.dialect import Lookup, Reader
from core.store.tables import Row, glance_of, table_of

Key = tuple[Any, ...]


class Rows(NamedTuple):
    """Rows of one kind whose columns ``by`` equal a key, and for which ``where`` (SQL, no values) holds.

    Who looks at little of each has them ``glanced`` at (``glance_of``), and may name the ``columns`` that are read.
    """

    kind: type
    by: tuple[str, ...]
    where: str = ""
    glanced: bool = False
    columns: tuple[str, ...] = ()

    async def answer(self, reader: Reader, keys: Sequence[Key]) -> Mapping[Key, list[Any]]:
        return self.told(await reader.find(self.lookup(keys)))

    def lookup(self, keys: Sequence[Key]) -> Lookup:
        """What is to be looked up."""
        return Lookup(table_of(self.kind), self.by, keys, self.where, columns=self.columns)

    def told(self, rows: Sequence[Row]) -> Mapping[Key, list[Any]]:
        """The answers that are in what was found."""
        key_of, value_of = _reading(self.kind, self.by, self.glanced, self.columns)
        found: dict[Key, list[Any]] = defaultdict(list)
        for key, value in zip(map(key_of, rows), map(value_of, rows), strict=True):
            found[key].append(value)
        return found


@cache
def _reading(
    kind: type, by: tuple[str, ...], glanced: bool, columns: tuple[str, ...]
) -> tuple[Callable[[Row], Key], Callable[[Row], Any]]:
    """What reads the key in a row, and the value."""
    table = table_of(kind)
    at = [(columns or table.columns).index(column) for column in by]
    key_of: Callable[[Sequence[Any]], Any] = itemgetter(*at)
    if len(at) == 1:
        [only] = at

        def key_of(row: Sequence[Any]) -> Key:
            return (row[only],)

    assert glanced or not columns, "a value has all columns"
    value_of = glance_of(table, columns) if glanced else table.read
    if any(map(table.decodes, by)):
        assert not columns, "whole rows are decoded"
        return lambda row: key_of(table.decode(row)), value_of
    return key_of, value_of
