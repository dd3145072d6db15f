"""Work's verbs through the committer, on every database: time, tiers, counts, and who may do what."""

import gc
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Lot
from core.books.members import ById, MemberStatus, TierChange
from core.books.tallies import Tally
from core.channels.corrections import AdjustPoints, ExpirePoints
from core.channels.redemption import CaptureHold, HoldPoints, RedeemPoints, ReleaseHold
from core.engine.operations import Operation, Outcome
from core.engine.work import Work
from core.oversight.verify import verify
from core.people.membership import ChangeMemberStatus
from tests.core.committing import BEGIN, PROGRAMME, Desk, Give, open_desk, publish

INSTANT = timedelta(microseconds=1)


def code(outcome: Outcome) -> str | None:
    return outcome.refusal.code if outcome.refusal else None


async def spendable(desk: Desk, member: ById) -> int:
    """What a spending of far too much is told to be available."""
    outcome = await desk.submit(RedeemPoints(**desk.request(member), points=10**9))
    assert outcome.refusal
    available: int = outcome.refusal.facts["available"]
    return available


# -- time ---------------------------------------------------------------------------------------------


async def test_a_lot_can_be_spent_until_its_local_midnight_and_not_at_it(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 100)
    midnight = datetime(2027, 1, 14, 16, tzinfo=UTC)
    assert [lot.expires_at for lot in await desk.rows(Lot, ann)] == [midnight]

    desk.clock.set(midnight - INSTANT)
    await desk.redeem(ann, 40)
    desk.clock.set(midnight)
    too_late = await desk.submit(RedeemPoints(**desk.request(ann), points=1))

    assert code(too_late) == "INSUFFICIENT_POINTS"
    assert await desk.lots(ann) == [60]  # nothing has been written down yet
    outcome = await desk.accepted(ExpirePoints(**desk.request(ann)))
    assert outcome.result == {"expired": {"points": 60}, "released": 0}
    again = await desk.accepted(ExpirePoints(**desk.request(ann)))
    assert again.result == {"expired": {}, "released": 0}
    assert await desk.lots(ann) == [0]
    assert await verify(desk.store.reader()) == []


async def test_the_lot_that_expires_soonest_is_spent_first_whenever_it_was_made(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 10)
    await desk.give(ann, 20, earned_at=BEGIN - timedelta(days=100))
    await desk.give(ann, 40, earned_at=BEGIN - timedelta(days=50))

    await desk.redeem(ann, 30)

    assert await desk.lots(ann) == [10, 0, 30]


async def test_pending_points_can_be_spent_from_their_instant_on(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 100, pending_days=14)

    desk.clock.advance(timedelta(days=14) - INSTANT)
    assert await spendable(desk, ann) == 0
    desk.clock.advance(INSTANT)
    assert await spendable(desk, ann) == 100


async def test_a_hold_is_captured_before_its_end_and_gives_its_points_back_at_it(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 100)
    await desk.hold(ann, 60, seconds=60)
    await desk.hold(ann, 40, seconds=61)
    assert await spendable(desk, ann) == 0

    desk.clock.advance(timedelta(seconds=60))
    late = await desk.submit(CaptureHold(**desk.request(ann), hold=1))
    in_time = await desk.submit(CaptureHold(**desk.request(ann), hold=2, points=15))

    assert (code(late), code(in_time)) == ("HOLD_NOT_OPEN", None)
    assert await spendable(desk, ann) == 85
    await desk.redeem(ann, 85)
    assert code(await desk.submit(ReleaseHold(**desk.request(ann), hold=1))) == "HOLD_NOT_OPEN"
    assert await verify(desk.store.reader()) == []


async def test_counts_fall_on_the_programmes_day(desk: Desk) -> None:
    ann = await desk.enrol()
    for hour, minute in ((15, 59), (16, 0)):
        desk.clock.set(datetime(2026, 1, 15, hour, minute, tzinfo=UTC))
        await desk.give(ann, 10)
    await desk.give(ann, 5, earned_at=BEGIN - timedelta(days=3))

    counted = {tally.day: tally.amount for tally in await desk.rows(Tally, ann)}

    assert counted == {20260112: 5, 20260115: 10, 20260116: 10}


