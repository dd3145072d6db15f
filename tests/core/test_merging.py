"""Merging members and undoing it: what moves, what comes back, what is refused, and what a kill cannot lose."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Lot
from core.books.members import ById, Frozen, Member
from core.books.tallies import Tally
from core.channels.corrections import ReverseTransaction
from core.errors import MemberMerged, Refusal
from core.models import MergeRow
from core.oversight.verify import verify
from core.people.merging import (
    OUTGOING,
    HoldsOpen,
    MergeIntoOneself,
    MergeMember,
    MergeNotPossible,
    NotMerged,
    UndoMerge,
    deliver,
)
from core.store.databases import connect
from core.telling.outbox import Deliverer
from core.telling.routes import Routes
from core.time.clock import StoppedClock, SystemClock
from core.trust.freezing import CloseMembership, FreezeMember
from tests.core.committing import APPS, BEGIN, Desk, Give, open_desk, rules

ROOT = Path(__file__).parents[2]
KILLS = 4


def with_routes(clock: Any) -> Any:
    return replace(rules(clock), routes=Routes({"core": OUTGOING}))


@pytest.fixture
async def desk(connected: TortoiseContext) -> AsyncIterator[Desk]:
    """A desk whose outbox is for merges."""
    clock = StoppedClock(BEGIN)
    async with open_desk(clock=clock, settings=with_routes(clock)) as desk:
        yield desk


async def carry(desk: Desk, now: datetime | None = None) -> None:
    """Let everything arrive."""
    clock = desk.clock if now is None else StoppedClock(now)
    await Deliverer({"core": deliver}, desk.submit, clock).drain()


async def merge(desk: Desk, member: ById, into: ById) -> Any:
    return await desk.submit(MergeMember(**desk.request(member), into=into.id, reason="the same person"))


async def undo(desk: Desk, member: ById) -> Any:
    return await desk.submit(UndoMerge(**desk.request(member), reason="not the same person"))


async def tallied(desk: Desk, member: ById) -> dict[tuple[str, int], int]:
    return {(t.name, t.day): t.amount for t in await desk.rows(Tally, member) if t.amount}


def dates(lots: list[Lot]) -> list[Any]:
    return [(lot.remaining, lot.source, lot.earned_at, lot.available_from, lot.expires_at) for lot in lots]


async def test_lots_keep_their_dates_and_counts_lift_the_tier_once(desk: Desk) -> None:
    anna, anne = await desk.enrol("anna"), await desk.enrol("anne")
    await desk.give(anna, 600)
    await desk.give(anna, 50, earned_at=BEGIN - timedelta(days=40), pending_days=90)
    await desk.redeem(anna, 100)
    await desk.give(anne, 500)
    before = [lot for lot in await desk.rows(Lot, anna) if lot.remaining]
    counted = await tallied(desk, anna)

    outcome = await merge(desk, anna, anne)
    on_the_way = await verify(desk.store.reader())
    await carry(desk)

    assert outcome.result["moved"] == {"points": 550}
    assert on_the_way == await verify(desk.store.reader()) == []
    assert dates((await desk.rows(Lot, anne))[1:]) == dates(before)
    assert await desk.lots(anna) == [0, 0]
    assert (await desk.account(anna)).balance == 0
    assert (await desk.account(anne)).balance == 1_050
    assert await tallied(desk, anna) == {}
    assert sum((await tallied(desk, anne)).values()) == sum(counted.values()) + 500
    # 1,150 earned by both make silver, which neither had; no more is counted when more is told.
    member = await desk.member(anne)
    assert (member.tier, member.tier_changes) == ("silver", 2)
    merged = await desk.member(anna)
    assert (merged.status, merged.merged_into, merged.tier) == ("closed", anne.id, "regular")


async def test_what_was_told_twice_arrives_once(desk: Desk) -> None:
    anna, anne = await desk.enrol("anna"), await desk.enrol("anne")
    await desk.give(anna, 600)
    told = []

    async def listen(event: Any, submit: Any) -> None:
        told.append(event)
        await deliver(event, submit)

    await merge(desk, anna, anne)
    await Deliverer({"core": listen}, desk.submit, desk.clock).drain()
    before = await desk.everything()
    for event in told:
        await deliver(event, desk.submit)

    assert len(told) == 1
    assert await desk.everything() == before


async def test_debt_comes_along_and_is_repaid_at_once(desk: Desk) -> None:
    anna, anne = await desk.enrol("anna"), await desk.enrol("anne")
    gift = await desk.give(anna, 100)
    await desk.redeem(anna, 80)
    await desk.reverse(anna, gift)
    await desk.give(anne, 50)
    assert (await desk.account(anna)).debt == 80

    await merge(desk, anna, anne)
    await carry(desk)

    account = await desk.account(anne)
    assert (account.balance, account.debt, await desk.lots(anne)) == (-30, 30, [0])
    assert (await desk.account(anna)).debt == 0

    await undo(desk, anna)
    await carry(desk)

    # What was repaid stays so; what is still owed goes home.
    assert [(await desk.account(who)).balance for who in (anna, anne)] == [-30, 0]
    assert await verify(desk.store.reader()) == []


async def test_undoing_brings_back_what_is_left_into_the_very_lots(desk: Desk) -> None:
    anna, anne = await desk.enrol("anna"), await desk.enrol("anne")
    await desk.give(anna, 600)
    await desk.give(anna, 500, pending_days=30)
    await desk.give(anne, 10)
    lots, counted = dates(await desk.rows(Lot, anna)), await tallied(desk, anna)
    await merge(desk, anna, anne)
    await carry(desk)
    await desk.redeem(anne, 200)  # ten of them are Anne's own: the oldest of one date go first

    outcome = await undo(desk, anna)
    on_the_way = await verify(desk.store.reader())
    await carry(desk)

    assert outcome.accepted
    assert on_the_way == await verify(desk.store.reader()) == []
    (first, second) = dates(await desk.rows(Lot, anna))
    assert (first, second) == ((410, *lots[0][1:]), lots[1])
    assert (await desk.account(anne)).balance == 0
    assert await tallied(desk, anna) == counted
    assert await tallied(desk, anne) == {("points_earned", 20260115): 10}
    members = [await desk.member(anna), await desk.member(anne)]
    assert [(m.status, m.merged_into, m.tier) for m in members] == [
        ("active", None, "silver"),
        ("active", None, "regular"),
    ]
    # And they can be merged anew.
    assert (await merge(desk, anna, anne)).accepted
    await carry(desk)
    assert (await desk.account(anne)).balance == 910
    assert await verify(desk.store.reader()) == []


async def test_what_is_taken_back_from_the_merged_is_taken_from_the_other(desk: Desk) -> None:
    anna, anne, ann = await desk.enrol("anna"), await desk.enrol("anne"), await desk.enrol("ann")
    gift, spent = await desk.give(anna, 600), await desk.redeem(anna, 100)
    await merge(desk, anna, anne)
    await merge(desk, anne, ann)
    await carry(desk)

    earn = await desk.submit(Give(**desk.request(anna), points=5))
    back = await desk.reverse(anna, spent)
    taken = await desk.submit(ReverseTransaction(**desk.request(anna), transaction=gift, reason="a mistake"))
    await carry(desk)

    assert isinstance(earn.refusal, MemberMerged)
    assert earn.refusal.facts == {"member": anna.id, "merged_into": ann.id}
    assert back.accepted
    assert taken.accepted
    assert [(await desk.account(who)).balance for who in (anna, anne, ann)] == [0, 0, 0]
    assert await tallied(desk, ann) == {}
    assert await verify(desk.store.reader()) == []


async def test_a_merge_that_is_not_wanted_any_more_when_it_arrives_is_undone(desk: Desk) -> None:
    anna, anne = await desk.enrol("anna"), await desk.enrol("anne")
    await desk.give(anna, 600)
    await merge(desk, anna, anne)
    await desk.accepted(CloseMembership(**desk.request(anne), reason="as she asked"))

    await carry(desk)

    member = await desk.member(anna)
    assert (member.status, member.merged_into) == ("active", None)
    assert [(await desk.account(who)).balance for who in (anna, anne)] == [600, 0]
    assert await verify(desk.store.reader()) == []


async def test_two_who_are_merged_into_one_another_at_once_are_merged_once(desk: Desk) -> None:
    anna, anne = await desk.enrol("anna"), await desk.enrol("anne")
    await desk.give(anna, 600)
    await desk.give(anne, 70)

    outcomes = await desk.committer.submit_many(
        MergeMember(**desk.request(one), into=other.id, reason="the same")
        for one, other in ((anna, anne), (anne, anna))
    )
    await carry(desk)

    accepted = [outcome for outcome in outcomes if not isinstance(outcome, BaseException) and outcome.accepted]
    assert len(accepted) == 1
    assert sorted([(await desk.account(who)).balance for who in (anna, anne)]) == [0, 670]
    assert await verify(desk.store.reader()) == []


async def test_who_cannot_be_merged_is_refused_with_facts_and_nothing_is_written(desk: Desk) -> None:
    anna, anne, frozen, closed, merged = [
        await desk.enrol(name) for name in ("anna", "anne", "frozen", "closed", "merged")
    ]
    await desk.give(anna, 100)
    await desk.give(anne, 100)
    await desk.accepted(FreezeMember(**desk.request(frozen), frozen=Frozen.EARNING, reason="a bot?"))
    await desk.accepted(CloseMembership(**desk.request(closed), reason="as they asked"))
    await merge(desk, merged, anna)
    await desk.hold(anne, 30)
    before = {kind: len(rows) for kind, rows in (await desk.everything()).items() if kind != "operation"}

    pairs = [(anna, anna), (frozen, anna), (anna, frozen), (closed, anna), (anna, merged), (merged, anna), (anne, anna)]
    refusals: list[Refusal] = [(await merge(desk, one, other)).refusal for one, other in pairs]

    assert [(type(refusal), refusal.facts) for refusal in refusals] == [
        (MergeIntoOneself, {"member": anna.id}),
        (MergeNotPossible, {"member": frozen.id, "standing": "frozen"}),
        (MergeNotPossible, {"member": frozen.id, "standing": "frozen"}),
        (MergeNotPossible, {"member": closed.id, "standing": "closed"}),
        (MemberMerged, {"member": merged.id, "merged_into": anna.id}),
        (MemberMerged, {"member": merged.id, "merged_into": anna.id}),
        (HoldsOpen, {"open_holds": 1, "held": 30}),
    ]
    assert isinstance((await undo(desk, anna)).refusal, NotMerged)
    assert {kind: len(rows) for kind, rows in (await desk.everything()).items() if kind != "operation"} == before
    assert await verify(desk.store.reader()) == []


async def test_a_kill_between_the_two_sides_loses_nothing_and_doubles_nothing(fresh_database: str) -> None:
    async with connect(fresh_database, APPS), open_desk(settings=with_routes(SystemClock())) as desk:
        members = [await desk.enrol(f"member {number}") for number in range(6)]
        for number, member in enumerate(members):
            await desk.give(member, 100 + number)
    states: set[int] = set()

    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.processes.merging", fresh_database, stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        assert process.stdout
        assert await process.stdout.readline() == b"begun\n"
        await asyncio.sleep(random.uniform(0, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        async with connect(fresh_database, APPS), open_desk(settings=with_routes(SystemClock()), programme="") as desk:
            # What it had taken from the outbox is free again when its lease is over.
            later = datetime.now(UTC) + timedelta(minutes=1)
            assert await verify(desk.store.reader()) == []
            ((under_way,),) = await desk.store.reader().query("SELECT COUNT(*) FROM outbox")
            states.add(under_way)
            await carry(desk, later)
            ((left,),) = await desk.store.reader().query("SELECT COUNT(*) FROM outbox")
            balances = [(await desk.account(member)).balance for member in members]
            rows = [row for member in members for row in await desk.rows(MergeRow, member) if row.outgoing]
            found: list[Member] = [await desk.member(member) for member in members]
            assert (left, sum(balances)) == (0, 615)
            assert sum(balance for balance, m in zip(balances, found, strict=True) if m.merged_into is None) == 615
            assert rows
            assert await verify(desk.store.reader()) == []
