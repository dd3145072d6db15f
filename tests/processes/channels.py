"""Many processes, one shop, one moment: each opens it with its plugins, waits for the others, and submits at once.

``python -m tests.processes.channels '{"url": …, "plugins": […], "members": [[…], …], "request": {…}}'`` starts a
process for each list of members (external ids) and prints a JSON list with what became of each one's operation.
"""

import asyncio
import json
import sys
from multiprocessing.connection import Connection
from typing import Any

from core.members import ByExternalId
from core.operations import Operation
from graph.laurel import open_laurel
from graph.settings import Settings
from plugins.lottery.operations import DrawLottery
from plugins.purchase.operations import RecordPurchase
from plugins.referral.operations import AcceptReferral
from plugins.rewards.operations import RedeemReward
from tests.plugins.channel import only
from tests.processes.race import OPEN, plain

KINDS: dict[str, type[Operation]] = {
    "redeem_reward": RedeemReward,
    "draw_lottery": DrawLottery,
    "record_purchase": RecordPurchase,
    "accept_referral": AcceptReferral,
}


async def race(job: dict[str, Any], members: list[str], told: Connection, barrier: Any) -> None:
    """One of the processes."""
    settings = Settings(database_url=job["url"], secret="a secret of the race, and of nothing else")
    async with open_laurel(settings, plugins=only(*job["plugins"])) as laurel:
        request = dict(job["request"])
        kind = KINDS[request.pop("kind")]
        operations = [
            kind(member=ByExternalId(member), idempotency_key="the race", actor="a race", **request)
            for member in members
        ]
        await asyncio.to_thread(barrier.wait, 60)
        outcomes = await asyncio.gather(*map(laurel.committer.submit, operations), return_exceptions=True)
    told.send([plain(outcome) for outcome in outcomes])


def child(job: dict[str, Any], members: list[str], told: Connection, barrier: Any) -> None:
    asyncio.run(race(job, members, told, barrier))


def main(job: dict[str, Any]) -> None:
    barrier = OPEN.Barrier(len(job["members"]))
    pipes = [OPEN.Pipe(duplex=False) for _ in job["members"]]
    processes = [
        OPEN.Process(target=child, args=(job, members, told, barrier))
        for members, (_, told) in zip(job["members"], pipes, strict=True)
    ]
    for process in processes:
        process.start()
    for _, told in pipes:
        told.close()
    outcomes = [outcome for heard, _ in pipes for outcome in heard.recv()]
    for process in processes:
        process.join()
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
