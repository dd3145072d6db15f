"""The one kind of question the core asks its tables: rows by the equality of some columns."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.store.dialect import Reader
from core.store.tables import table_of


class Rows(NamedTuple):
    """Rows of one kind whose columns ``by`` equal a key, and for which ``where`` (SQL, no values) holds."""

    kind: type
    by: tuple[str, ...]
    where: str = ""

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], list[Any]]:
        table = table_of(self.kind)
        at = [table.columns.index(column) for column in self.by]
        found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
        for row in await reader.select(table, self.by, keys, self.where):
            decoded = table.decode(row)
            found[tuple(decoded[i] for i in at)].append(table.of(decoded))
        return found
