"""What is outstanding, by month and in money; and what it costs to find out."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Lot
from core.books.members import bucket_of
from core.errors import UnknownUnit
from core.rulebook.programme import load_programme
from core.scheduling.sweep import sweep
from core.store.dialect import Reader
from core.store.tables import table_of
from core.units import GROWTH, POINTS
from core.value.liability import Liability, Outstanding, liability, worth
from core.value.report import report
from tests.core.committing import BEGIN, PROGRAMME, Desk, open_desk, statements

VALUED = PROGRAMME + 'point_value: "0.005"\nunits: {stars: {expiry: {mode: never}}}\n'
DAY = timedelta(days=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def valued(connected: TortoiseContext) -> AsyncIterator[Desk]:
    async with open_desk(programme=VALUED) as desk:
        yield desk


async def owed(desk: Desk, unit: str = POINTS) -> Liability:
    return await liability(desk.store.reader(), load_programme(VALUED, {}), desk.clock.now(), unit)


@pytest.mark.parametrize(
    ("points", "point_value", "currency", "value"),
    [
        (12_345, "0.01", "CNY", "123.45"),
        (1, "0.005", "CNY", "0.01"),
        (-1, "0.005", "CNY", "-0.01"),
        (299, "0.005", "CNY", "1.50"),
        (100, "0.004999", "CNY", "0.50"),
        (3, "0.5", "JPY", "2"),
        (2**53 - 1, "0.000000001", "CNY", "9007199.25"),
        (9 * 10**17, "123456789012345.123456789", "CNY", "111111110111110611111110100000000.00"),
    ],
)
def test_money_is_exact_and_rounded_once(points: int, point_value: str, currency: str, value: str) -> None:
    assert str(worth(points, Decimal(point_value), currency)) == value


async def test_what_is_outstanding_is_told_by_the_local_month_in_which_it_is_lost(valued: Desk) -> None:
    desk, ann, bob = valued, await valued.enrol("ann"), await valued.enrol("bob")
    # Just before and at the local midnight at which January begins, which is the afternoon of 31 December in UTC.
    turn = datetime(2026, 1, 1, tzinfo=SHANGHAI)
    await desk.give(ann, 1000, earned_at=turn - timedelta(microseconds=1))
    await desk.give(ann, 200, earned_at=turn)
    await desk.give(bob, 30, earned_at=datetime(2025, 2, 28, tzinfo=SHANGHAI))
    await desk.give(bob, 7, pending_days=3)
    await desk.give(ann, 5)
    await desk.redeem(ann, 400)
    await desk.hold(ann, 100, seconds=3600)
    await desk.hold(bob, 10, seconds=60 * 24 * 3600)
    await desk.redeem(ann, 605)

    before = await owed(desk)
    desk.clock.advance(timedelta(hours=1))
    after = await owed(desk)

    assert before.months == {
        date(2026, 2, 1): Outstanding(available=20, held=10),
        date(2026, 12, 1): Outstanding(held=100),
        date(2027, 1, 1): Outstanding(available=100, pending=7),
    }
    assert (before.outstanding, before.debt, before.net) == (Outstanding(120, 7, 110), 0, 237)
    # The hold's time is over, whether or not anybody has released it.
    assert after.months[date(2026, 12, 1)] == Outstanding(available=100)


async def test_debt_stands_apart_and_what_never_expires_comes_last(valued: Desk) -> None:
    desk, ann, bob = valued, await valued.enrol("ann"), await valued.enrol("bob")
    given = await desk.give(ann, 100)
    await desk.redeem(ann, 60)
    await desk.reverse(ann, given)
    await desk.give(bob, 33)
    await desk.give(bob, 9, unit="stars")
    await desk.give(bob, 5, unit=GROWTH)

    points, stars, growth = await owed(desk), await owed(desk, "stars"), await owed(desk, GROWTH)

    assert (points.outstanding.total, points.debt, points.net) == (33, 60, -27)
    assert [str(points.worth(each)) for each in (33, 60, -27)] == ["0.17", "0.30", "-0.14"]
    assert stars.months == {None: Outstanding(available=9)}
    assert (stars.worth(9), growth.worth(5)) == (None, None)
    assert growth.outstanding == Outstanding(available=5)
    with pytest.raises(UnknownUnit):
        await owed(desk, "moons")


async def test_what_lapsed_is_not_outstanding_before_or_after_the_sweep_and_the_report_says_the_same(
    valued: Desk,
) -> None:
    desk, ann = valued, await valued.enrol("ann")
    await desk.give(ann, 500)
    await desk.hold(ann, 120, seconds=60 * 24 * 3600)
    await desk.hold(ann, 80, seconds=3600)
    desk.clock.advance(30 * DAY)
    await desk.give(ann, 40)
    seen = []
    for days in (0, 334, 335, 336):
        desk.clock.set(BEGIN + timedelta(days=30 + days))
        seen.append(await owed(desk))
    await sweep(desk.store.reader(), desk.committer, desk.clock.now(), actor="test")
    figures = (await report(desk.store.reader(), desk.clock.now(), SHANGHAI, [POINTS])).units[POINTS]

    assert await owed(desk) == seen[-1]
    assert seen[-1].outstanding == Outstanding(figures.available, figures.pending, figures.held)
    january, february = date(2027, 1, 1), date(2027, 2, 1)
    assert seen[0].months == {january: Outstanding(available=380, held=120), february: Outstanding(available=40)}
    assert seen[1].months == {january: Outstanding(available=500), february: Outstanding(available=40)}
    assert seen[2].months == seen[3].months == {february: Outstanding(available=40)}


async def looked_at(reader: Reader) -> int:
    """The rows of ``lot`` that the transaction's database has looked at so far."""
    if reader.client.capabilities.dialect == "postgres":
        sql = "SELECT seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'lot'"
        return sum(int(rows) for (rows,) in await reader.query(sql))
    return sum(int(rows) for _, rows in await reader.query("SHOW SESSION STATUS LIKE %s", ["Handler_read%"]))


