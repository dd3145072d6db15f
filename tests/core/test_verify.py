"""A busy member, all verbs, on every database: nothing is wrong. Then each thing that can go wrong is found."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from core.books.members import ByExternalId, new_id
from core.channels.corrections import AdjustPoints, ExpirePoints, ExtendPoints, ReverseTransaction
from core.channels.redemption import CaptureHold, HoldPoints, RedeemPoints, ReleaseHold
from core.engine.batch import Rules
from core.engine.committer import Committer
from core.engine.operations import Operation, Outcome
from core.models import ProgrammeVersionRow
from core.oversight.audit import Note, Record, noting
from core.oversight.auditing import audited, write_down
from core.oversight.verify import INVARIANTS, OFFENDERS_MAX, verify
from core.people.membership import EnrolMember
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.store import Store
from core.store.tables import table_of
from core.time.clock import StoppedClock
from tests.core.committing import open_desk

PROGRAMME = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
tiers:
  ladder:
  - {id: regular}
  - {id: silver, all: [{fact: points_earned, at_least: 1000}]}
  - {id: gold, all: [{fact: points_earned, at_least: 5000}]}
"""
BEGIN = datetime(2026, 1, 15, 4, tzinfo=UTC)
WHO = ByExternalId("ann")


@pytest.fixture
async def store(connected: TortoiseContext) -> Store:
    """A database with a member who has done everything that moves points."""
    await ProgrammeVersionRow.create(
        number=1, document=PROGRAMME, digest="", author="test", reason="test", starts_at=BEGIN, published_at=BEGIN
    )
    clock = StoppedClock(BEGIN)
    programmes = Programmes(lambda document: load_programme(document, {}))
    store = Store()
    rules = Rules(programmes=programmes, clock=clock, new_id=new_id)
    async with Committer(store, rules) as committer:

        async def do(kind: type[Operation], key: str, **request: Any) -> Outcome:
            with noting(Note(actor="test", mutation=kind.kind, request_id=key, reason=request.get("reason"))):
                outcome = await committer.submit(kind(member=WHO, idempotency_key=key, actor="test", **request))
            assert outcome.accepted, outcome.refusal
            return outcome

        await do(EnrolMember, "enrol")
        for number in range(3):
            given = await do(AdjustPoints, f"give {number}", points=2000, reason="a gift")
        await do(AdjustPoints, "take", points=-10, reason="a mistake")
        spent = await do(RedeemPoints, "spend", points=2500)
        assert spent.recorded is not None
        await do(ReverseTransaction, "back", transaction=spent.recorded.id, reason="returned", points=700)
        await do(HoldPoints, "hold 1", points=300)
        await do(HoldPoints, "hold 2", points=400)
        await do(HoldPoints, "hold 3", points=3000, seconds=80 * 24 * 3600)
        await do(CaptureHold, "capture", hold=1, points=100)
        await do(ReleaseHold, "release", hold=2)
        assert given.recorded is not None
        await do(ReverseTransaction, "debt", transaction=given.recorded.id, reason="never paid")
        clock.advance(timedelta(days=400))
        await do(AdjustPoints, "late", points=50, reason="a gift")
        await do(ExpirePoints, "sweep")
        clock.advance(timedelta(days=1))
        await do(AdjustPoints, "last", points=900, reason="a gift")
        for year in (2028, 2029):
            await do(ExtendPoints, f"extend {year}", expires_on=date(year, 7, 1), reason="goodwill")
        with noting(Note(actor="test", mutation="publishProgramme", request_id="publish")):
            await asyncio.gather(
                *(
                    audited(lambda number=number: write_down(BEGIN, before={}, after={"version": number}))  # type: ignore[misc]
                    for number in range(4)
                )
            )
    return store


async def test_nothing_is_wrong_with_books_that_all_verbs_have_written(store: Store) -> None:
    assert await verify(store.reader()) == []
    ((moves,),) = await store.reader().query("SELECT COUNT(DISTINCT kind) FROM lot_move")
    assert moves == 5


class _NotKept(Exception):
    """Ends a transaction without keeping it."""


