"""Many processes, one shop, one moment: each opens it with its plugins, waits for the others, and submits at once.

A job is ``{"url": …, "plugins": […], "processes": 4, "requests": [{"members": […], …}]}``. The members (external ids)
of each request are dealt out, and what is told is what became of each one's operation.
A member who is named several times asks as often.
"""

import asyncio
from multiprocessing.connection import Connection
from typing import Any

from core.books.members import ByExternalId
from core.engine.operations import Operation
from graph.laurel import open_laurel
from graph.settings import Settings
from plugins.auction.operations import PlaceBid
from plugins.benefit.operations import CollectBenefit, UseBenefit
from plugins.donation.operations import DonatePoints
from plugins.gift.operations import GivePoints
from plugins.lottery.operations import DrawLottery
from plugins.purchase.operations import RecordPurchase
from plugins.referral.operations import AcceptReferral
from plugins.rewards.operations import RedeemReward
from tests.plugins.channel import only
from tests.processes.race import plain

KINDS: dict[str, type[Operation]] = {
    "redeem_reward": RedeemReward,
    "draw_lottery": DrawLottery,
    "record_purchase": RecordPurchase,
    "accept_referral": AcceptReferral,
    "place_bid": PlaceBid,
    "donate_points": DonatePoints,
    "give_points": GivePoints,
    "use_benefit": UseBenefit,
    "collect_benefit": CollectBenefit,
}


def operations_of(job: dict[str, Any], number: int) -> list[Operation]:
    """What the process of that number asks for."""
    operations = []
    for place, request in enumerate(job["requests"]):
        asked = {name: value for name, value in request.items() if name not in ("kind", "members")}
        operations += [
            KINDS[request["kind"]](
                member=ByExternalId(member), idempotency_key=f"the race {place}/{at}", actor="a race", **asked
            )
            for at, member in enumerate(request["members"])
            if at % job["processes"] == number
        ]
    return operations


async def race(job: dict[str, Any], number: int, told: Connection, barrier: Any) -> None:
    """One of the processes."""
    settings = Settings(database_url=job["url"], secret="a secret of the race, and of nothing else")
    async with open_laurel(settings, plugins=only(*job["plugins"])) as laurel:
        operations = operations_of(job, number)
        await asyncio.to_thread(barrier.wait, 60)
        outcomes = await asyncio.gather(*map(laurel.committer.submit, operations), return_exceptions=True)
    told.send(
        [{**plain(outcome), "kind": type(asked).kind} for asked, outcome in zip(operations, outcomes, strict=True)]
    )
