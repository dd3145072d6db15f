"""A process that writes down what has lapsed, in small batches, and says after each how many it was: to be killed.

``python -m tests.processes.sweeping <database>``
"""

import asyncio
import sys
from datetime import UTC, datetime

from core.scheduling import sweep
from core.time.clock import StoppedClock
from tests.core.committing import desk_at

vars(sweep)["BATCH_MAX"] = 8


async def main(url: str) -> None:
    clock = StoppedClock(datetime(2028, 1, 1, tzinfo=UTC))
    async with desk_at(url, clock=clock, programme="") as desk:
        await sweep.sweep(desk.store.reader(), desk.committer, clock.now(), actor="a test", advance=say)


def say(done: int) -> None:
    print(done, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
