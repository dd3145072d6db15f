"""What points are worth in the schema: what is outstanding, budgets of what is given, and what redemption costs."""

import asyncio
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

import strawberry

from core.predictions.breakage import Losses, losses
from core.rulebook.budgets import NamedBudget, Period, Purse
from core.store.questions import Rows
from core.time.calendar import local_day
from core.units import POINTS
from core.value.liability import Liability as LiabilityFigures
from core.value.liability import Outstanding, liability
from core.value.redemption_cost import RedemptionCost as RedemptionCostFigures
from core.value.redemption_cost import Standing, last_days, redemption_cost
from graph.context import Info
from graph.money import Money
from graph.permissions import query
from graph.scalars import CurrencyCode, Points
from graph.selections import selects
from graph.tokens import Role


def _money(of: LiabilityFigures, points: int) -> Money | None:
    value = of.worth(points)
    return None if value is None else Money(amount=value, currency=CurrencyCode(of.currency))


def _likely_lost(month: date | None, part: Outstanding, losses: Losses) -> int:
    """What is likely to be lost of what can be lost: since the run some of it may have been spent."""
    return 0 if month is None else min(losses.months.get(month, 0), part.available + part.pending)


@strawberry.type
class LiabilityMonth:
    """What is outstanding and would be lost in one month, or never."""

    month: date | None = strawberry.field(
        description="The first day of the month in which it is lost, in the programme's zone; null for what never is."
    )
    available: Points = strawberry.field(description="What can be spent now.")
    pending: Points = strawberry.field(description="What can be spent only later.")
    held: Points = strawberry.field(description="What is set aside: it may be captured even after the month.")
    total: Points = strawberry.field(description="All three together.")
    value: Money | None = strawberry.field(
        description="The total in money, to the currency's minor unit, a half up; null where a point has no value."
    )

    likely_lost: Points | None = strawberry.field(
        description="What of it members are likely to lose, by how often they redeem: an estimate, and never more than "
        "what is there and not held. Null for other units, and where no run of the predictions has found a model."
    )
    likely_lost_value: Money | None = strawberry.field(
        description="The same in money, to the currency's minor unit, a half up; null where a point has no value."
    )

    @classmethod
    def of(
        cls, whole: LiabilityFigures, month: date | None, part: Outstanding, losses: Losses | None
    ) -> "LiabilityMonth":
        lost = None if losses is None else _likely_lost(month, part, losses)
        return cls(
            likely_lost=None if lost is None else Points(lost),
            likely_lost_value=None if lost is None else _money(whole, lost),
            month=month,
            available=Points(part.available),
            pending=Points(part.pending),
            held=Points(part.held),
            total=Points(part.total),
            value=_money(whole, part.total),
        )


@strawberry.type
class Liability:
    """What all members together could still spend of a unit, at the moment of the request."""

    at: datetime = strawberry.field(description="The moment.")
    unit: str = strawberry.field(description="The unit: points, growth …")
    point_value: Decimal | None = strawberry.field(
        description="What one point is worth in the currency; null for other units, or where the programme is silent."
    )
    months: list[LiabilityMonth] = strawberry.field(
        description="By the month in which it is lost, the earliest first; what is never lost comes last."
    )
    available: Points = strawberry.field(description="What can be spent now.")
    pending: Points = strawberry.field(description="What can be spent only later.")
    held: Points = strawberry.field(description="What is set aside by holds, and may be captured.")
    total: Points = strawberry.field(description="Available, pending and held together.")
    value: Money | None = strawberry.field(
        description="The total in money, rounded once: the months' may differ from it by half a minor unit each."
    )
    debt: Points = strawberry.field(description="What members owe, as they had spent what was taken back.")
    debt_value: Money | None = strawberry.field(description="The debt in money.")
    net: Points = strawberry.field(description="The total less the debt.")
    net_value: Money | None = strawberry.field(description="The net in money.")
    likely_lost: Points | None = strawberry.field(description="What all months together are likely to lose.")
    likely_lost_value: Money | None = strawberry.field(description="The same in money, rounded once.")
    likely_lost_until: date | None = strawberry.field(
        description="The last day that the estimate has looked at; null without one."
    )

    @classmethod
    def of(cls, found: LiabilityFigures, losses: Losses | None) -> "Liability":
        whole = found.outstanding
        lost = (
            None if losses is None else sum(_likely_lost(month, part, losses) for month, part in found.months.items())
        )
        return cls(
            likely_lost=None if lost is None else Points(lost),
            likely_lost_value=None if lost is None else _money(found, lost),
            likely_lost_until=None if losses is None else losses.until,
            at=found.at,
            unit=found.unit,
            point_value=found.point_value,
            months=[LiabilityMonth.of(found, month, part, losses) for month, part in found.months.items()],
            available=Points(whole.available),
            pending=Points(whole.pending),
            held=Points(whole.held),
            total=Points(whole.total),
            value=_money(found, whole.total),
            debt=Points(found.debt),
            debt_value=_money(found, found.debt),
            net=Points(found.net),
            net_value=_money(found, found.net),
        )


