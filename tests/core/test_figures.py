"""What the database adds up is what the values say, for lots in every state and at every boundary."""

import importlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.books.accounts import Account
from core.books.figures import BALANCES, Balance, Balances, Totals
from core.books.holds import Hold, HoldLot, without_overdue
from core.books.lots import Lot
from core.books.members import ById, bucket_of
from core.channels.redemption import HoldPoints, RedeemPoints
from core.oversight.verify import verify
from core.store import Store
from core.store.databases import Tables, connect
from core.store.migrating import migrate
from core.store.questions import Rows
from core.store.tables import table_of
from core.units import GROWTH, POINTS
from tests.core.committing import BEGIN, Desk, Give, statements

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


async def busy_member(desk: Desk) -> str:
    """Lots that are spent, held, pending and lapsed, holds that are open and overdue, and a second unit."""
    member = await desk.enrol("anna")
    for points in (40, 30):
        await desk.accepted(Give(**desk.request(member), points=points))
    await desk.accepted(Give(**desk.request(member), points=7, unit=GROWTH))
    desk.clock.set(BEGIN + 200 * DAY)
    await desk.accepted(Give(**desk.request(member), points=25, pending_days=14))
    await desk.accepted(HoldPoints(**desk.request(member), points=50, seconds=600, reference="cart"))
    await desk.accepted(HoldPoints(**desk.request(member), points=5, seconds=90 * 24 * 3600, reference="trip"))
    await desk.accepted(RedeemPoints(**desk.request(member), points=3, reference="tea"))
    assert isinstance(member, ById)
    return member.id


async def said_by_values(desk: Desk, member_id: str, at: datetime) -> dict[str, Balance]:
    """The balances by unit, of the rows themselves."""
    reader = desk.store.reader()

    async def rows(kind: type, where: str = "") -> Sequence[Any]:
        key = bucket_of(member_id), member_id
        return (await Rows(kind, ("bucket", "member_id"), where).answer(reader, [key])).get(key, [])

    lots: list[Lot] = without_overdue(await rows(Lot), await rows(Hold, "state = 'open'"), await rows(HoldLot), at)
    said = {}
    for account in await rows(Account):
        mine = [lot for lot in lots if lot.unit == account.unit and lot.remaining]
        expiries = [lot.expires_at for lot in mine if lot.expires_at is not None and lot.free(at)]
        soonest = min(expiries, default=None)
        said[account.unit] = Balance(
            available=sum(lot.free(at) for lot in mine),
            pending=sum(lot.remaining - lot.held for lot in mine if at < lot.available_from and not lot.lapsed(at)),
            held=sum(lot.held for lot in mine),
            debt=account.debt,
            expiring=sum(lot.free(at) for lot in mine if lot.expires_at == soonest),
            expires_at=soonest,
        )
    return said


async def test_balances_are_those_of_the_lots_at_every_instant(desk: Desk) -> None:
    member_id = await busy_member(desk)
    acted, lots = BEGIN + 200 * DAY, await Rows(Lot, ("member_id",)).answer(desk.store.reader(), [(member_id,)])
    turns = {acted, acted + 600 * timedelta(seconds=1), acted + 90 * DAY}
    turns |= {at for lot in lots[member_id,] for at in (lot.available_from, lot.expires_at) if at is not None}
    instants = [at + step for at in sorted(turns) for step in (-MICROSECOND, timedelta(), MICROSECOND)]
    instants = [at for at in instants if at >= acted]
    keys = [Balances.key(member_id, unit, at) for at in instants for unit in (POINTS, GROWTH)]

    answer = await BALANCES.answer(desk.store.reader(), keys)

    expected = {}
    for at in instants:
        for unit, balance in (await said_by_values(desk, member_id, at)).items():
            expected[Balances.key(member_id, unit, at)] = balance
    assert answer == expected
    soonest = lots[member_id,][0].expires_at
    points, growth = (answer[Balances.key(member_id, unit, acted)] for unit in (POINTS, GROWTH))
    assert points == Balance(available=12, pending=25, held=55, expiring=12, expires_at=soonest)
    assert points.total == 92
    assert growth == Balance(available=7, expiring=7, expires_at=soonest)


async def test_where_nothing_happened_nothing_is_known(desk: Desk) -> None:
    member = await desk.enrol("anna")
    assert isinstance(member, ById)
    known, *unknown = [
        Balances.key(who, unit, BEGIN) for who, unit in ((member.id, POINTS), (member.id, "miles"), ("nobody", POINTS))
    ]

    assert await BALANCES.answer(desk.store.reader(), [known, *unknown]) == {known: Balance()}


async def test_totals_begin_with_their_day(desk: Desk) -> None:
    member = await desk.enrol("anna")
    for points, days in ((10, 0), (20, 1), (30, 40)):
        desk.clock.set(BEGIN + days * DAY)
        await desk.accepted(Give(**desk.request(member), points=points))
    assert isinstance(member, ById)
    firsts = (0, 20260115, 20260116, 20260224, 20260225)
    keys = Totals.keys(member.id, [("points_earned", day) for day in firsts])

    answer = await Totals().answer(desk.store.reader(), [*keys, *Totals.keys(member.id, [("orders", 0)])])

    assert answer == dict(zip(keys[:4], (60, 60, 50, 30), strict=True))


async def test_a_members_lots_are_found_by_their_key_and_not_among_all_that_are_open(tmp_path: Path) -> None:
    """Without figures of its own SQLite would take an index of all members' open lots for it."""
    apps = {"core": Tables(("core.models",), "core.migrations")}
    url = f"sqlite://{tmp_path / 'empty.sqlite3'}"
    await migrate(url, apps)
    async with connect(url, apps):
        reader = Store().reader()
        with statements() as sent:
            for kind, by in ((Lot, ("bucket", "member_id", "unit")), (Lot, ("bucket", "member_id"))):
                await reader.select(table_of(kind), by, [(1, "ann", POINTS)[: len(by)]], "remaining > 0")
            await reader.select(table_of(Hold), ("bucket", "member_id"), [(1, "ann")], "state = 'open'")
            key = Balances.key("ann", POINTS, BEGIN)
            await BALANCES.settle(reader, {key: None})
        plans = [await reader.query(f"EXPLAIN QUERY PLAN {sql}", ["[]"]) for sql in sent]

    for plan in plans:
        steps = [str(row[3]) for row in plan]
        assert [step for step in steps if step.startswith("SEARCH t USING PRIMARY KEY (bucket=? AND member_id=?")], (
            steps
        )


async def test_accounts_from_before_they_said_it_are_told_by_the_migration(desk: Desk) -> None:
    member_id = await busy_member(desk)
    moments = (BEGIN + 200 * DAY, BEGIN + 214 * DAY, BEGIN + 300 * DAY)
    keys = [Balances.key(member_id, unit, at) for at in moments for unit in (POINTS, GROWTH)]
    said = await BALANCES.answer(desk.store.reader(), keys)
    accounts = await desk.rows(Account, ById(member_id))

    async with desk.store.transaction() as writer:
        await writer.query("UPDATE account SET pending = 0, expiring = 0, expires_at = NULL")
        await importlib.import_module("core.migrations.0027_balances_said").add_up(None, writer)

    assert await desk.rows(Account, ById(member_id)) == accounts
    assert {account.unit: account.pending for account in accounts} == {POINTS: 25, GROWTH: 0}
    assert await BALANCES.answer(desk.store.reader(), keys) == said
    assert await verify(desk.store.reader()) == []
