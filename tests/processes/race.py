"""Many processes, one database, one moment: each opens it, waits for the others, and submits its operations at once.

A job is ``{"url": …, "processes": 20, "each": 3, "request": {…}}``; what is told is what became of each operation.
"""

import asyncio
from multiprocessing.connection import Connection
from typing import Any

from core.books.members import ByExternalId
from core.channels.corrections import AdjustPoints
from core.channels.redemption import RedeemPoints
from core.engine.committer import Committer
from core.engine.operations import Operation, Outcome
from core.errors import LaurelError
from core.people.membership import EnrolMember
from core.store import Store
from core.store.databases import connect
from core.time.clock import SystemClock
from tests.core.committing import APPS, rules

KINDS: dict[str, type[Operation]] = {
    "enrol": EnrolMember,
    "redeem": RedeemPoints,
    "adjust": AdjustPoints,
}


async def race(job: dict[str, Any], number: int, told: Connection, barrier: Any) -> None:
    """One of the processes: ``{process}`` and ``{i}`` in the request's key and external id stand for its number."""
    async with connect(job["url"], APPS), Committer(Store(), rules(SystemClock())) as committer:
        operations = [operation(job["request"], process=number, i=i) for i in range(job["each"])]
        await asyncio.to_thread(barrier.wait, 60)
        outcomes = await asyncio.gather(*map(committer.submit, operations), return_exceptions=True)
    told.send([plain(outcome) for outcome in outcomes])


def operation(request: dict[str, Any], **names: int) -> Operation:
    fields = dict(request)
    kind = KINDS[fields.pop("kind")]
    member = ByExternalId(fields.pop("member").format(**names))
    key = fields.pop("key").format(**names)
    return kind(member=member, idempotency_key=key, actor="a race", **fields)


def plain(outcome: Outcome | BaseException) -> dict[str, Any]:
    if isinstance(outcome, LaurelError):
        return {"error": f"{type(outcome).__name__}: {outcome}"}
    if isinstance(outcome, BaseException):
        return {"error": repr(outcome)}
    return {
        "member": outcome.member_id,
        "id": outcome.recorded.id if outcome.recorded else None,
        "result": dict(outcome.recorded.result) if outcome.recorded else None,
        "refusal": outcome.refusal.code if outcome.refusal else None,
        "replayed": outcome.replayed,
    }