@strawberry.enum
class BudgetPeriod(Enum):
    """For how long a budget has to last."""

    DAY = strawberry.enum_value(Period.DAY, description="A day of the programme's time zone.")
    MONTH = strawberry.enum_value(Period.MONTH, description="A calendar month of the programme's time zone.")
    LIFETIME = strawberry.enum_value(Period.LIFETIME, description="For ever.")


@strawberry.enum
class BudgetStatus(Enum):
    """Where a budget stands."""

    OPEN = strawberry.enum_value("open", description="There is enough.")
    LOW = strawberry.enum_value("low", description="The percentage is reached at which somebody is told.")
    EXHAUSTED = strawberry.enum_value("exhausted", description="Nothing is left.")


@strawberry.type
class Budget:
    """What all members together can be given by a rule in the present day or month, or ever."""

    name: str = strawberry.field(description="Its name, as events tell it: purchase:points, campaign:sale618.")
    channel: str = strawberry.field(description="The channel that gives.")
    unit: str = strawberry.field(description="The unit: points, growth …")
    period: BudgetPeriod = strawberry.field(description="For how long it has to last.")
    since: date | None = strawberry.field(description="The first day of the period; null for a lifetime's.")
    limit: Points = strawberry.field(description="The most.")
    used: Points = strawberry.field(description="What was given of it; of a campaign, less what came back.")
    left: Points = strawberry.field(description="What is left; 0 when more was given.")
    alarm_at: int = strawberry.field(description="The percentage of the limit at which budget.low is told.")
    stops: bool = strawberry.field(description="Whether nothing more is given when nothing is left.")
    status: BudgetStatus = strawberry.field(description="Where it stands.")

    @classmethod
    def of(cls, channel: str, budget: NamedBudget, purse: Purse, used: int) -> "Budget":
        status = BudgetStatus.LOW if purse.is_low(used, budget.terms) else BudgetStatus.OPEN
        return cls(
            name=budget.name,
            channel=channel,
            unit=budget.unit,
            period=BudgetPeriod(purse.period),
            since=purse.since,
            limit=Points(purse.most),
            used=Points(used),
            left=Points(max(purse.most - used, 0)),
            alarm_at=budget.terms.alarm_at,
            stops=budget.terms.stops,
            status=BudgetStatus.EXHAUSTED if purse.is_exhausted(used) else status,
        )


async def _budget(info: Info, channel: str, budget: NamedBudget, purse: Purse) -> Budget:
    rows = await info.context.loaders.ask(Rows(purse.model, tuple(purse.key)), tuple(purse.key.values())) or []
    return Budget.of(channel, budget, purse, sum(row.used for row in rows))


@strawberry.enum
class RedemptionCostStanding(Enum):
    """Where the cost of redemption lies by the programme's band."""

    BELOW = strawberry.enum_value(Standing.BELOW, description="Below it: members redeem too little to care.")
    WITHIN = strawberry.enum_value(Standing.WITHIN, description="Within it, its ends included.")
    ABOVE = strawberry.enum_value(Standing.ABOVE, description="Above it: points cost more than was meant.")


