"""Key figures in the schema: what all members did in a period, beside the period before."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated, cast

import strawberry

from core.key_figures import guests as core_guests
from core.key_figures.figures import Compared, key_figures
from core.key_figures.periods import Granularity, Period, check, cut
from core.time.calendar import local_day
from graph.context import Info
from graph.figure import Figure
from graph.guest_figures import GuestFigures
from graph.permissions import query
from graph.rule_figures import ChannelGave, RuleGave
from graph.selections import selects
from graph.tokens import Role


@strawberry.enum
class FiguresGranularity(Enum):
    """Into which units of the calendar a period is cut."""

    DAY = strawberry.enum_value(Granularity.DAY, description="Local days.")
    WEEK = strawberry.enum_value(Granularity.WEEK, description="Weeks, which begin on Monday.")
    MONTH = strawberry.enum_value(Granularity.MONTH, description="Calendar months.")
    QUARTER = strawberry.enum_value(Granularity.QUARTER, description="Quarters of the calendar year.")


@strawberry.type
class TierMembers:
    """How many members stand in a tier."""

    tier: str = strawberry.field(description="The tier.")
    members: int = strawberry.field(description="How many stand in it at the end of the period.")


@strawberry.type
class PeriodFigures:
    """The key figures of one period. Money is in the programme's currency; `docs/figures.md` defines each of them."""

    since: date = strawberry.field(description="The first day.")
    until: date = strawberry.field(description="The last day.")
    previous_since: date | None = strawberry.field(
        description="The first day of the period before: as many months before whole months, or as many days."
    )
    members: Figure = strawberry.field(description="Members who had enrolled by the end.")
    new_members: Figure = strawberry.field(description="Members who enrolled.")
    active_earners: Figure = strawberry.field(
        description="Members who earned more points than were taken back of these days, by all members."
    )
    points_issued: Figure = strawberry.field(description="Points that were given by rules and channels.")
    points_redeemed: Figure = strawberry.field(description="Points redeemed, less those given back.")
    points_expired: Figure = strawberry.field(description="Points lost by expiry or forfeit.")
    points_clawed_back: Figure = strawberry.field(description="Points taken back, as for refunds.")
    redemption_rate: Figure = strawberry.field(description="Points redeemed by points issued.")
    expiry_rate: Figure = strawberry.field(description="Points expired by points issued.")
    upgrade_rate: Figure = strawberry.field(description="Steps up the ladder by all members.")
    downgrade_rate: Figure = strawberry.field(description="Steps down the ladder by all members.")
    orders: Figure = strawberry.field(description="Orders that cost something, less those wholly refunded since.")
    revenue: Figure = strawberry.field(
        description="What members paid in money, less refunds on the day of the sale, without what points paid for."
    )
    average_order_value: Figure = strawberry.field(description="Revenue by orders.")
    order_frequency: Figure = strawberry.field(description="Orders by the members who ordered.")
    repurchase_rate: Figure = strawberry.field(
        description="Members who ordered at least twice by those who ordered at least once."
    )
    retention_rate: Figure = strawberry.field(
        description="Of the members who ordered in the period before, those who ordered again."
    )
    lifetime_value: Figure = strawberry.field(description="All revenue until the end by all members.")
    redemption_cost_share: Figure = strawberry.field(
        description="Points redeemed in money by revenue; by nothing where a point has no value."
    )
    benefit_use: Figure = strawberry.field(description="Uses of benefits by all members.")
    complaints: Figure = strawberry.field(description="Tickets opened by all members.")
    tiers: list[TierMembers] = strawberry.field(description="How many members stood in each tier at the end.")
    channels: list[ChannelGave] = strawberry.field(description="What each channel gave, by unit.")
    rules: list[RuleGave] = strawberry.field(
        description="What each rule of a channel gave, by unit, and what took some away: they add up to `channels`."
    )
    _guests: strawberry.Private[core_guests.GuestFigures | None]

    @strawberry.field
    def guests(self) -> GuestFigures:
        """The like of customers who are no members, by the same names, and the members' share of both."""
        assert self._guests is not None, "they were read because they were selected"
        return GuestFigures.of(self._guests)

    @classmethod
    def of(cls, found: Compared, guests: core_guests.GuestFigures | None, currency: str) -> "PeriodFigures":
        now, before = found.now, found.before
        return cls(
            since=now.period.since,
            until=now.period.until,
            previous_since=None if before is None else before.period.since,
            tiers=[TierMembers(tier=tier, members=members) for tier, members in now.tiers.items()],
            channels=[ChannelGave.of(each, currency) for each in now.channels],
            rules=[RuleGave.of_figures(each, currency) for each in now.rules],
            **{
                name: Figure.of(figure, None if before is None else before.figures[name])
                for name, figure in now.figures.items()
            },
            _guests=guests,
        )


@strawberry.type
class KeyFigureQueries:
    """What can be asked about key figures."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def figures(
        self,
        info: Info,
        since: Annotated[date, strawberry.argument(description="The first local day.")],
        until: Annotated[date, strawberry.argument(description="The last local day; later ones have nothing yet.")],
        granularity: Annotated[
            FiguresGranularity | None, strawberry.argument(description="How it is cut; as one period if left out.")
        ] = None,
        compare_to_previous: Annotated[
            bool, strawberry.argument(description="Whether each figure is given of the period before, too.")
        ] = False,
    ) -> list[PeriodFigures]:
        """Key figures of a period, or of each part of it. It costs the days that are asked about, not the history.

        INVALID_VALUE for a period that ends before it begins, begins in the future or before 1900, has more than 3,653
        days or is cut into more than 400 parts.
        """
        context = info.context
        programme = (await context.version()).programme
        period = Period(since, until)
        check(period, local_day(context.now, programme.zone))
        parts = cut(period, None if granularity is None else cast("Granularity", granularity.value))
        versions = (await context.programmes()).versions
        found = await key_figures(
            context.reader, programme, versions, parts, compare=compare_to_previous, kept=context.laurel.kept_figures
        )
        guests: Sequence[core_guests.GuestFigures | None] = [None] * len(found)
        if selects(info, "guests"):
            guests = await core_guests.guest_figures(context.reader, programme.currency, found)
        return [PeriodFigures.of(each, of, programme.currency) for each, of in zip(found, guests, strict=True)]