# -- tiers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("points", "tier"), [(999, "regular"), (1_000, "silver"), (4_999, "silver"), (5_000, "gold")])
async def test_a_tier_begins_exactly_at_its_threshold(desk: Desk, points: int, tier: str) -> None:
    ann = await desk.enrol()

    outcome = await desk.accepted(Give(**desk.request(ann), points=points))

    member = await desk.member(ann)
    assert member.tier == tier
    told = [event["tier"] for event in outcome.result.get("events", ()) if event["name"] == "tier.changed"]
    assert told == ([] if tier == "regular" else [tier])
    history = [(change.number, change.former, change.tier) for change in await desk.rows(TierChange, ann)]
    assert history == [(1, None, "regular")] + ([] if tier == "regular" else [(2, "regular", tier)])


async def test_tiers_rise_step_by_step_in_one_batch_and_never_fall_by_spending(desk: Desk) -> None:
    ann = await desk.enrol()

    await desk.committer.submit_many(Give(**desk.request(ann), points=points) for points in (999, 1, 3_999, 1))
    await desk.redeem(ann, 4_900)
    given = await desk.give(ann, 10)
    await desk.reverse(ann, given)

    assert [change.tier for change in await desk.rows(TierChange, ann)] == ["regular", "silver", "gold"]
    assert (await desk.member(ann)).tier == "gold"


async def test_a_window_forgets_what_lies_before_it(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 4_000)

    desk.clock.set(datetime(2027, 1, 14, 15, 59, tzinfo=UTC))
    await desk.give(ann, 999)
    assert (await desk.member(ann)).tier == "silver"
    desk.clock.advance(timedelta(minutes=1))
    await desk.give(ann, 1)

    # At local midnight the four thousand have left gold's twelve months.
    assert (await desk.member(ann)).tier == "silver"


# -- who may do what ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [MemberStatus.FROZEN, MemberStatus.CLOSED])
async def test_a_member_who_is_not_active_neither_earns_nor_spends(desk: Desk, status: MemberStatus) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 100)
    spent = await desk.redeem(ann, 10)
    await desk.hold(ann, 20)
    await desk.hold(ann, 30)
    await desk.accepted(ChangeMemberStatus(**desk.request(ann), status=status, reason="a suspicion"))
    lots = await desk.rows(Lot, ann)

    refused = [
        await desk.submit(operation)
        for operation in (
            Give(**desk.request(ann), points=1),
            RedeemPoints(**desk.request(ann), points=1),
            HoldPoints(**desk.request(ann), points=1),
            CaptureHold(**desk.request(ann), hold=1),
        )
    ]

    assert [code(outcome) for outcome in refused] == ["MEMBER_NOT_ACTIVE"] * 4
    assert await desk.rows(Lot, ann) == lots
    # What operators put right, and what gives back, goes on.
    await desk.adjust(ann, 5)
    await desk.accepted(ReleaseHold(**desk.request(ann), hold=1))
    assert (await desk.reverse(ann, spent)).accepted
    assert (await desk.account(ann)).balance == 105
    assert await verify(desk.store.reader()) == []


async def test_growth_is_never_spent(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 100, unit="growth")

    spending = [
        RedeemPoints(**desk.request(ann), points=1, unit="growth"),
        HoldPoints(**desk.request(ann), points=1, unit="growth"),
    ]

    assert [code(await desk.submit(operation)) for operation in spending] == ["UNIT_NOT_SPENDABLE"] * 2
    taken = AdjustPoints(**desk.request(ann), points=-30, reason="a mistake", unit="growth")
    assert code(await desk.submit(taken)) is None
    assert await desk.lots(ann, "growth") == [70]


@pytest.mark.parametrize("points", [0, -1, 2**53, 2**63 - 1])
async def test_amounts_that_cannot_be_meant_are_refused(desk: Desk, points: int) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 10)

    for operation in (
        Give(**desk.request(ann), points=points),
        RedeemPoints(**desk.request(ann), points=points),
        HoldPoints(**desk.request(ann), points=points),
    ):
        assert code(await desk.submit(operation)) == "INVALID_AMOUNT"
    assert await desk.lots(ann) == [10]