@strawberry.type
class RedemptionBand:
    """Between which shares of what members pay the cost of redemption should lie."""

    at_least: Decimal = strawberry.field(description="The lower end: 0.01.")
    at_most: Decimal = strawberry.field(description="The upper end: 0.03.")
    days: int = strawberry.field(description="Over how many whole days it is judged each morning.")


@strawberry.type
class RedemptionCost:
    """What members have redeemed, in money, by what they have paid, in a period of whole local days."""

    since: date = strawberry.field(description="The first day.")
    until: date = strawberry.field(description="The last day.")
    redeemed: Points = strawberry.field(description="The points redeemed, by any channel.")
    given_back: Points = strawberry.field(description="The points that returned of redemptions, on the day they did.")
    net: Points = strawberry.field(description="Redeemed less given back.")
    cost: Money | None = strawberry.field(
        description="The net points in money, to the currency's minor unit, a half up; null where a point has no value."
    )
    revenue: Money = strawberry.field(
        description="What members paid in money, without what points paid for, less refunds on the day of the sale."
    )
    share: Decimal | None = strawberry.field(
        description="The cost by the revenue, to a millionth: 0.031250 is 3.125 %. Null without revenue or value."
    )
    band: RedemptionBand | None = strawberry.field(description="The programme's band; null where it has none.")
    standing: RedemptionCostStanding | None = strawberry.field(
        description="Where it lies; null where there is no band, or nothing was paid and nothing redeemed."
    )

    @classmethod
    def of(cls, found: RedemptionCostFigures) -> "RedemptionCost":
        band, standing, cost = found.band, found.standing, found.cost
        return cls(
            since=found.since,
            until=found.until,
            redeemed=Points(found.redeemed),
            given_back=Points(found.given_back),
            net=Points(found.net),
            cost=None if cost is None else Money(amount=cost, currency=CurrencyCode(found.currency)),
            revenue=Money.of(found.revenue, found.currency),
            share=found.share,
            band=None if band is None else RedemptionBand(at_least=band.at_least, at_most=band.at_most, days=band.days),
            standing=None if standing is None else RedemptionCostStanding(standing),
        )


@strawberry.type
class ValueQueries:
    """What can be asked about the value of points."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def liability(
        self, info: Info, unit: Annotated[str, strawberry.argument(description="The unit.")] = POINTS
    ) -> Liability:
        """What is outstanding now, by month and in money. It costs what is outstanding, not what ever was.

        UNKNOWN_UNIT.
        """
        context = info.context
        programme = (await context.version()).programme
        found = await liability(context.reader, programme, context.now, unit)
        asked = any(selects(info, name) for name in ("months", "likelyLost", "likelyLostValue", "likelyLostUntil"))
        return Liability.of(found, await losses() if asked and unit == POINTS else None)

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def budgets(self, info: Info) -> list[Budget]:
        """The budgets of the programme in force, one for each of their periods, and what is left of them today."""
        context = info.context
        programme = (await context.version()).programme
        today = local_day(context.now, programme.zone)
        found = [
            _budget(info, channel, budget, purse)
            for channel, budget in programme.budgets()
            for purse in budget.purses(today)
        ]
        return list(await asyncio.gather(*found))

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def redemption_cost(
        self,
        info: Info,
        since: Annotated[date | None, strawberry.argument(description="The first day of the period.")] = None,
        until: Annotated[date | None, strawberry.argument(description="The last day of the period.")] = None,
    ) -> RedemptionCost:
        """What redemption cost, as a share of what members paid; over the band's days up to yesterday if left out.

        INVALID_VALUE for a period that ends before it begins, or of more than 366 days.
        """
        context = info.context
        programme = (await context.version()).programme
        first, last = last_days(programme, context.now)
        last = until or last
        first = since or min(first, last)
        return RedemptionCost.of(await redemption_cost(context.reader, programme, first, last))
