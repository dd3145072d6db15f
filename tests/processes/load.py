"""A process under load that tells what was acknowledged, to be killed at any moment.

``python -m tests.processes.load URL FILE`` waits for lines on its input. For each it forks a process that works on
the database until it is killed. That process prints its id as soon as the first operation is acknowledged, and when it
is gone the other prints ``gone``. Each acknowledged operation is a line in the file: written after its outcome, in one
write, so that it survives the process.
"""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from core.books.members import ByExternalId
from core.channels.corrections import AdjustPoints, ReverseTransaction
from core.channels.redemption import CaptureHold, HoldPoints, RedeemPoints
from core.engine.committer import Committer
from core.engine.operations import Operation
from core.people.membership import EnrolMember
from core.store import Store
from core.store.databases import connect
from core.time.clock import SystemClock
from tests.core.committing import APPS, rules

CLIENTS = 16
MEMBERS = 8


async def work(url: str, acknowledged: int, run: int) -> None:
    """Never ends by itself."""
    begun = asyncio.Event()
    async with connect(url, APPS), Committer(Store(), rules(SystemClock())) as committer:

        async def one(number: int) -> None:
            async for operation in requests(f"{run}/{number}", committer):
                outcome = await committer.submit(operation)
                assert outcome.recorded
                said = [outcome.member_id, operation.idempotency_key, outcome.recorded.id, outcome.accepted]
                os.write(acknowledged, json.dumps(said).encode() + b"\n")
                if not begun.is_set():
                    begun.set()
                    print(os.getpid(), flush=True)

        await asyncio.gather(*map(one, range(CLIENTS)))


async def requests(client: str, committer: Committer) -> AsyncIterator[Operation]:
    """All verbs, for a few members at random, and now and then somebody new."""
    for number in count():
        who: dict[str, Any] = {"member": ByExternalId(f"member {random.randrange(MEMBERS)}"), "actor": "load"}
        points = random.randint(1, 40)
        key = f"{client}/{number}"
        match random.randrange(6):
            case 0:
                yield EnrolMember(member=ByExternalId(f"new {key}"), actor="load", idempotency_key=key)
            case 1 | 2:
                yield AdjustPoints(**who, idempotency_key=key, points=points, reason="a load")
            case 3:
                yield RedeemPoints(**who, idempotency_key=key, points=points)
            case 4:
                held = await committer.submit(HoldPoints(**who, idempotency_key=f"{key} hold", points=points))
                if held.accepted:
                    capture = random.randint(1, points)
                    yield CaptureHold(**who, idempotency_key=key, hold=held.result["hold"], points=capture)
            case _:
                spent = await committer.submit(RedeemPoints(**who, idempotency_key=f"{key} spent", points=points))
                if spent.recorded and spent.accepted:
                    transaction = spent.recorded.id
                    yield ReverseTransaction(
                        **who, idempotency_key=key, transaction=transaction, reason="a load", points=1
                    )


def main(url: str, file: str) -> None:
    acknowledged = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for run, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            random.seed()
            asyncio.run(work(url, acknowledged, run))
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
