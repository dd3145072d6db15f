"""Key figures of periods, on every database."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from core.books.members import ById
from core.books.tallies import ORDERS, SPEND
from core.engine.operations import Operation
from core.engine.work import Work
from core.key_figures.figures import KeyFigures, key_figures
from core.key_figures.kept import Kept
from core.key_figures.periods import Granularity, Period, before, cut
from tests.core.committing import Desk

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))


@dataclass(frozen=True, kw_only=True)
class Buy(Operation):
    """Spend money, as an order would say it, and earn a point for each of its units."""

    channel: ClassVar[str] = "shop"
    kind: ClassVar[str] = "buy"

    cents: int

    async def perform(self, work: Work) -> dict[str, Any]:
        work.count(ORDERS, 1)
        work.count(SPEND, self.cents)
        await work.earn(self.cents // 100)
        return {}


async def buy(desk: Desk, member: ById, cents: int) -> None:
    await desk.accepted(Buy(**desk.request(member), cents=cents))


async def figures_of(desk: Desk, *periods: Period, compare: bool = False, kept: Kept | None = None) -> list[KeyFigures]:
    version = desk.programmes.at(desk.clock.now())
    reader = desk.store.reader()
    found = await key_figures(reader, version.programme, desk.programmes.versions, periods, compare=compare, kept=kept)
    return [one for each in found for one in (each.now, each.before) if one is not None]


def said(found: KeyFigures, *names: str) -> list[tuple[Any, Any]]:
    return [(found.figures[name].numerator, found.figures[name].denominator) for name in names]


async def test_periods_are_added_up_and_compared(desk: Desk) -> None:
    ann, bob, eve = [await desk.enrol(name) for name in ("ann", "bob", "eve")]
    await buy(desk, ann, 1_000_50)
    await buy(desk, ann, 20_00)
    await buy(desk, bob, 5_99)
    desk.clock.advance(timedelta(days=31))
    await buy(desk, ann, 10_00)
    await buy(desk, eve, 10_00)
    await desk.redeem(ann, 100)

    february, january = await figures_of(desk, FEBRUARY, compare=True)

    assert (february.period, january.period) == (FEBRUARY, JANUARY)
    assert said(january, "members", "new_members", "orders", "revenue", "points_issued") == [
        (Decimal(3), None),
        (Decimal(3), None),
        (Decimal(3), None),
        (Decimal("1026.49"), None),
        (Decimal(1025), None),
    ]
    shares = ("active_earners", "order_frequency", "repurchase_rate", "retention_rate", "upgrade_rate")
    assert said(january, *shares) == [(2, 3), (3, 2), (1, 2), (0, 0), (1, 3)]
    assert said(february, *shares) == [(2, 3), (2, 2), (0, 2), (1, 2), (0, 3)]
    assert said(february, "redemption_rate", "lifetime_value") == [(100, 20), (Decimal("1046.49"), 3)]
    assert february.figures["retention_rate"].value == Decimal("0.500000")
    assert january.figures["retention_rate"].value is None
    assert (january.tiers, february.tiers) == ({"regular": 2, "silver": 1},) * 2
    assert [(c.channel, c.unit, c.fired, c.given) for c in january.channels] == [("shop", "points", 3, 1025)]


async def test_parts_are_those_of_the_calendar(desk: Desk) -> None:
    ann = await desk.enrol("ann")
    await buy(desk, ann, 100)

    parts = cut(Period(date(2026, 1, 12), date(2026, 1, 25)), Granularity.DAY)
    found = await figures_of(desk, *parts)

    assert [int(one.figures["orders"].numerator) for one in found] == [0, 0, 0, 1, *[0] * 10]
    assert [int(one.figures["members"].numerator) for one in found] == [0, 0, 0, *[1] * 11]


def test_the_period_before_is_as_many_months_or_as_many_days() -> None:
    assert before(Period(date(2026, 1, 1), date(2026, 3, 31))) == Period(date(2025, 10, 1), date(2025, 12, 31))
    assert before(Period(date(2024, 3, 1), date(2024, 3, 1))) == Period(date(2024, 2, 29), date(2024, 2, 29))
    assert before(Period(date(2026, 1, 15), date(2026, 2, 14))) == Period(date(2025, 12, 15), date(2026, 1, 14))
