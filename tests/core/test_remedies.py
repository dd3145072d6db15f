"""Remedies: what is selected, what a preview says, what is done once however often it is killed, what is refused."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from core.channels.corrections import AdjustPoints
from core.channels.redemption import RedeemPoints
from core.engine.committer import BATCH_MAX
from core.engine.operations import Operation, Recorded
from core.errors import IdempotencyKeyMismatch, InvalidAmount, InvalidValue, MemberNotFound, Refusal
from core.models import RemedyItemRow, RemedyRow
from core.oversight.verify import verify
from core.people.merging import MergeMember, deliver
from core.people.remedies import (
    REMEDIES,
    Asked,
    Progress,
    ProgressOf,
    RemedyEnded,
    RemedyNotFound,
    SelectionChanged,
    begin,
    cancel,
    preview_reversal,
    work_off,
)
from core.people.selecting import (
    MemberSelection,
    NothingSelected,
    TooMuchSelected,
    TransactionSelection,
)
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.scheduling.jobs import Jobs, Run
from core.telling.outbox import Deliverer
from core.time.clock import StoppedClock
from core.trust.freezing import CloseMembership
from tests.core.committing import BEGIN, Desk, open_desk
from tests.core.test_merging import with_routes

HOUR = timedelta(hours=1)
WINDOW: Any = {"since": BEGIN, "until": BEGIN + HOUR}


@pytest.fixture
async def desk(connected: TortoiseContext) -> AsyncIterator[Desk]:
    clock = StoppedClock(BEGIN)
    async with open_desk(clock=clock, settings=with_routes(clock)) as desk:
        yield desk


def asked(selection: Any, key: str = "r", **more: Any) -> Asked:
    return Asked(selection=selection, key=key, reason="a mistake", actor="operator:eve", **more)


async def start(desk: Desk, selection: Any, key: str = "r", **more: Any) -> RemedyRow:
    row, _ = await begin(asked(selection, key, **more), desk.store.reader(), desk.clock)
    return row


async def run_of(desk: Desk) -> Run:
    programmes = Programmes(lambda document: load_programme(document, {}))
    await programmes.refresh(desk.store.reader())
    now = desk.clock.now()
    return Run("remedies", now, None, programmes.at(now).programme, programmes, desk.store.reader(), desk.committer)


async def work(desk: Desk) -> int:
    return await work_off(await run_of(desk))


async def progress(desk: Desk, remedy: RemedyRow) -> Progress:
    found = await ProgressOf().answer(desk.store.reader(), [(remedy.id,)])
    return found[remedy.id,]


async def refused(awaitable: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaitable
    return caught.value


async def test_a_preview_says_what_is_done_then(desk: Desk) -> None:
    anna, bert, carl = [await desk.enrol(name) for name in ("anna", "bert", "carl")]
    for member, points in ((anna, 100), (anna, 50), (bert, 70), (carl, 30)):
        await desk.give(member, points)
    await desk.redeem(bert, 60)
    undone = await desk.give(carl, 5)
    await desk.reverse(carl, undone)
    desk.clock.set(BEGIN + HOUR)
    await desk.give(anna, 1_000)
    selection = TransactionSelection(channel="test", kind="give", **WINDOW)

    before = await desk.everything()
    preview = await preview_reversal(selection, desk.store.reader(), desk.committer)
    assert await desk.everything() == before

    assert (preview.transactions, preview.members) == (5, 3)
    assert dict(preview.refused) == {"EXCEEDS_REVERSIBLE": 1}
    assert dict(preview.taken) == {"points": 250}
    assert dict(preview.given) == {"points": 0}
    assert preview.debtors == [(bert.id, 60)]

    remedy = await start(desk, selection, expected=5)
    assert await work(desk) == 5
    assert await progress(desk, remedy) == Progress(done=4, refused=1, taken=250)
    assert [(await desk.account(who)).balance for who in (anna, bert, carl)] == [1_000, -60, 0]
    assert (await desk.account(bert)).debt == 60
    item = await RemedyItemRow.get(remedy_id=remedy.id, state="refused")
    assert (item.member, item.transaction_id, item.code) == (carl.id, undone, "EXCEEDS_REVERSIBLE")
    assert (await RemedyRow.get(id=remedy.id)).state == "done"
    # Done once: neither again by the job, nor by the same request.
    assert await work(desk) == 0
    again, replayed = await begin(asked(selection, expected=5), desk.store.reader(), desk.clock)
    assert (again.id, replayed) == (remedy.id, True)
    assert await verify(desk.store.reader()) == []


class Killed(BaseException):
    """As a killed process: nobody is told, and nothing is tidied."""


class Dying:
    """A committer that is killed after the commit, before anybody has written down what became of it."""

    def __init__(self, desk: Desk, batches: int) -> None:
        self.desk, self.batches = desk, batches

    async def submit_many(self, operations: Iterable[Operation]) -> Any:
        outcomes = await self.desk.committer.submit_many(operations)
        self.batches -= 1
        if self.batches == 0:
            raise Killed
        return outcomes


async def test_killed_half_way_it_goes_on_and_does_nothing_twice(desk: Desk) -> None:
    member = await desk.enrol("anna")
    count = BATCH_MAX + 3
    await desk.committer.submit_many(
        AdjustPoints(**desk.request(member, f"gift {number}"), points=2, reason="a gift") for number in range(count)
    )
    remedy = await start(desk, TransactionSelection(channel="ledger", kind="adjust", **WINDOW))

    for batches in (1, 2):
        dying: Any = Dying(desk, batches)
        with pytest.raises(Killed):
            await work_off(replace(await run_of(desk), committer=dying))
    assert (await progress(desk, remedy)).waiting == 3
    assert (await desk.account(member)).balance == 0
    await work(desk)

    assert await progress(desk, remedy) == Progress(done=count, taken=2 * count)
    reversals = [row for row in await desk.rows(Recorded, member) if row.reverses is not None]
    assert len(reversals) == len({row.reverses for row in reversals}) == count
    assert await verify(desk.store.reader()) == []


async def test_it_is_a_job_that_two_processes_may_run_at_once(desk: Desk) -> None:
    members = [await desk.enrol(f"member {number}") for number in range(5)]
    for member in members:
        await desk.give(member, 10)
    remedy = await start(desk, MemberSelection(channels=("test",), **WINDOW), points=7)
    programmes = Programmes(lambda document: load_programme(document, {}))
    two = [Jobs([REMEDIES], desk.store, desk.committer, programmes, desk.clock) for _ in range(2)]

    ran = [await jobs.work() for jobs in two]

    assert ran == [1, 0]
    assert await progress(desk, remedy) == Progress(done=5, given=35)
    assert [(await desk.account(member)).balance for member in members] == [17] * 5


async def test_who_was_hit_is_compensated_once(desk: Desk) -> None:
    names = ("early", "refused", "served", "closed", "old", "new", "late")
    early, refused_, served, closed, old, new, late = [await desk.enrol(name) for name in names]
    await desk.give(early, 10)
    desk.clock.set(BEGIN + 24 * HOUR)

    assert not (await desk.submit(RedeemPoints(**desk.request(refused_), points=10))).accepted
    for member in (served, closed, old):
        await desk.adjust(member, 5)
    await desk.adjust(served, 6)
    await desk.accepted(CloseMembership(**desk.request(closed), reason="as they asked"))
    await desk.accepted(MergeMember(**desk.request(old), into=new.id, reason="the same person"))
    await Deliverer({"core": deliver}, desk.submit, desk.clock).drain()
    desk.clock.set(BEGIN + 26 * HOUR)
    await desk.adjust(late, 5)
    window: Any = {"since": BEGIN + 23 * HOUR, "until": BEGIN + 25 * HOUR}
    selection = MemberSelection(channels=("ledger",), **window)
    reader = desk.store.reader()

    async def hit(selection: MemberSelection) -> tuple[set[str], int]:
        chosen, left_out = await selection.choose(reader)
        assert len({one.member for one in chosen}) == len(chosen)
        return {one.member for one in chosen}, left_out

    assert await hit(selection) == ({refused_.id, served.id, new.id}, 1)
    assert await hit(MemberSelection(channels=("ledger",), refused_only=True, **window)) == ({refused_.id}, 0)
    several = MemberSelection(channels=("ledger", "test"), active_days=2, **window)
    assert await hit(several) == ({early.id, refused_.id, served.id, new.id}, 1)
    assert await hit(MemberSelection(external_ids=("old", "late", "new"))) == ({new.id, late.id}, 0)

    remedy = await start(desk, selection, points=50, expected=3)
    await desk.accepted(CloseMembership(**desk.request(served), reason="as they asked"))
    await work(desk)

    assert await progress(desk, remedy) == Progress(done=2, refused=1, given=100)
    assert [(await desk.account(who)).balance for who in (refused_, served, new)] == [50, 0, 55]
    (item,) = await RemedyItemRow.filter(remedy_id=remedy.id, state="refused")
    assert (item.member, item.code, item.message) == (served.id, "MEMBER_NOT_ACTIVE", "the member is closed")
    assert await verify(reader) == []


async def test_transactions_are_selected_by_reference_version_and_id(desk: Desk) -> None:

    anna, bert = await desk.enrol("anna"), await desk.enrol("bert")
    gifts = [await desk.give(who, 100) for who in (anna, bert)]
    spent = []
    for reference, who in (("A1", anna), ("A2", anna), ("A3", bert)):
        outcome = await desk.accepted(RedeemPoints(**desk.request(who), points=5, reference=reference))
        assert outcome.recorded
        spent.append(outcome.recorded.id)

    async def chosen(**by: Any) -> set[str | None]:
        return {one.transaction for one in await TransactionSelection(**by).choose(desk.store.reader())}

    assert await chosen(channel="ledger", references=("A1", "A3", "A9")) == {spent[0], spent[2]}
    assert await chosen(transactions=((anna.id, spent[0]), (bert.id, gifts[1]))) == {spent[0], gifts[1]}
    # An id of somebody else is of nobody.
    assert await refused(chosen(transactions=((bert.id, spent[0]),))) is not None
    assert await chosen(programme_version=1, channel="test") == set(gifts)
    assert await chosen(**WINDOW) == {*gifts, *spent}


async def test_what_cannot_be_meant_is_refused_and_nothing_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await desk.enrol("anna")
    await desk.give(anna, 100)
    await desk.give(anna, 100)
    first = await start(desk, TransactionSelection(channel="test", **WINDOW))
    before = await desk.everything()
    everything = TransactionSelection(channel="test", **WINDOW)
    named = MemberSelection(external_ids=("anna",))

    answers = [
        await refused(start(desk, selection, key, **more))
        for selection, key, more in [
            (TransactionSelection(channel="test"), "1", {}),
            (TransactionSelection(references=("A1",)), "2", {}),
            (TransactionSelection(since=BEGIN, until=BEGIN), "3", {}),
            (TransactionSelection(channel="nothing", **WINDOW), "4", {}),
            (everything, "5", {"expected": 3}),
            (TransactionSelection(kind="give", **WINDOW), "r", {}),
            (MemberSelection(channels=("test",)), "6", {"points": 1}),
            (MemberSelection(external_ids=("nobody",)), "7", {"points": 1}),
            (MemberSelection(external_ids=("anna",), active_days=400), "8", {"points": 1}),
            (named, "9", {"points": 0}),
            (named, "", {"points": 1}),
        ]
    ]
    monkeypatch.setattr("core.people.selecting.REVERSED_MAX", 1)
    answers.append(await refused(start(desk, everything, "10")))

    assert [type(answer) for answer in answers] == [
        InvalidValue, InvalidValue, InvalidValue, NothingSelected, SelectionChanged, IdempotencyKeyMismatch,
        InvalidValue, MemberNotFound, InvalidValue, InvalidAmount, InvalidValue, TooMuchSelected,
    ]  # fmt: skip
    assert answers[4].facts == {"selected": 2, "expected_count": 3}
    assert await desk.everything() == before
    assert [row.id for row in await RemedyRow.all()] == [first.id]


async def test_a_remedy_that_is_cancelled_does_nothing_more(desk: Desk) -> None:
    anna = await desk.enrol("anna")
    await desk.give(anna, 100)
    remedy = await start(desk, TransactionSelection(channel="test", **WINDOW))

    cancelled = await cancel(remedy.id, clock=desk.clock)

    assert (cancelled.state, cancelled.finished_at) == ("cancelled", BEGIN)
    assert await work(desk) == 0
    assert (await desk.account(anna)).balance == 100
    assert isinstance(await refused(cancel(remedy.id, clock=desk.clock)), RemedyEnded)
    assert isinstance(await refused(cancel("nothing", clock=desk.clock)), RemedyNotFound)
