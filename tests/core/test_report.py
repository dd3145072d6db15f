"""The figures at any instant, through all verbs, before and after somebody has written down what lapsed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tortoise.context import TortoiseContext

from core.books.members import ByExternalId, new_id
from core.channels.corrections import AdjustPoints, ReverseTransaction
from core.channels.redemption import CaptureHold, HoldPoints, RedeemPoints
from core.engine.batch import Rules
from core.engine.committer import Committer
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.models import ProgrammeVersionRow
from core.oversight.verify import verify
from core.people.membership import EnrolMember
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.scheduling.sweep import count_due, sweep
from core.store import Store
from core.time.clock import StoppedClock
from core.units import POINTS
from core.value.report import UnitFigures, report

PROGRAMME = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 1}
tiers:
  ladder:
  - {id: regular}
  - {id: silver, all: [{fact: points_earned, at_least: 1000}]}
"""
ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 1, 15, 4, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Earn(AdjustPoints):
    """An order, as far as the ledger is concerned; pending for some days."""

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.earn(self.points, pending_days=int(self.reason))
        return {}


class Shop:
    """A member, a stopped clock, and what was reported."""

    def __init__(self, store: Store, committer: Committer, clock: StoppedClock) -> None:
        self.store, self.committer, self.clock = store, committer, clock
        self.number = 0

    async def do(self, kind: type[Operation], **request: Any) -> Recorded:
        self.number += 1
        operation = kind(member=ByExternalId("ann"), idempotency_key=str(self.number), actor="test", **request)
        outcome = await self.committer.submit(operation)
        assert outcome.accepted, outcome.refusal
        assert outcome.recorded is not None
        self.clock.advance(HOUR)
        return outcome.recorded

    async def points(self, at: datetime) -> UnitFigures:
        return (await report(self.store.reader(), at, ZONE, [POINTS])).units[POINTS]


@pytest.fixture
async def shop(connected: TortoiseContext) -> AsyncIterator[Shop]:
    await ProgrammeVersionRow.create(
        number=1, document=PROGRAMME, digest="", author="test", reason="test", starts_at=BEGIN, published_at=BEGIN
    )
    clock, store = StoppedClock(BEGIN), Store()
    programmes = Programmes(lambda document: load_programme(document, {}))
    async with Committer(store, Rules(programmes=programmes, clock=clock, new_id=new_id)) as committer:
        yield Shop(store, committer, clock)


def balance(figures: UnitFigures) -> int:
    """What came in less what went out and what is there: nothing is left."""
    f = figures
    came = f.earned + f.adjusted + f.given_back
    return came - (f.redeemed + f.clawed_back + f.expired + f.available + f.pending + f.held - f.debt)


async def test_the_figures_follow_every_verb_and_stay_what_they_were(shop: Shop) -> None:
    await shop.do(EnrolMember)
    first = await shop.do(Earn, points=1000, reason="0")
    await shop.do(Earn, points=200, reason="3")
    spent = await shop.do(RedeemPoints, points=300)
    await shop.do(ReverseTransaction, transaction=spent.id, reason="returned", points=100)
    held = await shop.do(HoldPoints, points=400, seconds=2 * 3600)
    await shop.do(CaptureHold, hold=held.result["hold"], points=150)
    await shop.do(AdjustPoints, points=-50, reason="a mistake")
    await shop.do(ReverseTransaction, transaction=first.id, reason="never paid")
    expected = {
        0: UnitFigures(),
        1: UnitFigures(earned=1000, available=1000),
        2: UnitFigures(earned=1200, available=1000, pending=200),
        3: UnitFigures(earned=1200, redeemed=300, available=700, pending=200),
        4: UnitFigures(earned=1200, redeemed=300, given_back=100, available=800, pending=200),
        5: UnitFigures(earned=1200, redeemed=300, given_back=100, available=400, pending=200, held=400),
        6: UnitFigures(earned=1200, redeemed=450, given_back=100, available=650, pending=200),
        7: UnitFigures(earned=1200, redeemed=450, given_back=100, adjusted=-50, available=600, pending=200),
        8: UnitFigures(earned=1200, redeemed=450, given_back=100, adjusted=-50, clawed_back=1000, debt=200),
    }

    found = {hour: await shop.points(BEGIN + hour * HOUR) for hour in expected}

    assert found == expected
    assert {balance(figures) for figures in found.values()} == {0}
    assert await shop.points(BEGIN - HOUR) == UnitFigures()


async def test_what_has_lapsed_counts_as_expired_whether_or_not_it_was_written_down(shop: Shop) -> None:
    await shop.do(EnrolMember)
    await shop.do(Earn, points=500, reason="0")
    await shop.do(HoldPoints, points=120, seconds=60 * 24 * 3600)
    await shop.do(HoldPoints, points=80, seconds=3600)
    lapse = datetime(2026, 2, 15, tzinfo=ZONE)
    days = [lapse - DAY, lapse - timedelta(microseconds=1), lapse, lapse + DAY]
    shop.clock.set(lapse + DAY)
    before = [await shop.points(day) for day in days]

    due = await count_due(shop.store.reader(), shop.clock.now())
    swept = await sweep(shop.store.reader(), shop.committer, shop.clock.now(), actor="test")

    assert before[0] == before[1] == UnitFigures(earned=500, available=300, held=200)
    assert before[2] == before[3] == UnitFigures(earned=500, expired=300, held=200)
    assert due == 2
    assert (swept.accounts, swept.points, swept.holds) == (1, 380, 1)
    assert [await shop.points(day) for day in days[:2]] == before[:2]
    # The second hold had run out, and what it had set aside went the way of its lot.
    assert await shop.points(lapse + DAY) == UnitFigures(earned=500, expired=380, held=120)
    assert await count_due(shop.store.reader(), shop.clock.now()) == 0
    assert await verify(shop.store.reader()) == []


async def test_members_and_tiers_are_those_of_the_time(shop: Shop) -> None:
    await shop.do(EnrolMember)
    await shop.do(Earn, points=999, reason="0")
    await shop.do(Earn, points=1, reason="0")

    found = [await report(shop.store.reader(), BEGIN + hour * HOUR, ZONE, [POINTS]) for hour in (-1, 1, 2)]

    assert [(each.members, each.tiers) for each in found] == [(0, {}), (1, {"regular": 1}), (1, {"silver": 1})]
    assert found[0].to_json()["units"]["points"]["earned"] == 0
