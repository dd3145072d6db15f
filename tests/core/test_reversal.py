"""Taking transactions back, wholly and in part, on every database: books, counts, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from core.books.accounts import Entry
from core.books.holds import Hold
from core.books.lots import Lot
from core.books.members import ById
from core.books.tallies import Tally
from core.channels.corrections import ExpirePoints, TimeOutHold
from core.channels.redemption import CaptureHold, RedeemPoints, ReleaseHold
from core.engine.operations import Outcome, Recorded
from core.oversight.verify import verify
from tests.core.committing import BEGIN, PROGRAMME, Desk, open_desk


async def balance(desk: Desk, member: ById) -> tuple[int, int]:
    """What is there, and what is owed."""
    account = await desk.account(member)
    return account.balance, account.debt


async def earned(desk: Desk, member: ById) -> int:
    """What counts as earned towards tiers."""
    return sum(tally.amount for tally in await desk.rows(Tally, member) if tally.name == "points_earned")


def moved(outcome: Outcome) -> dict[str, int]:
    assert outcome.accepted, outcome.refusal
    done: dict[str, int] = outcome.result["moved"]
    return done


def refused(outcome: Outcome) -> tuple[str, dict[str, Any]]:
    assert outcome.refusal
    return outcome.refusal.code, outcome.refusal.facts


# -- what earned --------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["give", "adjust"])
async def test_what_was_given_is_taken_back_in_parts_and_no_more_than_once(desk: Desk, verb: str) -> None:
    ann = await desk.enrol()
    given = await (desk.give(ann, 100) if verb == "give" else desk.adjust(ann, 100))

    parts = [moved(await desk.reverse(ann, given, points)) for points in (30, 50)]
    too_much = await desk.reverse(ann, given, 21)
    rest = await desk.reverse(ann, given)
    twice = await desk.reverse(ann, given)

    assert parts == [{"points": -30}, {"points": -50}]
    assert refused(too_much) == ("EXCEEDS_REVERSIBLE", {"needed": 21, "left": 20})
    assert moved(rest) == {"points": -20}
    assert refused(twice) == ("EXCEEDS_REVERSIBLE", {"needed": 100, "left": 0})
    assert await balance(desk, ann) == (0, 0)
    assert await earned(desk, ann) == 0
    reversals = [row.reverses for row in await desk.rows(Recorded, ann) if row.kind == "reverse" and row.accepted]
    assert reversals == [given] * 3
    assert await verify(desk.store.reader()) == []


@pytest.mark.parametrize(
    ("policy", "left", "after_earning_50"),
    [("lot_only", (30, 0), (80, 0)), ("lots", (0, 0), (50, 0)), ("lots_then_debt", (-70, 70), (-20, 20))],
)
async def test_what_was_spent_already_is_taken_back_by_the_programmes_policy(
    connected: TortoiseContext, policy: str, left: tuple[int, int], after_earning_50: tuple[int, int]
) -> None:
    async with open_desk(programme=f"{PROGRAMME}claw_back: {policy}\n") as desk:
        ann = await desk.enrol()
        first = await desk.give(ann, 100)
        desk.clock.advance(timedelta(days=40))
        await desk.give(ann, 30)
        await desk.redeem(ann, 100)
        assert await desk.lots(ann) == [0, 30]

        await desk.reverse(ann, first)

        assert await balance(desk, ann) == left
        await desk.give(ann, 50)
        assert await balance(desk, ann) == after_earning_50
        assert await earned(desk, ann) == 80
        assert await verify(desk.store.reader()) == []


async def test_what_expired_before_it_was_taken_back_is_not_taken_twice(desk: Desk) -> None:
    ann = await desk.enrol()
    first = await desk.give(ann, 100)
    await desk.redeem(ann, 60)
    desk.clock.advance(timedelta(days=380))
    await desk.accepted(ExpirePoints(**desk.request(ann)))
    await desk.give(ann, 100)

    await desk.reverse(ann, first)

    # Sixty were spent and are owed; forty were lost already.
    assert await balance(desk, ann) == (40, 0)
    assert await verify(desk.store.reader()) == []


# -- what spent ---------------------------------------------------------------------------------------


async def test_what_was_spent_goes_back_to_its_lots_in_parts_and_no_more_than_once(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 30)
    desk.clock.advance(timedelta(days=30))
    await desk.give(ann, 70)
    expiries = [lot.expires_at for lot in await desk.rows(Lot, ann)]
    spent = await desk.redeem(ann, 80)

    assert moved(await desk.reverse(ann, spent, 60)) == {"points": 60}
    assert await desk.lots(ann) == [10, 70]
    assert refused(await desk.reverse(ann, spent, 21)) == ("EXCEEDS_REVERSIBLE", {"needed": 21, "left": 20})
    assert moved(await desk.reverse(ann, spent)) == {"points": 20}
    assert refused(await desk.reverse(ann, spent)) == ("EXCEEDS_REVERSIBLE", {"needed": 80, "left": 0})

    assert await desk.lots(ann) == [30, 70]
    assert [lot.expires_at for lot in await desk.rows(Lot, ann)] == expiries
    assert await verify(desk.store.reader()) == []


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize(("policy", "left"), [("", 0), (", returned: grace, grace_days: 7", 100)])
async def test_what_returns_into_a_lot_that_has_lapsed_since_is_lost_or_lasts_a_while_as_the_programme_says(
    connected: TortoiseContext, swept: bool, policy: str, left: int
) -> None:
    async with open_desk(programme=PROGRAMME.replace("months: 12}", f"months: 12{policy}}}", 1)) as desk:
        ann = await desk.enrol()
        await desk.give(ann, 130)
        spent = await desk.redeem(ann, 40)
        held = await desk.hold(ann, 60, seconds=90 * 24 * 3600)
        assert held.recorded
        desk.clock.advance(timedelta(days=80))
        await desk.give(ann, 1)
        desk.clock.set(BEGIN + timedelta(days=366))
        if swept:
            await desk.accepted(ExpirePoints(**desk.request(ann)))

        async def free() -> int:
            return sum(lot.free(desk.clock.now()) for lot in await desk.rows(Lot, ann))

        await desk.reverse(ann, spent)
        await desk.accepted(TimeOutHold(**desk.request(ann), unit="points", hold=held.recorded.result["hold"]))
        after = [await free()]
        for days in (7 - 1, 1):
            desk.clock.advance(timedelta(days=days))
            after.append(await free())

        assert after == [1 + left, 1 + left, 1]
        assert await verify(desk.store.reader()) == []


async def test_a_negative_adjustment_is_taken_back_like_a_spending(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 50)
    taken = await desk.adjust(ann, -20)

    assert moved(await desk.reverse(ann, taken)) == {"points": 20}
    assert await desk.lots(ann) == [50]
    assert await verify(desk.store.reader()) == []


@pytest.mark.parametrize(("returned", "available"), [("returned: lapse", 0), ("returned: grace, grace_days: 14", 80)])
async def test_what_goes_back_too_late_follows_the_programmes_policy(
    connected: TortoiseContext, returned: str, available: int
) -> None:
    programme = PROGRAMME.replace("mode: per_lot, months: 12", f"mode: per_lot, months: 12, {returned}")
    async with open_desk(programme=programme) as desk:
        ann = await desk.enrol()
        await desk.give(ann, 100)
        spent = await desk.redeem(ann, 80)
        desk.clock.advance(timedelta(days=400))

        await desk.reverse(ann, spent)

        too_much = await desk.submit(_redeem(desk, ann, available + 1))
        assert refused(too_much)[1] == {"unit": "points", "needed": available + 1, "available": available}
        if available:
            await desk.redeem(ann, 30)
            desk.clock.advance(timedelta(days=14))
            assert refused(await desk.submit(_redeem(desk, ann, 1)))[1]["available"] == 0
        await desk.accepted(ExpirePoints(**desk.request(ann)))
        assert await balance(desk, ann) == (0, 0)
        assert await verify(desk.store.reader()) == []


def _redeem(desk: Desk, member: ById, points: int) -> RedeemPoints:
    return RedeemPoints(**desk.request(member), points=points)


# -- holds --------------------------------------------------------------------------------------------


async def test_a_hold_is_taken_back_as_a_whole_and_once(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 50)
    held = await desk.hold(ann, 20)
    assert held.recorded

    in_part = await desk.reverse(ann, held.recorded.id, 5)
    whole = await desk.reverse(ann, held.recorded.id)
    twice = await desk.reverse(ann, held.recorded.id)

    assert refused(in_part)[1]["reason"] == "a hold is released as a whole"
    assert moved(whole) == {"points": 20}
    assert refused(twice)[0] == "NOT_REVERSIBLE"
    assert [(hold.state, hold.captured) for hold in await desk.rows(Hold, ann)] == [("released", 0)]
    assert (await desk.account(ann)).held == 0
    assert await verify(desk.store.reader()) == []


async def test_a_capture_is_taken_back_in_parts_and_the_hold_stays_captured(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 50)
    held = await desk.hold(ann, 40)
    captured = await desk.accepted(CaptureHold(**desk.request(ann), hold=1, points=30))
    assert held.recorded
    assert captured.recorded

    assert moved(await desk.reverse(ann, captured.recorded.id, 10)) == {"points": 10}
    assert moved(await desk.reverse(ann, captured.recorded.id)) == {"points": 20}
    assert refused(await desk.reverse(ann, captured.recorded.id))[0] == "EXCEEDS_REVERSIBLE"
    assert refused(await desk.reverse(ann, held.recorded.id))[0] == "NOT_REVERSIBLE"
    again = await desk.submit(CaptureHold(**desk.request(ann), hold=1, points=1))

    assert refused(again) == ("HOLD_NOT_OPEN", {"hold": "1", "state": "captured"})
    assert await desk.lots(ann) == [50]
    assert await verify(desk.store.reader()) == []


async def test_a_spending_that_came_upon_a_hold_whose_time_was_over_is_taken_back_in_parts(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 50)
    await desk.hold(ann, 40, seconds=60)
    desk.clock.advance(timedelta(seconds=60))
    spent = await desk.accepted(_redeem(desk, ann, 30))
    assert spent.recorded

    assert moved(await desk.reverse(ann, spent.recorded.id, 10)) == {"points": 10}
    assert moved(await desk.reverse(ann, spent.recorded.id)) == {"points": 20}
    assert await verify(desk.store.reader()) == []


# -- what cannot be taken back ------------------------------------------------------------------------


async def test_what_is_no_transaction_to_take_back_is_refused_and_leaves_nothing(desk: Desk) -> None:
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    given = await desk.give(ann, 100)
    reversal = await desk.reverse(ann, given, 10)
    refusal = await desk.submit(_redeem(desk, ann, 1_000))
    desk.clock.advance(timedelta(days=400))
    expired = await desk.accepted(ExpirePoints(**desk.request(ann)))
    enrolled = next(row for row in await desk.rows(Recorded, ann) if row.kind == "enrol")
    await desk.give(ann, 5)
    await desk.hold(ann, 5)
    released = await desk.accepted(ReleaseHold(**desk.request(ann), hold=1))
    assert reversal.recorded
    assert refusal.recorded
    assert expired.recorded
    assert released.recorded
    entries = await desk.rows(Entry, ann)

    answers = {
        "a reversal": await desk.reverse(ann, reversal.recorded.id),
        "a refusal": await desk.reverse(ann, refusal.recorded.id),
        "an expiry": await desk.reverse(ann, expired.recorded.id),
        "an enrolment": await desk.reverse(ann, enrolled.id),
        "a release": await desk.reverse(ann, released.recorded.id),
        "another member's": await desk.reverse(ben, given),
        "nothing": await desk.reverse(ann, "nothing"),
    }

    assert {what: refused(answer)[0] for what, answer in answers.items()} == {
        "a reversal": "NOT_REVERSIBLE",
        "a refusal": "TRANSACTION_NOT_FOUND",
        "an expiry": "NOT_REVERSIBLE",
        "an enrolment": "NOT_REVERSIBLE",
        "a release": "NOT_REVERSIBLE",
        "another member's": "TRANSACTION_NOT_FOUND",
        "nothing": "TRANSACTION_NOT_FOUND",
    }
    assert await desk.rows(Entry, ann) == entries
    assert await verify(desk.store.reader()) == []


@pytest.mark.parametrize("points", [0, -5, 2**53])
async def test_an_amount_that_cannot_be_meant_is_refused(desk: Desk, points: int) -> None:
    ann = await desk.enrol()
    spent = await desk.give(ann, 10)

    assert refused(await desk.reverse(ann, spent, points))[0] == "INVALID_AMOUNT"
    assert await desk.lots(ann) == [10]


async def test_other_units_stay_when_only_points_are_taken_back(desk: Desk) -> None:
    ann = await desk.enrol()
    growth = await desk.give(ann, 40, unit="growth")

    in_part = await desk.reverse(ann, growth, 10)
    whole = await desk.reverse(ann, growth)

    assert refused(in_part)[0] == "NOT_REVERSIBLE"
    assert moved(whole) == {"growth": -40}
    assert await desk.lots(ann, "growth") == [0]
    assert await verify(desk.store.reader()) == []
