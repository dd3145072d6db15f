"""Writing down what has lapsed. It costs what has lapsed, not what there is; nothing spent depends on it.

What is due is found by an index and settled by operations whose keys are made of it, so that any number of processes
may do it at once, stop anywhere and begin again: nothing is done twice, and nothing is left.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.books.members import ById
from core.channels.corrections import ExpirePoints, TimeOutHold
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import Operation, Outcome
from core.store.dialect import Reader
from core.store.tables import Row
from core.time.clock import microseconds

AT_ONCE: Final = 10 * BATCH_MAX
"""How many rows are read at a time, so that memory does not grow with what is due."""


@dataclass
class Swept:
    """What a sweep wrote down: points lost, of all units, and holds given back, of so many accounts."""

    accounts: int = 0
    points: int = 0
    holds: int = 0

    @property
    def done(self) -> int:
        return self.accounts + self.holds


async def sweep(
    reader: Reader, committer: Committer, now: datetime, *, actor: str, advance: Callable[[int], None] = lambda _: None
) -> Swept:
    """Release the holds whose time is over by ``now``, and expire what has lapsed. Any number may run at once."""
    swept = Swept()
    # The holds first: what they give back may have lapsed.
    for due in (_overdue_holds(actor, now), _lapsed(actor, now)):
        async for batch, outcomes in settle(reader, committer, due):
            for outcome in outcomes:
                _add(swept, outcome)
            advance(len(batch))
    return swept


async def release_overdue(reader: Reader, committer: Committer, now: datetime, *, actor: str) -> int:
    """Release the holds whose time is over by ``now``; how many."""
    swept = Swept()
    async for _, outcomes in settle(reader, committer, _overdue_holds(actor, now)):
        for outcome in outcomes:
            _add(swept, outcome)
    return swept.holds


async def count_due(reader: Reader, now: datetime) -> int:
    """How many accounts and holds have something that is due."""
    ((accounts,),) = await reader.query(f"SELECT COUNT(*) FROM account WHERE {_lapsed('', now).where}")
    ((holds,),) = await reader.query(f"SELECT COUNT(*) FROM hold WHERE {_overdue_holds('', now).where}")
    return int(accounts) + int(holds)


@dataclass(frozen=True)
class Due:
    """Rows that stay due until the operation that is made of each has been performed."""

    columns: str
    table: str
    where: str
    order: str
    operation: Callable[[Row], Operation]


def _lapsed(actor: str, now: datetime) -> Due:
    def operation(row: Row) -> Operation:
        member_id, unit, seq, next_due = row
        # The account's state: it is due again only after another entry, or at another instant.
        key = f"due:{unit}:{seq}:{next_due}"
        return ExpirePoints(member=ById(member_id), idempotency_key=key, actor=actor, unit=unit)

    where = f"next_due <= {microseconds(now)}"
    return Due("member_id, unit, seq, next_due", "account", where, "next_due", operation)


def _overdue_holds(actor: str, now: datetime) -> Due:
    def operation(row: Row) -> Operation:
        member_id, unit, seq = row
        key = f"hold:{unit}:{seq}"
        return TimeOutHold(member=ById(member_id), idempotency_key=key, actor=actor, unit=unit, hold=seq)

    where = f"state = 'open' AND expires_at <= {microseconds(now)}"
    return Due("member_id, unit, seq", "hold", where, "expires_at", operation)


async def settle(
    reader: Reader, committer: Committer, due: Due
) -> AsyncIterator[tuple[Sequence[Operation], Sequence[Outcome]]]:
    """Perform what is due, the oldest first, until nothing is left but what cannot be done."""
    stuck: set[Row] = set()
    while True:
        rows = await reader.query(
            f"SELECT {due.columns} FROM {due.table} WHERE {due.where} ORDER BY {due.order} LIMIT {AT_ONCE + len(stuck)}"
        )
        fresh = [row for row in rows if row not in stuck]
        if not fresh:
            return
        for chunk in _chunks(fresh):
            operations = [due.operation(row) for row in chunk]
            outcomes = []
            for row, outcome in zip(chunk, await committer.submit_many(operations), strict=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                if outcome.replayed or outcome.refusal is not None:
                    # Another process was faster, or it is refused; either way it is not asked for again.
                    stuck.add(row)
                else:
                    outcomes.append(outcome)
            yield operations, outcomes


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[at : at + BATCH_MAX] for at in range(0, len(rows), BATCH_MAX))


def _add(swept: Swept, outcome: Outcome) -> None:
    result = outcome.result
    swept.holds += result["released"]
    if "expired" in result:
        swept.accounts += 1
        swept.points += sum(result["expired"].values())
