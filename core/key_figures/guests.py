"""Key figures of guests, by the same names as those of members, and the members' share of both.

Who of the guests came again is counted by an index of the days that are asked about, as of members. It costs two
statements, however many periods there are, and nobody pays for them who does not ask.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from core.books.tallies import ORDERS, SPEND, day_number
from core.key_figures.aggregates import GUESTS, Daily
from core.key_figures.figures import Compared, Figure, KeyFigures
from core.key_figures.periods import Period, before
from core.models import GuestOrderRow
from core.money import money
from core.store.dialect import Reader
from core.store.tables import table_of

_SUMS: Final = (
    "SELECT k.k0, t.part, SUM(t.amount) FROM {keys} {join} daily_aggregate t"
    f" ON t.name = '{GUESTS}' AND t.day BETWEEN k.k1 AND k.k2 GROUP BY k.k0, t.part"
)
# Of each guest who is known the orders of the period, and of the one before.
_BUYERS: Final = (
    "SELECT k0, SUM(bought), SUM(CASE WHEN bought > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN bought > 1 THEN 1 ELSE 0 END),"
    " SUM(CASE WHEN formerly > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN formerly > 0 AND bought > 0 THEN 1 ELSE 0 END)"
    " FROM (SELECT k.k0 AS k0, SUM(CASE WHEN t.day >= k.k2 THEN t.orders ELSE 0 END) AS bought,"
    " SUM(CASE WHEN t.day < k.k2 THEN t.orders ELSE 0 END) AS formerly"
    " FROM {keys} {join} guest_order t ON t.customer IS NOT NULL AND t.day BETWEEN k.k1 AND k.k3"
    " GROUP BY k.k0, t.customer) b GROUP BY k0"
)


class GuestFigures(NamedTuple):
    """The figures of guests of a period by name, and of the period before where they were asked for."""

    now: Mapping[str, Figure]
    before: Mapping[str, Figure] | None


class _Buyers(NamedTuple):
    """Guests who are known: their orders, how many they are, and how many came again, in the period or from before."""

    orders: int = 0
    ordered: int = 0
    again: int = 0
    former: int = 0
    kept: int = 0


async def guest_figures(reader: Reader, currency: str, found: Sequence[Compared]) -> list[GuestFigures]:
    """The figures of guests beside those that were found of members."""
    members = {of.period: of for each in found for of in (each.now, each.before) if of is not None}
    asked = list(members)
    numbered = [(number, day_number(p.since), day_number(p.until)) for number, p in enumerate(asked)]
    sums: defaultdict[tuple[int, str], int] = defaultdict(int)
    for number, part, amount in await reader.look_up(_SUMS, table_of(Daily), ("day",) * 3, numbered):
        sums[number, part] = int(amount)
    with_former = [(number, day_number(before(asked[number]).since), first, last) for number, first, last in numbered]
    buyers: dict[int, _Buyers] = {}
    table = table_of(GuestOrderRow)
    for number, *counted in await reader.look_up(_BUYERS, table, ("day",) * 4, with_former):
        buyers[number] = _Buyers(*map(int, counted))
    made: dict[Period, Mapping[str, Figure]] = {
        period: _figures(
            members[period],
            sums[number, ORDERS],
            money(sums[number, SPEND], currency),
            buyers.get(number, _Buyers()),
        )
        for number, period in enumerate(asked)
    }
    return [
        GuestFigures(made[each.now.period], None if each.before is None else made[each.before.period]) for each in found
    ]


def _figures(members: KeyFigures, orders: int, revenue: Decimal, buyers: _Buyers) -> dict[str, Figure]:
    of_members = {name: members.figures[name].numerator for name in ("orders", "revenue")}
    return {
        "orders": Figure(Decimal(orders)),
        "revenue": Figure(revenue),
        "average_order_value": Figure(revenue, Decimal(orders)),
        "order_frequency": Figure(Decimal(buyers.orders), Decimal(buyers.ordered)),
        "repurchase_rate": Figure(Decimal(buyers.again), Decimal(buyers.ordered)),
        "retention_rate": Figure(Decimal(buyers.kept), Decimal(buyers.former)),
        "members_order_share": Figure(of_members["orders"], of_members["orders"] + orders),
        "members_revenue_share": Figure(of_members["revenue"], of_members["revenue"] + revenue),
    }
