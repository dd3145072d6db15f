"""What benefits are answered "no" with."""

from datetime import date, datetime
from decimal import Decimal

from core.errors import InvalidInput, NotFound, Refusal, fact

_BENEFIT = "The benefit, by its id in the programme."


class BenefitsNotOffered(Refusal):
    """The programme in force has no benefit section."""

    code = "BENEFITS_NOT_OFFERED"
    says = "the programme in force at {at} has no benefits"
    says_zh = "{at} 生效的规则没有会员权益"
    at: datetime = fact("The time of the request.")


class BenefitNotFound(NotFound):
    """The programme in force has no such benefit."""

    code = "BENEFIT_NOT_FOUND"
    says = "the programme has no benefit {benefit}"
    says_zh = "规则中没有权益 {benefit}"
    benefit: str = fact("The benefit that was asked for.")


class BenefitNotForUse(InvalidInput):
    """The benefit is nothing that is used so: coupons are collected, and points are multiplied by themselves."""

    code = "BENEFIT_NOT_FOR_USE"
    says = "{benefit} is of the kind {benefit_kind}, which is not for that"
    says_zh = "权益 {benefit} 的类型为 {benefit_kind}，不能这样使用"
    benefit: str = fact(_BENEFIT)
    benefit_kind: str = fact("Its kind.")


class BenefitOfOtherTier(Refusal):
    """Members of this tier do not have the benefit."""

    code = "BENEFIT_OF_OTHER_TIER"
    says = "{benefit} is for {tiers}, not for {tier}"
    says_zh = "权益 {benefit} 仅限等级 {tiers}，当前等级为 {tier}"
    benefit: str = fact(_BENEFIT)
    tier: str = fact("The member's tier.")
    tiers: str = fact("The tiers that it is for, with commas between them.")


class BenefitNotYetOpen(Refusal):
    """There is no such benefit before then."""

    code = "BENEFIT_NOT_YET_OPEN"
    says = "{benefit} begins at {opens_at}"
    says_zh = "权益 {benefit} 自 {opens_at} 起开放"
    benefit: str = fact(_BENEFIT)
    opens_at: datetime = fact("When it begins.")


class BenefitLapsed(Refusal):
    """There is no such benefit any more."""

    code = "BENEFIT_LAPSED"
    says = "{benefit} could be used until {expired_at}"
    says_zh = "权益 {benefit} 已于 {expired_at} 失效"
    benefit: str = fact(_BENEFIT)
    expired_at: datetime = fact("From when on it could not be used any more.")


class BenefitNotToday(Refusal):
    """The benefit can be had on certain days, and this is none of them."""

    code = "BENEFIT_NOT_TODAY"
    says = "{benefit} can be had on {opens_on} next"
    says_zh = "权益 {benefit} 今天不可用，下一个可用日为 {opens_on}"
    benefit: str = fact(_BENEFIT)
    opens_on: date = fact("The next day on which it can be had, in the programme's time zone.")


class BenefitBirthdayUnknown(Refusal):
    """The benefit is one of birthdays, and the member's is not known."""

    code = "BENEFIT_BIRTHDAY_UNKNOWN"
    says = "{benefit} is for birthdays, and the member's is not known"
    says_zh = "权益 {benefit} 为生日权益，会员生日未知"
    benefit: str = fact(_BENEFIT)


class BenefitUsedUp(Refusal):
    """The benefit was used as often as it can be in this period."""

    code = "BENEFIT_USED_UP"
    says = "{benefit} was used {times_used} times of {quota}"
    says_zh = "权益 {benefit} 本期可用 {quota} 次，已用 {times_used} 次"
    benefit: str = fact(_BENEFIT)
    quota: int = fact("How often it can be used in the period.")
    times_used: int = fact("How often it was.")
    resets_at: datetime | None = fact("When the next period begins; null when there is none.")


class BenefitAlreadyUsed(Refusal):
    """The order has had that benefit before, or another one off its price, or off its shipping."""

    code = "BENEFIT_ALREADY_USED"
    says = "{benefit} was used with {order} at {used_at}"
    says_zh = "订单 {order} 已于 {used_at} 使用权益 {benefit}"
    benefit: str = fact("The benefit that was used, by its id in the programme.")
    order: str = fact("What it was used with.")
    used_at: datetime = fact("When it was.")


class BenefitOrderTooSmall(Refusal):
    """The order comes to less than the benefit asks for."""

    code = "BENEFIT_ORDER_TOO_SMALL"
    says = "the order comes to {amount}, {benefit} asks for {least_order}"
    says_zh = "订单金额为 {amount}，权益 {benefit} 要求至少 {least_order}"
    benefit: str = fact(_BENEFIT)
    amount: Decimal = fact("What the order comes to.")
    least_order: Decimal = fact("What it has to come to.")


class BenefitWorthNothing(Refusal):
    """The benefit would take nothing off the order, so that it is not used up for it."""

    code = "BENEFIT_WORTH_NOTHING"
    says = "{benefit} takes nothing off this order"
    says_zh = "权益 {benefit} 对该订单没有优惠，未予使用"
    benefit: str = fact(_BENEFIT)


class BenefitUseNotFound(NotFound):
    """The benefit was not used with that, or its use was undone."""

    code = "BENEFIT_USE_NOT_FOUND"
    says = "{benefit} is not used with {order}"
    says_zh = "权益 {benefit} 未用于 {order}"
    benefit: str = fact(_BENEFIT)
    order: str = fact("What it was to have been used with.")


REFUSALS: list[type[Refusal]] = [
    BenefitsNotOffered,
    BenefitNotFound,
    BenefitNotForUse,
    BenefitOfOtherTier,
    BenefitNotYetOpen,
    BenefitLapsed,
    BenefitNotToday,
    BenefitBirthdayUnknown,
    BenefitUsedUp,
    BenefitAlreadyUsed,
    BenefitOrderTooSmall,
    BenefitWorthNothing,
    BenefitUseNotFound,
]
