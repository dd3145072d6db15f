"""Members by the month in which they joined, on every database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tortoise.context import TortoiseContext

from core.books.members import ByExternalId, ById
from core.key_figures.cohorts import Cohort, cohorts
from core.key_figures.kept import Kept
from core.key_figures.periods import Period
from core.people.membership import EnrolMember
from core.time.calendar import local_day
from core.time.clock import StoppedClock
from tests.core.committing import BEGIN, PROGRAMME, Desk, open_desk, publish, statements
from tests.core.test_key_figures import buy


async def asked(desk: Desk, since: date, until: date, kept: Kept | None = None) -> list[Cohort]:
    programme = desk.programmes.at(desk.clock.now()).programme
    zones = [(version.starts_at, version.programme.zone) for version in desk.programmes.versions]
    today = local_day(desk.clock.now(), programme.zone)
    return await cohorts(desk.store.reader(), programme, zones, Period(since, until), today, kept)


def short(found: list[Cohort]) -> list[tuple[Any, ...]]:
    return [
        (f"{one.month:%m}", one.members, [(m.ordered, m.orders, int(m.revenue), m.points_redeemed) for m in one.months])
        for one in found
    ]


async def test_members_are_followed_from_the_month_in_which_they_joined(desk: Desk) -> None:
    ann, bob = await desk.enrol("ann"), await desk.enrol("bob")
    await buy(desk, ann, 10_00)
    await buy(desk, ann, 20_50)
    # The last minute of January in Shanghai, and the first of February.
    desk.clock.set(datetime(2026, 1, 31, 15, 59, tzinfo=UTC))
    await buy(desk, bob, 5_00)
    desk.clock.set(datetime(2026, 1, 31, 16, 0, tzinfo=UTC))
    eve = await desk.enrol("eve")
    await buy(desk, ann, 1_00)
    spent = await desk.redeem(ann, 20)
    desk.clock.advance(timedelta(days=40))
    await desk.reverse(ann, spent, 5)
    await buy(desk, eve, 7_00)

    january, february, march = await asked(desk, date(2026, 1, 20), date(2026, 3, 1))

    assert short([january, february, march]) == [
        ("01", 2, [(2, 3, 35, 0), (1, 1, 1, 20), (0, 0, 0, -5)]),
        ("02", 1, [(0, 0, 0, 0), (1, 1, 7, 0)]),
        ("03", 0, [(0, 0, 0, 0)]),
    ]
    assert [month.month for month in february.months] == [date(2026, 2, 1), date(2026, 3, 1)]
    assert january.months[0].revenue == Decimal("35.50")
    assert [month.points_earned for month in january.months] == [35, 1, 0]
    # Months still to come have no figures; what was before the first month is another question.
    assert short(await asked(desk, date(2026, 2, 1), date(2027, 1, 1))) == short([february, march])


async def test_months_are_those_of_the_zone_that_was_in_force(connected: TortoiseContext) -> None:
    clock = StoppedClock(BEGIN)
    async with open_desk(clock=clock) as desk:
        moved = PROGRAMME.replace("Asia/Shanghai", "America/New_York")
        # From then on it is January again for half a day.
        await publish(moved, number=2, starts_at=datetime(2026, 1, 31, 17, tzinfo=UTC))
        for number, hour in enumerate((15, 16, 17)):
            clock.set(datetime(2026, 1, 31, hour, 30, tzinfo=UTC))
            await buy(desk, await desk.enrol(f"m{number}"), 1_00)

        found = await asked(desk, date(2026, 1, 1), date(2026, 2, 1))

        # Today it is January, so that February has not come.
        assert short(found) == [("01", 2, [(2, 2, 2, 0)])]
        clock.set(datetime(2026, 2, 1, 12, tzinfo=UTC))
        assert short(await asked(desk, date(2026, 1, 1), date(2026, 2, 1))) == [
            ("01", 2, [(2, 2, 2, 0), (0, 0, 0, 0)]),
            ("02", 1, [(1, 1, 1, 0)]),
        ]


async def test_ten_years_cost_five_statements_and_three_when_nothing_is_new(desk: Desk) -> None:
    long_ago = datetime(2019, 5, 6, tzinfo=UTC)
    await desk.accepted(EnrolMember(**desk.request(ByExternalId("ann")), enrolled_at=long_ago))
    kept = Kept()

    for many in (5, 3):
        with statements() as asked_for:
            found = await asked(desk, date(2016, 2, 1), date(2026, 1, 31), kept)

        assert len(asked_for) == many
        assert len(found) == 120
        assert [one.month for one in found if one.members] == [date(2019, 5, 1)]


async def test_what_is_kept_of_a_month_is_read_anew_when_something_has_changed(desk: Desk) -> None:
    kept = Kept()
    january, until = date(2026, 1, 1), date(2026, 3, 31)
    ann = await desk.enrol("ann")
    await buy(desk, ann, 100_00)
    spent = await desk.redeem(ann, 20)
    desk.clock.advance(timedelta(days=40))

    async def told() -> list[Cohort]:
        found = await asked(desk, january, until, kept)
        assert found == await asked(desk, january, until)
        return found

    assert short(await told())[0] == ("01", 1, [(1, 1, 100, 20), (0, 0, 0, 0)])
    # A month is changed by what is done later: something redeemed is given back, and somebody joins who was there.
    await desk.reverse(ann, spent, 5)
    assert short(await told())[0][2][1] == (0, 0, 0, -5)
    late = EnrolMember(**desk.request(ByExternalId("bob")), enrolled_at=datetime(2026, 1, 6, tzinfo=UTC))
    bob = await desk.accepted(late)
    assert (await told())[0].members == 2
    await buy(desk, ById(str(bob.member_id)), 3_00)
    assert short(await told())[0] == ("01", 2, [(1, 1, 100, 20), (1, 1, 3, -5)])
    # Another question has other numbers for the same months.
    assert short(await asked(desk, date(2026, 2, 1), until, kept)) == [("02", 0, [(0, 0, 0, 0)])]
