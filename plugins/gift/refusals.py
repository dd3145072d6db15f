"""What a gift is answered "no" with, beside what the core says of points."""

from datetime import datetime

from core.errors import InvalidInput, Refusal, fact
from core.units import Points


class GiftsNotOffered(Refusal):
    """The programme in force has no gift section: members give each other nothing."""

    code = "GIFTS_NOT_OFFERED"
    says = "the programme in force at {at} lets members give each other nothing"
    says_zh = "{at} 生效的规则不支持会员互赠"
    at: datetime = fact("The time of the request.")


class GiftReceiverUnavailable(Refusal):
    """Nobody of that name can be given points. Why not, an unknown name or a frozen member, is not told."""

    code = "GIFT_RECEIVER_UNAVAILABLE"
    says = "nobody called {receiver} can be given points"
    says_zh = "无法向 {receiver} 赠送积分"
    receiver: str = fact("Who was to get them.")


class GiftToOneself(InvalidInput):
    """The giver is the receiver."""

    code = "GIFT_TO_ONESELF"
    says = "{receiver} is the member who gives"
    says_zh = "{receiver} 就是赠送人本人"
    receiver: str = fact("Who was to get them.")


class GiftTooSmall(InvalidInput):
    """A gift has more points than that."""

    code = "GIFT_TOO_SMALL"
    says = "a gift has {needed} points or more, not {points}"
    says_zh = "每次至少赠送 {needed} 积分，而非 {points}"
    points: Points = fact("What was to be given.")
    needed: Points = fact("The fewest that can be given.")


class GiftLimitReached(Refusal):
    """The member has given as much as the programme allows, or would with this gift."""

    code = "GIFT_LIMIT_REACHED"
    says = "{limit_left} more points can be given, by the limit for the {period}"
    says_zh = "按{period}上限，还可赠送 {limit_left} 积分"
    period: str = fact("The limit's period: day, month or lifetime.")
    limit_left: int = fact("How many points can still be given.")
    resets_at: datetime | None = fact("When it begins anew; null for a limit for life.")


REFUSALS: list[type[Refusal]] = [
    GiftsNotOffered,
    GiftReceiverUnavailable,
    GiftToOneself,
    GiftTooSmall,
    GiftLimitReached,
]