async def test_it_reads_what_is_outstanding_and_not_what_has_been_spent(valued: Desk) -> None:
    desk, at, table = valued, datetime(2026, 1, 1, tzinfo=UTC), table_of(Lot)
    rows = []
    for number in range(20_000):
        member, left = f"m{number // 100}", 10 if number % 400 == 0 else 0
        lot = Lot(POINTS, number % 100 + 1, "o", "test", 10, left, 0, 0, 0, 0, at, at, at + 900 * DAY)
        rows.append(table.row(bucket_of(member), member, lot))
    async with desk.store.transaction() as writer:
        await writer.insert(table, rows)
    programme = load_programme(VALUED, {})

    async with desk.store.transaction() as reader:
        dialect = reader.client.capabilities.dialect
        await reader.client.execute_script("ANALYZE TABLE lot" if dialect == "mysql" else "ANALYZE lot")
        if dialect == "sqlite":
            with statements() as sent:
                found = await liability(reader, programme, desk.clock.now())
            plans = [str(row) for sql in sent for row in await reader.query(f"EXPLAIN QUERY PLAN {sql}")]
            assert not [plan for plan in plans if "SCAN" in plan and "TEMP" not in plan]
            # Of those of which something is left, and without looking a lot up.
            assert [plan for plan in plans if "SEARCH lot USING COVERING INDEX idx_lot_left (unit=?)" in plan]
        else:
            before = await looked_at(reader)
            found = await liability(reader, programme, desk.clock.now())
            assert await looked_at(reader) - before < 500

    assert found.outstanding == Outstanding(available=500)


async def test_who_looks_for_the_lots_of_a_member_is_not_led_through_those_of_all(valued: Desk) -> None:
    desk, ann = valued, await valued.enrol("ann")
    if desk.store.reader().client.capabilities.dialect != "sqlite":
        pytest.skip("the others go by what they know of the tables")
    await desk.give(ann, 10)
    with statements() as sent:
        await desk.redeem(ann, 3)
    plans: list[object] = []
    for sql in sent:
        if "lot" in sql and sql.startswith("SELECT"):
            plans += await desk.store.reader().query(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))

    searched = [str(plan) for plan in plans if "lot" in str(plan) or " t " in str(plan)]
    assert [plan for plan in searched if "SEARCH" in plan and "bucket=?" in plan]
    assert not [plan for plan in searched if "remaining>?" in plan]
