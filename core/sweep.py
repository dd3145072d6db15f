"""Writing down what has lapsed. It costs what has lapsed, not what there is; nothing spent depends on it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from core.clock import microseconds
from core.committer import BATCH_MAX, Committer
from core.corrections import ExpirePoints
from core.members import ById
from core.operations import Outcome
from core.store.dialect import Reader


@dataclass
class Swept:
    """What a sweep wrote down: points lost, of all units, and holds given back, of so many members."""

    members: int = 0
    points: int = 0
    holds: int = 0


async def sweep(
    reader: Reader, committer: Committer, now: datetime, *, actor: str, advance: Callable[[int], None] = lambda _: None
) -> Swept:
    """Expire what has lapsed by ``now``, and release the holds whose time is over. Any number may run at once."""
    swept = Swept()
    async for members in _due(reader, now):
        operations = [
            ExpirePoints(member=ById(member), idempotency_key=f"sweep:{microseconds(now)}", actor=actor)
            for member in members
        ]
        for outcome in await committer.submit_many(operations):
            if isinstance(outcome, BaseException):
                raise outcome
            _add(swept, outcome)
        advance(len(members))
    return swept


def _add(swept: Swept, outcome: Outcome) -> None:
    swept.members += 1
    swept.points += sum(outcome.result["expired"].values())
    swept.holds += outcome.result["released"]


async def count_due(reader: Reader, now: datetime) -> int:
    """How many members have something that is due."""
    ((count,),) = await reader.query(f"SELECT COUNT(*) FROM ({_due_sql(now)}) due")
    return int(count)


async def _due(reader: Reader, now: datetime) -> AsyncIterator[list[str]]:
    """The members with something that is due, in batches, a bucket after the other."""
    buckets = await reader.query(f"SELECT DISTINCT bucket FROM ({_due_sql(now)}) due ORDER BY bucket")
    batch: list[str] = []
    for (bucket,) in buckets:
        rows = await reader.query(f"{_due_sql(now, f'bucket = {int(bucket)} AND')}")
        batch += [member_id for _, member_id in rows]
        while len(batch) >= BATCH_MAX:
            yield batch[:BATCH_MAX]
            batch = batch[BATCH_MAX:]
    if batch:
        yield batch


def _due_sql(now: datetime, where: str = "") -> str:
    return (
        f"SELECT bucket, member_id FROM account WHERE {where} next_due <= {microseconds(now)}"
        f" UNION SELECT bucket, member_id FROM hold WHERE {where} state = 'open' AND expires_at <= {microseconds(now)}"
    )
