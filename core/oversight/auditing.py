"""Writing into the audit log what goes around the committer: publishing, API keys, stock."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError

from core.books.members import new_id
from core.oversight.audit import LAST, Record, State, current_note, record_after
from core.store import writer
from core.store.databases import unit_of_work
from core.store.tables import table_of

T = TypeVar("T")

_NOBODY: Final = (0, "")
_TRIES: Final = 5


async def write_down(at: datetime, *, before: State, after: State) -> None:
    """Record what was done, in the transaction that is open; nothing when nobody noted who is at work.

    ``before`` and ``after`` are how things stood and stand, in facts of your own choice. The two that are first of
    all meet at the first number, and one of them gets an IntegrityError: see ``audited``.
    """
    note = current_note()
    if note is None:
        return
    table, write = table_of(Record), writer(get_connection("default"))
    # The chain's first record is its lock: whoever holds it may say which is the next.
    await write.lock(table, table.key, [(*_NOBODY, 1)])
    rows = await write.select(table, ("bucket", "member_id"), [_NOBODY], LAST)
    last: Record | None = table.read(rows[0]) if rows else None
    record = record_after(last, note, id=new_id(), member_id="", operation_id=None, before=before, after=after, at=at)
    await write.insert(table, [table.row(*_NOBODY, record)])
    note.written = True


async def audited(write: Callable[[], Awaitable[T]]) -> T:
    """Run ``write`` as a ``unit_of_work``, and again when another took its number in the audit log."""
    for attempt in range(1, _TRIES + 1):
        try:
            return await unit_of_work(write)
        except IntegrityError:
            if attempt == _TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")
