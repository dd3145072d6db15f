"""Cohorts in the schema: members by the month in which they joined, and what they did in each month since."""

from datetime import date
from typing import Annotated

import strawberry

from core.key_figures import cohorts as core_cohorts
from core.key_figures.figures import Figure
from core.key_figures.periods import Period
from core.time.calendar import local_day
from graph.context import Info
from graph.figure import FigureValue
from graph.money import Money
from graph.permissions import query
from graph.scalars import CurrencyCode, Points
from graph.tokens import Role


@strawberry.type
class CohortMonth:
    """What the members of a cohort did in a month."""

    month: date = strawberry.field(description="The first day of the month.")
    after: int = strawberry.field(description="How many months after that of joining; 0 for that one itself.")
    retention: FigureValue = strawberry.field(description="Members of the cohort who ordered by all of its members.")
    orders: int = strawberry.field(description="Their orders, less those wholly refunded since.")
    revenue: Money = strawberry.field(
        description="What they paid in money, less refunds on the day of the sale, without what points paid for."
    )
    points_earned: Points = strawberry.field(
        description="What they earned of points on its days, less what was taken back of it since."
    )
    points_redeemed: Points = strawberry.field(description="What they redeemed of points, less what was given back.")


@strawberry.type
class Cohort:
    """The members who joined in one month."""

    month: date = strawberry.field(description="The first day of the month in which they joined.")
    members: int = strawberry.field(description="How many joined.")
    months: list[CohortMonth] = strawberry.field(
        description="The months from that one on: until the last that was asked about, or the present one."
    )

    @classmethod
    def of(cls, found: core_cohorts.Cohort, currency: str) -> "Cohort":
        return cls(
            month=found.month,
            members=found.members,
            months=[
                CohortMonth(
                    month=one.month,
                    after=after,
                    retention=FigureValue.of(Figure.share(one.ordered, found.members)),
                    orders=one.orders,
                    revenue=Money(amount=one.revenue, currency=CurrencyCode(currency)),
                    points_earned=Points(one.points_earned),
                    points_redeemed=Points(one.points_redeemed),
                )
                for after, one in enumerate(found.months)
            ],
        )


@strawberry.type
class CohortQueries:
    """What can be asked about cohorts."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def cohorts(
        self,
        info: Info,
        since: Annotated[date, strawberry.argument(description="A day of the first month of joining.")],
        until: Annotated[date, strawberry.argument(description="A day of the last; what was done later is left out.")],
    ) -> list[Cohort]:
        """Members by the month in which they joined, and what they did in each month since, the earliest first.

        It costs who joined in the period and what was done in it, not the history. INVALID_VALUE as of `figures`.
        """
        context = info.context
        programme = (await context.version()).programme
        versions = (await context.programmes()).versions
        zones = [(version.starts_at, version.programme.zone) for version in versions]
        today = local_day(context.now, programme.zone)
        found = await core_cohorts.cohorts(
            context.reader, programme, zones, Period(since, until), today, context.laurel.kept_figures
        )
        return [Cohort.of(one, programme.currency) for one in found]
