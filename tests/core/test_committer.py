"""The committer: an outcome for each operation, whatever the others in its batch do, and an orderly end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from tortoise.context import TortoiseContext

from core.books.members import ByExternalId, ById, bucket_of
from core.books.tallies import Tally
from core.channels.redemption import RedeemPoints
from core.engine.committer import BESIDE_MIN, Committer
from core.engine.operations import Operation, Outcome
from core.engine.reads import Read
from core.engine.work import Work
from core.errors import DeadlineExceeded, Overloaded, ShuttingDown
from core.models import BudgetRow
from core.oversight.verify import verify
from core.people.membership import EnrolMember, UpdateMember
from core.store.dialect import Reader
from core.store.sqlite import Sqlite
from core.store.tables import table_of
from tests.core.committing import Desk, Give, open_desk, rules, statements


@dataclass(frozen=True, kw_only=True)
class Odd(Operation):
    """Gives points first, so that there is something to leave behind, and then does what is odd."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "odd"

    how: str

    async def perform(self, work: Work) -> dict[str, Any]:
        await work.earn(7)
        match self.how:
            case "raises":
                raise ZeroDivisionError
            case "is cancelled":
                raise asyncio.CancelledError
            case "waits for the clock":
                await asyncio.sleep(1)
            case "waits for nothing":
                await asyncio.sleep(0)
            case "answers with no JSON":
                return {"what": object()}
            case "answers with nothing":
                return None  # type: ignore[return-value]  # the defect in question
        return {}


DEFECTS: dict[str, type[Exception]] = {
    "raises": ZeroDivisionError,
    "is cancelled": RuntimeError,
    "waits for the clock": RuntimeError,
    "waits for nothing": RuntimeError,
    "answers with no JSON": TypeError,
    "answers with nothing": TypeError,
}


def gives(desk: Desk, members: list[ById], points: int = 10) -> list[Operation]:
    return [Give(**desk.request(member), points=points) for member in members]


async def until(condition: Callable[[], bool]) -> None:
    """Let the committer go on until that holds."""
    for _ in range(100_000):
        await asyncio.sleep(0)
        if condition():
            return
    raise TimeoutError


@pytest.mark.parametrize("how", DEFECTS)
async def test_a_defective_operation_fails_alone(desk: Desk, how: str) -> None:
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    defective = Odd(**desk.request(ann), how=how)
    operations = [*gives(desk, [ann, ben]), defective, *gives(desk, [ben, ann])]

    outcomes = await desk.committer.submit_many(operations)

    assert type(outcomes.pop(2)) is DEFECTS[how]
    assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes)
    assert await desk.lots(ann) == await desk.lots(ben) == [10, 10]
    assert desk.committer.batches == 3  # nothing was tried twice: two enrolments, and all of this


async def test_what_only_the_database_refuses_fails_alone(desk: Desk) -> None:
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    # SQLite has no limits on text, so it gets what no database has a type for.
    actor: Any = object() if isinstance(desk.store.reader(), Sqlite) else "a" * 201
    poison = Give(member=ann, idempotency_key="poison", actor=actor, points=10)
    operations = [*gives(desk, [ann, ben] * 4), poison, *gives(desk, [ben, ann] * 3)]

    outcomes = await desk.committer.submit_many(operations)

    assert isinstance(outcomes.pop(8), Exception)
    assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes)
    assert await desk.lots(ann) == await desk.lots(ben) == [10] * 7


async def test_more_than_the_queue_holds_is_not_taken(connected: TortoiseContext) -> None:
    async with open_desk(queue_max=5) as desk:
        ann = await desk.enrol("ann")
        taken = [asyncio.create_task(desk.submit(operation)) for operation in gives(desk, [ann] * 5)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="5 operations are waiting"):
            await desk.submit(gives(desk, [ann])[0])
        await asyncio.gather(*taken)

        with pytest.raises(Overloaded):
            await desk.committer.submit_many(gives(desk, [ann] * 6))

        assert await desk.lots(ann) == [10] * 5


