"""A process that merges members and undoes it, without end, to be killed at any moment.

``python -m tests.processes.merging URL`` prints ``begun`` when the first merge is committed.
"""

import asyncio
import random
import sys
from itertools import count
from typing import Any

from core.books.members import ByExternalId, ById, new_id
from core.engine.committer import Committer
from core.people.merging import MergeMember, UndoMerge, deliver
from core.store import Store
from core.store.databases import connect
from core.telling.outbox import Deliverer
from core.time.clock import SystemClock
from tests.core.committing import APPS
from tests.core.test_merging import with_routes

MEMBERS = 6


async def work(url: str) -> None:
    """Never ends by itself."""
    async with (
        connect(url, APPS, every_task=True),
        Committer(Store(), with_routes(SystemClock())) as committer,
        Deliverer({"core": deliver}, committer.submit, SystemClock(), pause=0.02),
    ):
        rows = await Store().reader().query("SELECT id FROM member ORDER BY id")
        ids = [id for (id,) in rows]

        async def one() -> None:
            for number in count():
                first, other = random.sample(range(MEMBERS), 2)
                who: dict[str, Any] = {"member": ByExternalId(f"member {first}"), "actor": "a test", "reason": "a test"}
                await committer.submit(MergeMember(**who, idempotency_key=new_id(), into=ids[other]))
                if number == 0:
                    print("begun", flush=True)
                if random.random() < 0.6:
                    back = {**who, "member": ById(ids[random.randrange(MEMBERS)])}
                    await committer.submit(UndoMerge(**back, idempotency_key=new_id()))

        await asyncio.gather(*(one() for _ in range(4)))


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
