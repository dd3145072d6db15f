"""Lots that live on with what a member does: which do, what it costs, and what the books say of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Extension, Lot
from core.books.tallies import ORDERS
from core.channels.corrections import ExpirePoints
from core.engine.operations import Operation
from core.engine.work import Work
from core.oversight.verify import verify
from tests.core.committing import BEGIN, PROGRAMME, Desk, open_desk, statements

DAY = timedelta(days=1)
HOTEL = PROGRAMME.replace("{mode: per_lot, months: 12}", "{mode: renewed, months: 12}")


@dataclass(frozen=True, kw_only=True)
class Stay(Operation):
    """A stay, and the points for it; a gift when it has ``days``."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "stay"

    points: int = 10
    days: int | None = None
    at_desk: datetime | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.earn(self.points, days=self.days, earned_at=self.at_desk)
        if self.days is None:
            work.count(ORDERS, 1, at=self.at_desk)
        return {}


@pytest.fixture
async def hotel(connected: TortoiseContext) -> AsyncIterator[Desk]:
    async with open_desk(programme=HOTEL) as desk:
        yield desk


async def stay(desk: Desk, member: Any, **said: Any) -> None:
    await desk.accepted(Stay(**desk.request(member), **said))


async def dates(desk: Desk, member: Any) -> list[datetime]:
    """The day on which each lot expires, in Shanghai."""
    return [lot.expires_at + timedelta(hours=8) for lot in await desk.rows(Lot, member)]


async def test_a_stay_renews_what_can_be_used_and_neither_gifts_nor_what_is_lost(hotel: Desk) -> None:
    desk, ann = hotel, await hotel.enrol("ann")
    await stay(desk, ann)
    desk.clock.advance(366 * DAY)
    await stay(desk, ann)
    await stay(desk, ann, days=30)
    desk.clock.advance(10 * DAY)
    await stay(desk, ann)

    assert [f"{day:%Y-%m-%d}" for day in await dates(desk, ann)] == [
        "2027-01-15",  # lost the day before the second stay
        "2028-01-26",
        "2027-02-15",
        "2028-01-26",
    ]
    await desk.accepted(ExpirePoints(**desk.request(ann)))
    assert await desk.lots(ann) == [0, 10, 10, 10]
    assert await verify(desk.store.reader()) == []


async def test_a_stay_that_is_told_of_late_shortens_nothing(hotel: Desk) -> None:
    desk, ann = hotel, await hotel.enrol("ann")
    await stay(desk, ann)
    await stay(desk, ann, at_desk=BEGIN - 40 * DAY)

    first, second = await dates(desk, ann)

    assert (f"{first:%Y-%m-%d}", f"{second:%Y-%m-%d}") == ("2027-01-15", "2026-12-06")


async def test_renewing_hundreds_of_lots_takes_as_many_statements_as_one_and_a_row_for_all(hotel: Desk) -> None:
    desk, ann, bob = hotel, await hotel.enrol("ann"), await hotel.enrol("bob")
    await stay(desk, bob)
    for _ in range(200):
        await desk.give(ann, 10)
    counts = []
    for member in (bob, ann):
        desk.clock.advance(DAY)
        with statements() as sent:
            await stay(desk, member)
        counts.append(len(sent))

    renewed = await desk.rows(Extension, ann)

    assert counts[0] == counts[1]
    assert [(row.lot_first, row.lot_last, row.cause) for row in renewed] == [(1, 200, "activity")]
    assert len(set(await dates(desk, ann))) == 1
    assert await verify(desk.store.reader()) == []


async def test_what_was_refused_has_renewed_nothing(hotel: Desk) -> None:
    desk, ann = hotel, await hotel.enrol("ann")
    await stay(desk, ann)
    before = await dates(desk, ann)
    desk.clock.advance(DAY)
    refused = await desk.submit(Stay(**desk.request(ann), points=0))

    assert not refused.accepted
    assert (await dates(desk, ann), await desk.rows(Extension, ann)) == (before, [])
