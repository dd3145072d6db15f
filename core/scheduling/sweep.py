"""Writing down what has lapsed. It costs what has lapsed, not what there is; nothing spent depends on it.

What is due is found by an index and settled by operations whose keys are made of it, so that any number of processes
may do it at once, stop anywhere and begin again: nothing is done twice, and nothing is left.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

from core.books.members import ById, bucket_of
from core.channels.corrections import ExpirePoints, TimeOutHold
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import Operation, Outcome
from core.store.dialect import Reader
from core.store.tables import Row
from core.time.clock import microseconds

AT_ONCE: Final = 10 * BATCH_MAX
"""How many rows are read at a time, so that memory does not grow with what is due."""

_LANES: Final = 2
_RANGE_MIN: Final = 32
_MOMENT: Final = 0.1
"""For how many seconds members may be locked, and others' operations wait, as a rule."""


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
    """Rows that stay due until the operation that is made of each has been performed. The member comes first.

    ``apart``: what becomes of one member is nothing to another, so that they may be settled in any order.
    """

    columns: str
    table: str
    where: str
    order: str
    operation: Callable[[Row], Operation]
    apart: bool = False


def _lapsed(actor: str, now: datetime) -> Due:
    def operation(row: Row) -> Operation:
        member_id, unit, seq, next_due = row
        # The account's state: it is due again only after another entry, or at another instant.
        key = f"due:{unit}:{seq}:{next_due}"
        return ExpirePoints(member=ById(member_id), idempotency_key=key, actor=actor, unit=unit)

    where = f"next_due <= {microseconds(now)}"
    return Due("member_id, unit, seq, next_due", "account", where, "next_due", operation, apart=True)


def _overdue_holds(actor: str, now: datetime) -> Due:
    def operation(row: Row) -> Operation:
        member_id, unit, seq = row
        key = f"hold:{unit}:{seq}"
        return TimeOutHold(member=ById(member_id), idempotency_key=key, actor=actor, unit=unit, hold=seq)

    where = f"state = 'open' AND expires_at <= {microseconds(now)}"
    return Due("member_id, unit, seq", "hold", where, "expires_at", operation, apart=True)


async def settle(
    reader: Reader, committer: Committer, due: Due
) -> AsyncIterator[tuple[Sequence[Operation], Sequence[Outcome]]]:
    """Perform what is due until nothing is left but what cannot be done: the oldest, so many at a time.

    They are settled in ranges that are locked for a moment only. Members who are ``apart`` follow one another in the
    order of the tables' keys, and two ranges are settled at once, where the database writes for several.
    """
    stuck: set[Row] = set()
    pace = _Pace()
    async with AsyncExitStack() as stack:
        lanes = [committer]
        if due.apart and reader.client.capabilities.dialect != "sqlite":
            lanes += [await stack.enter_async_context(committer.beside()) for _ in range(_LANES - 1)]
        while True:
            rows = await reader.query(
                f"SELECT {due.columns} FROM {due.table} WHERE {due.where} ORDER BY {due.order}"
                f" LIMIT {AT_ONCE + len(stuck)}"
            )
            fresh = deque(row for row in rows if row not in stuck)
            if due.apart:
                fresh = deque(sorted(fresh, key=_by_member))
            if not fresh:
                return
            free, at_work = list(lanes), dict[asyncio.Task[list[Outcome | BaseException]], _Range]()
            try:
                while fresh or at_work:
                    while fresh and free:
                        taken = _Range(free.pop(), pace.range_of(fresh), due)
                        at_work[asyncio.create_task(taken.perform())] = taken
                    done, _ = await asyncio.wait(at_work, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        settled = at_work.pop(task)
                        free.append(settled.lane)
                        pace.follow(settled)
                        outcomes = []
                        for row, outcome in zip(settled.rows, task.result(), strict=True):
                            if isinstance(outcome, BaseException):
                                raise outcome
                            if outcome.replayed or outcome.refusal is not None:
                                # Another process was faster, or it is refused; either way it is not asked for again.
                                stuck.add(row)
                            else:
                                outcomes.append(outcome)
                        yield settled.operations, outcomes
            finally:
                if at_work:
                    await asyncio.wait(at_work)


class _Range:
    """Rows of members who follow one another, which a lane settles in one transaction."""

    def __init__(self, lane: Committer, rows: Sequence[Row], due: Due) -> None:
        self.lane = lane
        self.rows = rows
        self.operations = [due.operation(row) for row in rows]
        self.seconds = 0.0

    async def perform(self) -> list[Outcome | BaseException]:
        began = monotonic()
        outcomes = await self.lane.submit_many(self.operations)
        self.seconds = monotonic() - began
        return outcomes


class _Pace:
    """How many rows a range has: as many as are settled in a moment, however much is due of each."""

    def __init__(self) -> None:
        self._size = _RANGE_MIN

    def range_of(self, rows: deque[Row]) -> Sequence[Row]:
        """The next rows, and all of the last member's, so that no other lane has any."""
        taken, size = [rows.popleft()], min(self._size, BATCH_MAX)
        while rows and (len(taken) < size or rows[0][0] == taken[-1][0]):
            taken.append(rows.popleft())
        return taken

    def follow(self, settled: _Range) -> None:
        """Make the next ones shorter after one that took too long, and longer after one that took less than half."""
        if settled.seconds > _MOMENT:
            self._size = max(self._size // 2, _RANGE_MIN)
        elif settled.seconds < _MOMENT / 2:
            self._size = min(2 * self._size, BATCH_MAX)


def _by_member(row: Row) -> tuple[int, str]:
    return bucket_of(row[0]), row[0]


def _add(swept: Swept, outcome: Outcome) -> None:
    result = outcome.result
    swept.holds += result["released"]
    if "expired" in result:
        swept.accounts += 1
        swept.points += sum(result["expired"].values())