async def test_a_balance_stays_in_the_range_that_clients_can_represent(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 2**53 - 1)

    outcome = await desk.submit(Give(**desk.request(ann), points=1))

    assert code(outcome) == "BALANCE_LIMIT_EXCEEDED"
    assert (await desk.account(ann)).balance == 2**53 - 1
    assert await verify(desk.store.reader()) == []


async def test_a_unit_that_the_programme_takes_up_later_is_there_for_old_members(desk: Desk) -> None:
    ann = await desk.enrol()
    await publish(PROGRAMME + "units: {stars: {}}\n", number=2)

    nothing = await desk.submit(RedeemPoints(**desk.request(ann), points=1, unit="stars"))
    await desk.accepted(ExpirePoints(**desk.request(ann)))
    await desk.give(ann, 3, unit="stars")

    assert code(nothing) == "INSUFFICIENT_POINTS"
    assert (await desk.account(ann, "stars")).balance == 3
    assert await verify(desk.store.reader()) == []


# -- an operation that spends twice -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SpendTwice(Operation):
    """Two spendings in one transaction, from one lot."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "spend_twice"

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.spend(10)
        await work.spend(20)
        return {}


@dataclass(frozen=True, kw_only=True)
class GiveBackTwice(Operation):
    """Two parts of one transaction given back in another."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "give_back_twice"

    transaction: str
    parts: tuple[int, int]

    async def perform(self, work: Work) -> dict[str, Any]:
        return {"given": [await work.give_back(self.transaction, part) for part in self.parts]}


async def test_all_that_one_transaction_spent_can_be_given_back_and_no_more(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 100)
    spent = await desk.accepted(SpendTwice(**desk.request(ann)))
    assert spent.recorded

    too_much = GiveBackTwice(**desk.request(ann), transaction=spent.recorded.id, parts=(20, 11))
    assert code(await desk.submit(too_much)) == "EXCEEDS_REVERSIBLE"
    await desk.accepted(GiveBackTwice(**desk.request(ann), transaction=spent.recorded.id, parts=(20, 4)))
    rest = await desk.reverse(ann, spent.recorded.id)

    assert rest.result["moved"] == {"points": 6}
    assert await desk.lots(ann) == [100]
    assert await verify(desk.store.reader()) == []


async def test_a_replay_of_the_past_earns_and_expires_at_its_own_time(connected: TortoiseContext) -> None:
    async with open_desk() as desk:
        ann = await desk.enrol()
        past = BEGIN - timedelta(days=400)
        await desk.accepted(Give(**desk.request(ann), points=10, at=past))
        await desk.accepted(RedeemPoints(**desk.request(ann), points=4, at=past + timedelta(days=1)))
        await desk.accepted(ExpirePoints(**desk.request(ann), at=BEGIN))

        assert await desk.lots(ann) == [0]
        assert [tally.day for tally in await desk.rows(Tally, ann)] == [20241211]
        assert await verify(desk.store.reader()) == []


# -- what is left of it -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Remembered(Give):
    """A gift whose work can be looked for afterwards."""

    kind: ClassVar[str] = "remembered"
    seen: ClassVar[list[weakref.ref[Work]]] = []

    async def perform(self, work: Work) -> dict[str, Any]:
        self.seen.append(weakref.ref(work))
        return await super().perform(work)


async def test_nothing_of_an_operation_is_left_to_the_garbage_collector(desk: Desk) -> None:
    # A circle of a work and what knows it took collections of half a second from whoever was writing.
    ann = await desk.enrol()
    Remembered.seen.clear()
    gc.disable()
    try:
        await desk.accepted(Remembered(**desk.request(ann), points=600))
        await desk.accepted(Remembered(**desk.request(ann), points=600))
        left = [seen() for seen in Remembered.seen]
    finally:
        gc.enable()

    assert len(left) == 2
    assert left[0] is None, "the last one may still be in the committer's hands"