async def test_what_was_not_begun_in_time_is_not_performed(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    late, in_time = gives(desk, [ann, ann])

    submitting = asyncio.create_task(desk.committer.submit(late, patience=-1.0))
    outcome = await desk.committer.submit(in_time, patience=60)

    with pytest.raises(DeadlineExceeded):
        await submitting
    assert outcome.accepted
    assert await desk.lots(ann) == [10]


async def test_what_nobody_waits_for_any_more_is_not_begun(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    given_up, wanted = (asyncio.create_task(desk.submit(operation)) for operation in gives(desk, [ann, ann]))
    await asyncio.sleep(0)

    given_up.cancel()
    await wanted

    assert given_up.cancelled()
    assert await desk.lots(ann) == [10]


async def test_a_caller_who_leaves_while_it_is_performed_changes_nothing(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    (operation,) = gives(desk, [ann])
    caller = asyncio.create_task(desk.submit(operation))
    await until(lambda: not desk.committer.waiting)
    caller.cancel()

    outcome = await desk.submit(operation)

    assert caller.cancelled()
    assert outcome.replayed
    assert await desk.lots(ann) == [10]


async def test_what_was_accepted_is_performed_before_the_end(connected: TortoiseContext) -> None:
    async with open_desk(batch_max=3) as desk:
        ann = await desk.enrol("ann")
        waiting = [asyncio.create_task(desk.submit(operation)) for operation in gives(desk, [ann] * 20)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*waiting)

    with pytest.raises(ShuttingDown):
        await desk.submit(gives(desk, [ann])[0])
    assert all(outcome.accepted for outcome in outcomes)
    assert await desk.lots(ann) == [10] * 20


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("why", ["cancelled", "overdue"])
async def test_what_nobody_waits_for_keeps_nobody_from_leaving(
    connected: TortoiseContext, why: str, at_once: int
) -> None:
    async with asyncio.timeout(60), open_desk(at_once=at_once) as desk:
        ann = await desk.enrol("ann")
        performed, given_up = gives(desk, [ann, ann])
        waiting = asyncio.create_task(desk.submit(performed))
        await asyncio.sleep(0)
        await until(lambda: not desk.committer.waiting)
        left = asyncio.create_task(desk.committer.submit(given_up, patience=-1.0 if why == "overdue" else None))
        await asyncio.sleep(0)
        if why == "cancelled":
            left.cancel()

    assert (await waiting).accepted
    assert isinstance((await asyncio.gather(left, return_exceptions=True))[0], BaseException)


@pytest.mark.parametrize("at_once", [1, 3])
async def test_a_committer_that_is_stopped_short_leaves_nobody_waiting(
    connected: TortoiseContext, at_once: int
) -> None:
    async with open_desk(batch_max=1, at_once=at_once) as desk:
        members = [await desk.enrol(name) for name in ("ann", "ben", "eve")]
        waiting = [asyncio.create_task(desk.submit(operation)) for operation in gives(desk, members * BESIDE_MIN)]
        await until(lambda: desk.committer.batches >= 6)
        (runner,) = [task for task in asyncio.all_tasks() if task.get_name() == "committer"]
        runner.cancel()
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert sum(isinstance(outcome, Outcome) for outcome in outcomes) >= 1
    assert {type(outcome).__name__ for outcome in outcomes} <= {"Outcome", "DatabaseUnreachable", "ShuttingDown"}


async def test_a_batch_costs_the_same_number_of_statements_for_any_number_of_operations(desk: Desk) -> None:
    members = [await desk.enrol(f"member {number}") for number in range(60)]
    counts = []
    for size in (1, 5, 60):
        with statements() as sent:
            given = await desk.committer.submit_many(gives(desk, members[:size]))
            spent = await desk.committer.submit_many(
                RedeemPoints(**desk.request(member), points=3) for member in members[:size]
            )
            enrolled = await desk.committer.submit_many(
                EnrolMember(**desk.request(ByExternalId(f"new {size} {number}"))) for number in range(size)
            )
        assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in (*given, *spent, *enrolled))
        counts.append(len(sent))

    assert len(set(counts)) == 1, counts
    assert counts[0] <= 40


async def test_two_committers_that_enrol_somebody_at_once_agree_on_who_it_is(desk: Desk) -> None:
    async with Committer(desk.store, rules(desk.clock)) as other:
        for number in range(10):
            who = ByExternalId(f"member {number}")
            one, two = await asyncio.gather(
                desk.committer.submit(EnrolMember(**desk.request(who))),
                other.submit(EnrolMember(**desk.request(who))),
            )

            assert one.member_id or two.member_id
            assert [one.accepted, two.accepted].count(True) == 1
            loser = one.refusal or two.refusal
            assert loser
            assert loser.code == "MEMBER_ALREADY_ENROLLED"
    assert await verify(desk.store.reader()) == []


async def test_two_committers_that_change_one_member_at_once_lose_nothing(desk: Desk) -> None:
    ann = await desk.enrol()

    async with Committer(desk.store, rules(desk.clock)) as other:
        for number in range(20):
            here = UpdateMember(**desk.request(ann), attributes={f"here {number}": True})
            there = UpdateMember(**desk.request(ann), attributes={f"there {number}": True})
            await asyncio.gather(desk.committer.submit(here), other.submit(there))

    assert len((await desk.member(ann)).attributes) == 40


# -- several batches at once --------------------------------------------------------------------------


@pytest.fixture
async def several(connected: TortoiseContext) -> AsyncIterator[Desk]:
    """A desk whose committer has several batches under way, where the database lets it."""
    async with open_desk(at_once=3) as desk:
        yield desk


several_writers = pytest.mark.parametrize("database_server", ["postgres", "mysql"], indirect=True)
"""SQLite lets one write at a time."""


@asynccontextmanager
async def held_up(desk: Desk, member: ById) -> AsyncIterator[None]:
    """While this is open the database does not write what is earned by a member who has earned today."""
    async with desk.store.transaction() as elsewhere:
        assert await elsewhere.lock(table_of(Tally), ("bucket", "member_id"), [(bucket_of(member.id), member.id)])
        yield


@several_writers
async def test_a_batch_is_performed_while_the_database_has_another(several: Desk) -> None:
    desk = several
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    await desk.give(ann, 10)

    async with held_up(desk, ann):
        first, *others = gives(desk, [ann, ann] + [ben] * BESIDE_MIN)
        written = asyncio.create_task(desk.submit(first))
        await asyncio.sleep(0)
        await until(lambda: not desk.committer.waiting)
        later, *for_ben = (asyncio.create_task(desk.submit(operation)) for operation in others)
        async with asyncio.timeout(60):
            assert all(outcome.accepted for outcome in await asyncio.gather(*for_ben))
        assert not written.done()
        assert not later.done()
        assert await desk.lots(ben) == [10] * BESIDE_MIN
        assert await desk.lots(ann) == [10]
    await asyncio.gather(written, later)

    assert await desk.lots(ann) == [10, 10, 10]
    assert await verify(desk.store.reader()) == []


@several_writers
async def test_who_comes_later_does_not_wait_for_a_member_who_is_busy(several: Desk) -> None:
    desk = several
    ann, ben = await desk.enrol("ann"), await desk.enrol("ben")
    await desk.give(ann, 10)

    async with held_up(desk, ann):
        written, *later = (
            asyncio.create_task(desk.submit(operation)) for operation in gives(desk, [ann] * (BESIDE_MIN * 2 + 1))
        )
        await asyncio.sleep(0)
        await until(lambda: desk.committer.waiting < len(later) + 1)
        for_ben = [asyncio.create_task(desk.submit(operation)) for operation in gives(desk, [ben] * BESIDE_MIN)]
        async with asyncio.timeout(60):
            assert all(outcome.accepted for outcome in await asyncio.gather(*for_ben))
        assert not written.done()
    await asyncio.gather(written, *later)

    assert len(await desk.lots(ann)) == BESIDE_MIN * 2 + 2


async def test_order_is_kept_of_somebody_who_is_named_in_two_ways(several: Desk) -> None:
    desk = several
    ann = await desk.enrol("ann")
    others = [await desk.enrol(f"member {number}") for number in range(BESIDE_MIN + 6)]
    for _ in range(5):
        earned = Give(**desk.request(ByExternalId("ann")), points=100)
        spent = RedeemPoints(**desk.request(ann), points=100)
        asked = [earned, *gives(desk, others), spent, *gives(desk, others)]

        outcomes = await desk.committer.submit_many(asked)

        assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes)


@dataclass(frozen=True, kw_only=True)
class Take(Operation):
    """Claims rows that members share, one after another."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "take"

    names: tuple[str, ...]

    async def perform(self, work: Work) -> dict[str, Any]:
        for name in self.names:
            row = await work.shared(BudgetRow, name=name, period="lifetime")
            if row is None:
                work.add(BudgetRow, name=name, period="lifetime", used=1, low_told=None, exhausted_told=None)
            else:
                row.used += 1
                work.save(row)
        return {}


async def test_batches_that_claim_the_same_rows_do_not_wait_for_each_other(several: Desk) -> None:
    desk = several
    members = [await desk.enrol(f"member {number}") for number in range(BESIDE_MIN * 2)]
    for name in "xy":
        assert (await desk.submit(Take(**desk.request(members[0]), names=(name,)))).accepted
    before = desk.committer.batches
    first, second = members[:BESIDE_MIN], members[BESIDE_MIN:]
    with statements() as sent:
        for _ in range(5):
            asked = [Take(**desk.request(member), names=(name,)) for member in first for name in "xy"]
            asked += [Take(**desk.request(member), names=(name,)) for member in second for name in "yx"]
            outcomes = await desk.committer.submit_many(asked)
            assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes)

    rows = await desk.store.reader().query("SELECT name, used FROM budget ORDER BY name")
    assert rows == [(name, 1 + BESIDE_MIN * 2 * 5) for name in "xy"]
    # Each batch looks for a new version once, and again when the database had to end it for another's sake.
    assert sum("COUNT(*) FROM programme_version" in each for each in sent) == desk.committer.batches - before


async def test_what_is_asked_of_a_member_is_performed_in_its_order(several: Desk) -> None:
    desk = several
    members = [await desk.enrol(name) for name in ("ann", "ben", "eve")]
    asked = [(member, points) for points in range(1, 41) for member in members]
    submitting = []
    for member, points in asked:
        submitting.append(asyncio.create_task(desk.submit(*gives(desk, [member], points))))
        if points % 3 == 0:
            await asyncio.sleep(0.001)
    outcomes = await asyncio.gather(*submitting)

    assert all(outcome.accepted for outcome in outcomes)
    for member in members:
        assert await desk.lots(member) == [*range(1, 41)]
    assert desk.committer.performed == len(asked) + len(members)
    assert await verify(desk.store.reader()) == []


async def test_what_fails_beside_others_fails_alone(several: Desk) -> None:
    desk = several
    members = [await desk.enrol(f"member {number}") for number in range(20)]
    actor: Any = object() if isinstance(desk.store.reader(), Sqlite) else "a" * 201
    poisons = [Give(member=member, idempotency_key="poison", actor=actor, points=10) for member in members[::5]]

    good, bad = await asyncio.gather(
        desk.committer.submit_many(gives(desk, members * 3)), desk.committer.submit_many(poisons)
    )

    assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in good)
    assert all(isinstance(outcome, Exception) for outcome in bad)
    assert [await desk.lots(member) for member in members] == [[10] * 3] * 20


# -- rehearsing ---------------------------------------------------------------------------------------


class Meanwhile:
    """A question during which something else happens, the first time that it is asked."""

    def __init__(self, happen: Callable[[], Awaitable[object]]) -> None:
        self.happen: list[Callable[[], Awaitable[object]]] = [happen]

    async def answer(self, reader: Reader, keys: Sequence[int]) -> Mapping[int, int]:
        if self.happen:
            await self.happen.pop()()
        return {}


@dataclass(frozen=True, kw_only=True)
class SpendAndGive(Operation):
    """Makes a lot after having read those there are, and something else between the account and the lots."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "spend and give"

    meanwhile: Meanwhile

    async def perform(self, work: Work) -> dict[str, Any]:
        await Read(self.meanwhile, 1)
        await work.spend(5)
        lot = await work.earn(1)
        return {"lot": lot.seq}

    def request_hash(self) -> str:
        return ""


async def test_what_is_rehearsed_while_the_member_is_changed_is_of_one_moment(desk: Desk) -> None:
    ann = await desk.enrol()
    await desk.give(ann, 2)
    before = await desk.everything()

    quiet = await desk.committer.rehearse(SpendAndGive(**desk.request(ann), meanwhile=Meanwhile(nothing)))
    assert await desk.everything() == before
    meanwhile = Meanwhile(lambda: desk.give(ann, 10))
    changed = await desk.committer.rehearse(SpendAndGive(**desk.request(ann), meanwhile=meanwhile))

    assert quiet.refusal
    assert quiet.refusal.facts == {"unit": "points", "needed": 5, "available": 2}
    assert changed.result == {"lot": 3}
    assert await desk.lots(ann) == [2, 10]
    assert await verify(desk.store.reader()) == []


async def nothing() -> None:
    """What happens when nothing does."""
