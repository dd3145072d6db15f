"""Writing into the audit log what goes around the committer: publishing, API keys, stock."""

from tortoise.connection import get_connection

from core.audit import LAST, Note, Record, State, record_after
from core.clock import Clock
from core.members import new_id
from core.store import writer
from core.store.tables import table_of

_NOBODY = (0, "")


async def write_down(note: Note | None, clock: Clock, *, before: State, after: State) -> None:
    """Record what was done, in the transaction that is open (``unit_of_work``); nothing without a note.

    ``before`` and ``after`` are how things stood and stand, in facts of your own choice.
    """
    if note is None:
        return
    table, write = table_of(Record), writer(get_connection("default"))
    # The chain's first record is its lock: whoever holds it may say which is the next.
    await write.lock(table, table.key, [(*_NOBODY, 1)])
    rows = await write.select(table, ("bucket", "member_id"), [_NOBODY], LAST)
    last: Record | None = table.of(table.decode(rows[0])) if rows else None
    record = record_after(
        last, note, id=new_id(), member_id="", operation_id=None, before=before, after=after, at=clock.now()
    )
    await write.insert(table, [table.row(*_NOBODY, record)])
    note.written = True
