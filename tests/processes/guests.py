"""Many processes, one shop, one moment: each tells the same orders as guests', and some of them as a member's as well.

A job is ``{"url": …, "processes": 4, "orders": 10}``; what is told is what became of each telling. Every other order is
a member's purchase, told by every other process.
"""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any

from core.books.members import ByExternalId
from core.engine.operations import Outcome
from core.errors import Refusal
from graph.laurel import open_laurel
from graph.settings import Settings
from plugins.purchase.guests import GuestRequest, RecordGuestOrder
from plugins.purchase.operations import RecordPurchase
from tests.plugins.channel import only

AT = datetime(2026, 1, 4, 4, tzinfo=UTC)


async def race(job: dict[str, Any], number: int, told: Connection, barrier: Any) -> None:
    """One of the processes."""
    settings = Settings(database_url=job["url"], secret="a secret of the race, and of nothing else")
    async with open_laurel(settings, plugins=only("purchase")) as laurel:
        await asyncio.to_thread(barrier.wait, 60)

        async def as_guest(order: int) -> str:
            asked = RecordGuestOrder(
                actor="a race", reference=f"A{order}", amount=Decimal(10), occurred_at=AT, customer="g-1"
            )
            (became,) = await GuestRequest.perform_all([asked], laurel.committer.rules)
            if isinstance(became, Refusal):
                return f"guest {became.code}"
            return "guest replayed" if became.replayed else "guest recorded"

        async def as_member(order: int) -> str:
            asked = RecordPurchase(
                member=ByExternalId(f"m{order}"),
                idempotency_key=f"order:A{order}",
                actor="a race",
                reference=f"A{order}",
                amount=Decimal(10),
                occurred_at=AT,
                enrol_if_unknown=True,
            )
            became: Outcome = await laurel.committer.submit(asked)
            return "member refused" if became.refusal else "member replayed" if became.replayed else "member recorded"

        orders = range(job["orders"])
        members = orders[::2] if number % 2 else ()
        became = await asyncio.gather(*map(as_guest, orders), *map(as_member, members))
    told.send(became)
