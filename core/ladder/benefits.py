"""What a tier brings, as whoever shows tiers sees it: benefits of any channel, each with its terms.

A channel says what it brings to the members of a tier (``ChannelSettings.brings``); nobody needs to know the channel.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.rulebook.programme import Programme


class BenefitKind(StrEnum):
    """What kind of thing a benefit is."""

    DISCOUNT = "discount"
    MEMBER_DAY = "member_day"
    FREE_SHIPPING = "free_shipping"
    POINTS_MULTIPLIER = "points_multiplier"
    REWARD_PRICE = "reward_price"
    COUPON = "coupon"
    GIFT = "gift"
    EARLY_ACCESS = "early_access"
    SERVICE = "service"
    PARTNER = "partner"
    GROUP = "group"


class BenefitPeriod(StrEnum):
    """In which time a benefit can be had so many times: local months and years of the calendar, or ever."""

    MONTH = "month"
    YEAR = "year"
    MEMBERSHIP = "membership"


class BirthdayWindow(StrEnum):
    """When a benefit of birthdays can be had."""

    DAY = "day"
    MONTH = "month"


class Benefit(NamedTuple):
    """A benefit with the terms that it has for a tier.

    ``price`` is the share that is paid, ``factor`` what points are multiplied with; money is in minor units. Without a
    ``quota`` it can be had any number of times. ``month_days`` are the days of each month on which it can be had.
    """

    channel: str
    id: str
    name: str
    kind: BenefitKind
    per: BenefitPeriod | None = None
    quota: int | None = None
    price: Decimal | None = None
    factor: Decimal | None = None
    least_order: int | None = None
    amount_max: int | None = None
    coupons: tuple[str, ...] = ()
    points: int | None = None
    month_days: tuple[int, ...] = ()
    birthday: BirthdayWindow | None = None
    hours_ahead: int | None = None
    partner: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@lru_cache(maxsize=256)
def brought_by(programme: "Programme", tier: str) -> Sequence[Benefit]:
    """All that the members of a tier have, channel by channel."""
    return tuple(
        benefit
        for _, settings in sorted(programme.channels.items(), key=lambda item: item[0])
        for benefit in settings.brings(programme, tier)
    )


def gained(programme: "Programme", former: str, tier: str) -> Sequence[Benefit]:
    """What the members of a tier have that those of a former one have not, or not on these terms."""
    had = set(brought_by(programme, former))
    return tuple(benefit for benefit in brought_by(programme, tier) if benefit not in had)