DAMAGE = {
    "credited and debited": "UPDATE account SET credited = credited + 1, debited = debited + 1 WHERE unit = 'points'",
    "entries without a gap": "DELETE FROM entry WHERE unit = 'points' AND seq = 2",
    "running balances": "UPDATE entry SET balance = balance + 1 WHERE unit = 'points' AND seq = 3",
    "digests": "UPDATE entry SET recorded_at = recorded_at + 1 WHERE unit = 'points' AND seq = 3",
    "newest digest": "UPDATE account SET digest = '' WHERE unit = 'points'",
    "entries of an account": "DELETE FROM account WHERE unit = 'points'",
    "entries of an operation": "DELETE FROM operation WHERE idempotency_key = 'spend'",
    "operations with entries": "DELETE FROM entry WHERE unit = 'points' AND held > 0",
    "entries explained": "UPDATE lot SET operation_id = '' WHERE seq = 1",
    "reversals of transactions": "UPDATE operation SET reverses = '' WHERE idempotency_key = 'back'",
    "restored at most spent": "UPDATE lot_move SET amount = 2501 WHERE kind = 'restore'",
    "audit digests": "UPDATE audit SET reason = 'another' WHERE mutation = 'reverse'",
    "audited operations": "UPDATE audit SET operation_id = id WHERE member_id <> ''",
    "balance in lots": "UPDATE account SET debt = debt + 1 WHERE unit = 'points'",
    "lots without a gap": "UPDATE account SET lot_seq = lot_seq + 1 WHERE unit = 'points'",
    "lots of an account": "UPDATE account SET member_id = '' WHERE unit = 'points'",
    "rest of a lot": "UPDATE lot SET remaining = remaining + 1",
    "loss of a lot": "UPDATE lot SET expired = expired + 1",
    "spending of a lot": "UPDATE lot_move SET amount = 2501 WHERE kind = 'restore'",
    "bounds of a lot": "UPDATE lot SET forgiven = clawed + 1",
    "forgiven of a lot": "UPDATE lot SET forgiven = expired + remaining + 1 WHERE seq = 1",
    "dates of a lot": "UPDATE lot SET expires_at = expires_at + 1 WHERE expires_at > 1800000000000000",
    "lots of an extension": "UPDATE lot_extension SET operation_id = ''",
    "moves of an entry": "UPDATE lot_move SET lot_seq = lot_seq + 99 WHERE kind = 'restore'",
    "debt": "UPDATE lot_move SET amount = amount - 1 WHERE lot_seq = 0",
    "held in entries": "UPDATE entry SET held = held + 1 WHERE unit = 'points' AND seq = 3",
    "held in lots": "UPDATE lot SET held = held + 1 WHERE seq = 1",
    "held in holds": "UPDATE hold SET state = 'open' WHERE state = 'captured'",
    "parts of a lot": "UPDATE hold_lot SET amount = amount + 1",
    "parts of a hold": "UPDATE hold_lot SET amount = amount + 1",
    "holds without a gap": "DELETE FROM hold WHERE seq = 1",
    "end of a hold": "UPDATE hold SET captured = 0 WHERE state = 'captured'",
    "captured in entries": "UPDATE hold SET captured = captured + 1 WHERE state = 'captured'",
    "lots under review": "UPDATE lot SET available_from = 253402214400000000 WHERE seq = 1",
    "flags without a gap": "INSERT INTO flag (bucket, member_id, number, id, channel, more_than, within_minutes,"
    " holds, state, operations, lots, raised_at) VALUES (0, '', 2, '', '', 1, 1, FALSE, 'open', '[]', '[]', 0)",
    "spent in time": "UPDATE lot SET expires_at = earned_at WHERE seq = 1",
    "held in time": "UPDATE hold SET placed_at = placed_at - 1",
    "expired in time": "UPDATE lot SET expires_at = expires_at + 1",
    "next due": "UPDATE account SET next_due = NULL WHERE unit = 'points'",
    "balance that is said": "UPDATE account SET expiring = expiring + 1 WHERE expires_at IS NOT NULL",
    "accounts of a member": "DELETE FROM account",
    "tier history": "UPDATE member SET tier = 'silver'",
    "steps of a tier history": "UPDATE tier_change SET former = 'gold' WHERE number = 2",
    "causes of a tier history": "UPDATE tier_change SET cause = 'review' WHERE number = 2",
    "grounds of a tier history": "UPDATE tier_change SET grounds = NULL WHERE number = 2",
    "dates of a tier": "UPDATE member SET tier_due_at = 1",
    "tallies of what was earned": "UPDATE tally SET amount = amount + 1",
    "merged members": "UPDATE member SET merged_into = 'another'",
    "nothing left of the merged": "UPDATE member SET merged_into = 'another', status = 'closed'",
    "entries of merges": "UPDATE entry SET contra = 'merge' WHERE unit = 'points' AND seq = 3",
    "nothing lost between members": "INSERT INTO merged_tally (bucket, member_id, transfer_id, merge_id, arrived,"
    " name, day, amount) VALUES (0, '', '', '', TRUE, 'orders', 20260115, 1)",
    "daily aggregates": "UPDATE daily_aggregate SET amount = amount + 1 WHERE name = 'debited'",
}


