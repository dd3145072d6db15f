"""Each guard of the ledger is taken away, one at a time, and a test of ours must notice.

The tests that must fail are the real ones, called here with the guard gone. What is taken away: the lock, the sequence
(its counting, and its keys in the database), the request hash, the order of lots, the boundary of expiry.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from tortoise.context import TortoiseContext

import core.books.lots
from core.books.accounts import Account
from core.books.lots import Lot
from core.books.members import ById
from core.channels.redemption import RedeemPoints
from core.engine.committer import Committer
from core.engine.operations import Operation
from core.oversight.verify import verify
from core.store.databases import Database, connect
from core.store.migrating import migrate
from core.store.mysql import MySql
from core.store.postgres import Postgres
from tests.core import test_batch, test_committer, test_work
from tests.core.committing import Desk, open_desk, rules
from tests.databases import Apps

Sabotage = Callable[[pytest.MonkeyPatch], None]
Check = Callable[[Desk], Awaitable[None]]


def without_lock(patch: pytest.MonkeyPatch) -> None:
    for dialect in (Postgres, MySql):
        patch.setattr(dialect, "lock", dialect.select)


def without_counting(patch: pytest.MonkeyPatch) -> None:
    post = Account.post

    def stays(account: Account, amount: int, held: int) -> Account:
        return post(account, amount, held)._replace(seq=max(account.seq, 1))

    patch.setattr(Account, "post", stays)


def without_request_hash(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Operation, "request_hash", lambda operation: "the same for all")


def without_lot_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(core.books.lots, "spending_order", lambda lot: lot.seq)


def with_an_instant_more(patch: pytest.MonkeyPatch) -> None:
    def lapsed(lot: Lot, at: datetime) -> bool:
        return lot.expires_at is not None and at > lot.expires_at

    patch.setattr(Lot, "lapsed", lapsed)


@pytest.mark.parametrize(
    ("sabotage", "check"),
    [
        (without_lock, test_committer.test_two_committers_that_change_one_member_at_once_lose_nothing),
        (without_counting, test_batch.test_operations_of_one_member_in_one_batch_see_one_another),
        (
            without_request_hash,
            test_batch.test_a_key_that_was_used_for_another_request_is_refused,
        ),
        (without_lot_order, test_work.test_the_lot_that_expires_soonest_is_spent_first_whenever_it_was_made),
        (with_an_instant_more, test_work.test_a_lot_can_be_spent_until_its_local_midnight_and_not_at_it),
    ],
    ids=["lock", "sequence", "request hash", "lot order", "expiry boundary"],
)
async def test_a_guard_that_is_taken_away_is_missed(
    connected: TortoiseContext, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage, check: Check
) -> None:
    if sabotage is without_lock and connected.db("default").capabilities.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time, and no lock to take away")
    sabotage(monkeypatch)

    async with open_desk() as desk:
        with pytest.raises(AssertionError):
            await check(desk)


async def race(desk: Desk) -> tuple[ById, int]:
    """Two committers spend forty times one of ann's twenty points; how many were told that they had."""
    ann = await desk.enrol("ann")
    await desk.give(ann, 20)
    async with Committer(desk.store, rules(desk.clock), batch_max=1) as other:
        outcomes: list[Any] = await asyncio.gather(
            *(desk.submit(RedeemPoints(**desk.request(ann), points=1)) for _ in range(20)),
            *(other.submit(RedeemPoints(**desk.request(ann), points=1)) for _ in range(20)),
            return_exceptions=True,
        )
    return ann, sum(not isinstance(outcome, Exception) and outcome.accepted for outcome in outcomes)


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no keys"])
async def test_without_the_lock_the_sequences_keys_keep_the_books(
    empty_database: str, apps: Apps, monkeypatch: pytest.MonkeyPatch, keys: bool
) -> None:
    if Database.from_url(empty_database).dialect != "postgres":
        pytest.skip("the one whose keys can be dropped")
    await migrate(empty_database, apps)
    without_lock(monkeypatch)

    async with connect(empty_database, apps) as context, open_desk(batch_max=1) as desk:
        if not keys:
            for table in ("entry", "lot_move"):
                await context.db("default").execute_script(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        ann, told = await race(desk)
        account = await desk.account(ann)
        in_order = await verify(desk.store.reader()) == [] and account.debited == told <= 20

    assert in_order == keys
