"""Benefits: what a tier brings, whichever channel it is of."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from core.ladder import benefits
from core.rulebook.programme import Programme
from graph.money import Money
from graph.scalars import Points


@strawberry.enum
class BenefitKind(Enum):
    """What kind of thing a benefit is."""

    DISCOUNT = strawberry.enum_value("discount", description="A part of the price of orders.")
    MEMBER_DAY = strawberry.enum_value("member_day", description="A part of the price, on certain days of each month.")
    FREE_SHIPPING = strawberry.enum_value("free_shipping", description="Orders are sent for nothing.")
    POINTS_MULTIPLIER = strawberry.enum_value("points_multiplier", description="What is done brings more points.")
    REWARD_PRICE = strawberry.enum_value("reward_price", description="Rewards cost fewer points.")
    COUPON = strawberry.enum_value("coupon", description="Coupons, once in each period.")
    GIFT = strawberry.enum_value("gift", description="A gift: something that is handed over, or points.")
    EARLY_ACCESS = strawberry.enum_value("early_access", description="What is new can be had before others have it.")
    SERVICE = strawberry.enum_value("service", description="A service of their own: an adviser, a hotline.")
    PARTNER = strawberry.enum_value("partner", description="Something that a partner gives.")
    GROUP = strawberry.enum_value("group", description="A group of members that one may belong to.")


@strawberry.enum
class BenefitPeriod(Enum):
    """In which time a benefit can be had so many times; what was not used by the end of it lapses."""

    MONTH = strawberry.enum_value("month", description="A month of the calendar, in the programme's time zone.")
    YEAR = strawberry.enum_value("year", description="A year of the calendar, in the programme's time zone.")
    MEMBERSHIP = strawberry.enum_value("membership", description="As long as the membership lasts.")


@strawberry.enum
class BirthdayWindow(Enum):
    """When a benefit of birthdays can be had."""

    DAY = strawberry.enum_value("day", description="On the birthday.")
    MONTH = strawberry.enum_value("month", description="In the month of the birthday.")


@strawberry.type
class Benefit:
    """Something that members of a tier have, with the terms that it has for that tier."""

    channel: str = strawberry.field(description="The channel that it is of.")
    code: str = strawberry.field(description="Its id in the programme.")
    name: str = strawberry.field(description="What members call it.")
    kind: BenefitKind = strawberry.field(description="What kind of thing it is.")
    period: BenefitPeriod | None = strawberry.field(description="The time that the quota is for; null without one.")
    quota: int | None = strawberry.field(description="How often it can be had in a period; null for always.")
    price: Decimal | None = strawberry.field(description="The share of the price that is paid: 0.95 for 5 % off.")
    factor: Decimal | None = strawberry.field(description="What points are multiplied with.")
    least_order: Money | None = strawberry.field(description="What an order has to come to; null for any order.")
    amount_max: Money | None = strawberry.field(description="The most that it takes off an order; null for no limit.")
    coupons: list[str] = strawberry.field(description="The coupons that it brings, by their ids in the programme.")
    points: Points | None = strawberry.field(description="The points that it brings, where it brings some.")
    month_days: list[int] = strawberry.field(
        description="The days of each month on which it can be had, the last where there is no such day; empty for any."
    )
    birthday: BirthdayWindow | None = strawberry.field(description="When, if it is one of birthdays.")
    hours_ahead: int | None = strawberry.field(description="How many hours before others, for early access.")
    partner: str | None = strawberry.field(description="Who gives it, where that is a partner.")
    opens_at: datetime | None = strawberry.field(description="From when on there is such a benefit; null for always.")
    closes_at: datetime | None = strawberry.field(description="From when on there is none any more; null for never.")

    @classmethod
    def of(cls, programme: Programme, value: benefits.Benefit) -> "Benefit":
        def money(minor: int | None) -> Money | None:
            return None if minor is None else Money.of(minor, programme.currency)

        return cls(
            channel=value.channel,
            code=value.id,
            name=value.name,
            kind=BenefitKind(value.kind.value),
            period=None if value.per is None else BenefitPeriod(value.per.value),
            quota=value.quota,
            price=value.price,
            factor=value.factor,
            least_order=money(value.least_order),
            amount_max=money(value.amount_max),
            coupons=list(value.coupons),
            points=None if value.points is None else Points(value.points),
            month_days=list(value.month_days),
            birthday=None if value.birthday is None else BirthdayWindow(value.birthday.value),
            hours_ahead=value.hours_ahead,
            partner=value.partner,
            opens_at=value.since,
            closes_at=value.until,
        )