async def test_each_damage_is_found_by_the_invariant_it_breaks(store: Store) -> None:
    found = {}
    for name, statement in DAMAGE.items():
        with suppress(_NotKept):
            async with store.transaction() as writer:
                await writer.query(statement)
                found[name] = [finding.invariant.name for finding in await verify(writer)]
                raise _NotKept

    assert {name for name, names in found.items() if name not in names} == set()
    assert list(DAMAGE) == [invariant.name for invariant in INVARIANTS]
    assert await verify(store.reader()) == []


async def test_a_record_says_how_the_member_stood_before_and_after(store: Store) -> None:
    table = table_of(Record)
    rows = sorted(await store.reader().query(f"SELECT {table.column_list} FROM audit"))
    records: list[Record] = [table.of(table.decode(row)) for row in rows]
    (taken,) = [record for record in records if record.after.get("points.balance") == 5990]

    assert sorted(r.after["version"] for r in records if r.operation_id is None) == [0, 1, 2, 3]
    assert (taken.mutation, taken.reason, taken.request_id) == ("adjust", "a mistake", "take")
    assert taken.before == {**taken.after, "points.balance": 6000}
    assert records[-1].number == max(record.number for record in records)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit WHERE mutation = 'redeem'",
        "DELETE FROM audit WHERE member_id <> '' AND number = 1",
        "UPDATE audit SET number = number + 100 WHERE mutation = 'redeem'",
        "UPDATE audit SET actor = 'operator:eve' WHERE mutation = 'publishProgramme'",
        "UPDATE audit SET state_after = state_before WHERE mutation = 'adjust'",
    ],
)
async def test_a_changed_audit_log_is_found(store: Store, statement: str) -> None:
    with suppress(_NotKept):
        async with store.transaction() as writer:
            await writer.query(statement)
            assert "audit digests" in [finding.invariant.name for finding in await verify(writer)]
            raise _NotKept


async def test_a_finding_counts_all_places_and_shows_the_first(store: Store) -> None:
    async with store.transaction() as writer:
        await writer.query("UPDATE entry SET digest = ''")
        findings = {finding.invariant.name: finding for finding in await verify(writer)}
        ((entries,),) = await writer.query("SELECT COUNT(*) FROM entry")

    digests = findings["digests"]
    assert digests.places == entries > len(digests.offenders) == OFFENDERS_MAX
    assert [offender["seq"] for offender in digests.offenders] == [1, 2, 3, 4, 5]
    assert set(findings) == {"digests", "newest digest"}


async def test_what_comes_of_itself_during_a_request_is_not_its_work(
    connected: TortoiseContext,
) -> None:
    async with open_desk() as desk:
        ann = await desk.enrol("ann")
        with noting(Note(actor="an operator", mutation="advanceClock", request_id="1")):
            await desk.give(ann, 10)

        assert await verify(desk.store.reader()) == []
        assert await desk.store.reader().query("SELECT 1 FROM audit") == []
