"""What an operation has changed, in the facts that the audit log keeps of it.

How it stands with the member is ``core.oversight.audit.state_of``. Of a row in a plugin's table there are the columns
that its model names in ``audited``, or, if it names none, its ``state`` or ``status``: nothing that is anybody's own
words.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
from tortoise.models import Model

from core.books.lots import Extension
from core.store.tables import table_of


class Change(NamedTuple):
    """A row before and after; None for one that was not there, or is not any more."""

    kind: type
    key: tuple[Hashable, ...]
    before: Any
    after: Any


def facts_of(changes: Iterable[Change]) -> tuple[dict[str, str | int], dict[str, str | int]]:
    """What was so before, and what is so now, by name: ``ticket.state``. Rows of one table go by their keys as well."""
    told = [change for change in changes if change.kind is Extension or _columns(change.kind)]
    many = Counter(change.kind for change in told)
    before: dict[str, str | int] = {}
    after: dict[str, str | int] = {}
    for change in told:
        for name, former, now in _facts(change, named=many[change.kind] > 1):
            if former is not None:
                before[name] = _plain(former)
            if now is not None:
                after[name] = _plain(now)
    return before, after


def _facts(change: Change, *, named: bool) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(change.after, Extension):
        moved = change.after
        yield f"{moved.unit}.lots {moved.lot_first} to {moved.lot_last}.expires_at", moved.former, moved.expires_at
        return
    label = table_of(change.kind).name
    if named:
        label = f"{label} {'/'.join(str(part) for part in change.key)}"
    for column in _columns(change.kind):
        yield f"{label}.{column}", getattr(change.before, column, None), getattr(change.after, column, None)


def _columns(kind: type) -> Sequence[str]:
    return table_of(kind).audited if issubclass(kind, Model) else ()


def _plain(value: Any) -> str | int:
    match value:
        case bool():
            return str(value).lower()
        case int() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case _:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
