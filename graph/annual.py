"""A member's year in the schema."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import strawberry

from core.books.accounts import Contra
from core.books.members import TierChange as TierChangeValue
from core.books.tallies import ORDERS, SPEND
from core.channels.annual import CountedInYear, MovedInYear, bounds
from core.errors import InvalidValue
from core.time.calendar import local_day
from core.units import GROWTH, POINTS
from core.value.liability import worth
from graph.context import Info
from graph.money import Money
from graph.phrases import Locale
from graph.scalars import CurrencyCode, Points
from graph.tier import TierChange

if TYPE_CHECKING:
    from graph.member import Member

_EARNED: Final = f"{POINTS}_earned"


@strawberry.type
class AnnualMonth:
    """A month of a member's year, net of refunds."""

    month: int = strawberry.field(description="Its number, from 1.")
    points_earned: Points = strawberry.field(description="The points that were earned.")
    orders: int = strawberry.field(description="The orders that were paid and not wholly refunded.")
    spend: Money = strawberry.field(description="What was paid.")


@strawberry.type
class AnnualCount:
    """How often a member did something in a year."""

    name: str = strawberry.field(description="What was counted: sign_ins, reviews …")
    description: str = strawberry.field(description="What that is, in words.")
    amount: int = strawberry.field(description="How much of it.")


@strawberry.type
class AnnualHighlight:
    """Something of a year that a channel is proud of."""

    channel: str = strawberry.field(description="The channel that tells it: sign_in.")
    name: str = strawberry.field(description="What it is, for machines: longest_streak.")
    amount: int = strawberry.field(description="The number.")
    _titles: strawberry.Private[tuple[str, str]]

    @strawberry.field
    def title(
        self, locale: Annotated[Locale, strawberry.argument(description="The language of the words.")] = Locale.EN
    ) -> str:
        """What the number is, in words for the member."""
        return self._titles[1 if locale is Locale.ZH else 0]


@strawberry.type
class AnnualReport:
    """A member's year in the programme's time zone, or as much of it as has been."""

    year: int = strawberry.field(description="The year.")
    begins_at: datetime = strawberry.field(description="When it began.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    is_over: bool = strawberry.field(description="Whether it is over. Refunds may still change what was counted.")
    earned: Points = strawberry.field(description="The points that were earned, net of refunds.")
    growth_earned: Points = strawberry.field(description="The growth that was earned, net of refunds.")
    spent: Points = strawberry.field(
        description="The points that were redeemed, less what came back of earlier redemptions; 0 if more came back."
    )
    expired: Points = strawberry.field(description="The points that were lost, as written down.")
    saved: Money | None = strawberry.field(
        description="What the redeemed points are worth in money; null where the programme does not say."
    )
    orders: int = strawberry.field(description="The orders that were paid and not wholly refunded.")
    spend: Money = strawberry.field(description="What was paid, net of refunds.")
    months: list[AnnualMonth] = strawberry.field(description="The months in which something of that was counted.")
    best_month: AnnualMonth | None = strawberry.field(
        description="The one in which most was paid, then most points earned; null when there was nothing."
    )
    tier_changes: list[TierChange] = strawberry.field(description="The member's steps through the tiers, in order.")
    counted: list[AnnualCount] = strawberry.field(description="What else was counted, by name.")
    highlights: list[AnnualHighlight] = strawberry.field(description="What channels tell of the year: streaks, badges.")


async def annual_report_of(info: Info, member: "Member", year: int) -> AnnualReport | None:
    """The member's year; None for one before the membership. Raises InvalidValue."""
    programme, now = (await info.context.version()).programme, info.context.now
    zone, currency = programme.zone, programme.currency
    this_year = local_day(now, zone).year
    if year > this_year:
        raise InvalidValue(field="year", reason=f"it lies in the future; this is {this_year}")
    if year < local_day(member.enrolled_at, zone).year:
        return None
    loaders, plugins = info.context.loaders, info.context.laurel.plugins
    recallers = {name: recall for name, recall in plugins.recallers.items() if name in programme.channels}
    counted_in, moved_in = CountedInYear(), MovedInYear()
    # Side by side, so that they are asked for all members of a page together.
    counted, moved, steps, *recalled = await asyncio.gather(
        loaders.ask(counted_in, counted_in.key(member.member_id, year)),
        loaders.ask(moved_in, moved_in.key(member.member_id, POINTS, year, zone)),
        loaders.rows(TierChangeValue, member.member_id),
        *(recall(info, member, year) for recall in recallers.values()),
    )
    counted, moved = counted or {}, moved or {}
    begins_at, ends_at = bounds(year, zone)

    def month(number: int) -> AnnualMonth:
        return AnnualMonth(
            month=number,
            points_earned=Points(counted.get((_EARNED, number), 0)),
            orders=counted.get((ORDERS, number), 0),
            spend=Money.of(counted.get((SPEND, number), 0), currency),
        )

    def total(name: str) -> int:
        return sum(amount for (counted_name, _), amount in counted.items() if counted_name == name)

    told = {_EARNED, ORDERS, SPEND}
    months = [
        month(number) for number in sorted({number for (name, number), amount in counted.items() if name in told})
    ]
    spent = max(-moved.get(Contra.REDEMPTION, 0), 0)
    value = programme.point_value
    names = sorted({name for name, _ in counted} & plugins.countables.keys() - {*told, f"{GROWTH}_earned"})
    return AnnualReport(
        year=year,
        begins_at=begins_at,
        ends_at=ends_at,
        is_over=now >= ends_at,
        earned=Points(total(_EARNED)),
        growth_earned=Points(total(f"{GROWTH}_earned")),
        spent=Points(spent),
        expired=Points(max(-moved.get(Contra.BREAKAGE, 0), 0)),
        saved=None if value is None else Money(amount=worth(spent, value, currency), currency=CurrencyCode(currency)),
        orders=total(ORDERS),
        spend=Money.of(total(SPEND), currency),
        months=months,
        best_month=max(months, key=lambda one: (one.spend.amount, one.points_earned, -one.month), default=None),
        tier_changes=[
            TierChange.of(programme, member.member_id, step)
            for step in sorted(steps, key=lambda step: step.number)
            if step.tier and begins_at <= step.at < ends_at
        ],
        counted=[
            AnnualCount(name=name, description=plugins.countables[name], amount=amount)
            for name in names
            if (amount := total(name))
        ],
        highlights=[
            AnnualHighlight(channel=channel, name=one.name, amount=one.amount, _titles=(one.title, one.title_zh))
            for channel, found in zip(recallers, recalled, strict=True)
            for one in found
        ],
    )
