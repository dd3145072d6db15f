"""What the store answers "no" to."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact
from core.units import Points


class RewardsNotOffered(Refusal):
    """The programme in force has no rewards section."""

    code = "REWARDS_NOT_OFFERED"
    says = "the programme in force at {at} knows no rewards"
    says_zh = "{at} 生效的规则没有兑换礼品"
    at: datetime = fact("The time of the request.")


class RewardNotFound(NotFound):
    """The programme in force has no such reward."""

    code = "REWARD_NOT_FOUND"
    says = "no reward {reward}"
    says_zh = "没有礼品 {reward}"
    reward: str = fact("The reward that was asked for.")


class RewardNotYetOpen(Refusal):
    """The reward can be redeemed only later."""

    code = "REWARD_NOT_YET_OPEN"
    says = "reward {reward} can be redeemed from {opens_at} on"
    says_zh = "礼品 {reward} 自 {opens_at} 起可兑换"
    reward: str = fact("The reward.")
    opens_at: datetime = fact("From when on it can be redeemed.")


class RewardClosed(Refusal):
    """The reward can no longer be redeemed."""

    code = "REWARD_CLOSED"
    says = "reward {reward} could be redeemed until {closed_at}"
    says_zh = "礼品 {reward} 已于 {closed_at} 截止兑换"
    reward: str = fact("The reward.")
    closed_at: datetime = fact("From when on it could not be redeemed any more.")


class RewardOfOtherTier(Refusal):
    """The reward is for members of other tiers."""

    code = "REWARD_OF_OTHER_TIER"
    says = "reward {reward} is for {tiers}, the member is {tier}"
    says_zh = "礼品 {reward} 限 {tiers}，该会员为 {tier}"
    reward: str = fact("The reward.")
    tier: str = fact("The member's tier.")
    tiers: str = fact("The tiers that it is for, with commas between them.")


class RewardLimitReached(Refusal):
    """The member may not have so many of the reward."""

    code = "REWARD_LIMIT_REACHED"
    says = "{asked} of reward {reward} asked for, {limit_left} left by the limit per {period}"
    says_zh = "要兑换 {asked} 件 {reward}，按{period}上限还可兑换 {limit_left} 件"
    reward: str = fact("The reward.")
    period: str = fact("The limit's period: day, month or lifetime.")
    asked: int = fact("How many were asked for.")
    limit_left: int = fact("How many the limit leaves.")
    resets_at: datetime | None = fact("When the period is over; null when it never is.")


class RewardSoldOut(Refusal):
    """There are fewer pieces, or codes, left than were asked for."""

    code = "REWARD_SOLD_OUT"
    says = "{asked} of reward {reward} asked for, {stock_left} left"
    says_zh = "要兑换 {asked} 件 {reward}，仅余 {stock_left} 件"
    reward: str = fact("The reward.")
    asked: int = fact("How many were asked for.")
    stock_left: int = fact("How many are left.")


class RewardPriceChanged(Refusal):
    """The order comes to something else than the caller said."""

    code = "REWARD_PRICE_CHANGED"
    says = "the order comes to {price} points, not to {price_expected}"
    says_zh = "共需 {price} 积分，而非 {price_expected}"
    reward: str = fact("The reward.")
    price_expected: Points = fact("What the caller said.")
    price: Points = fact("What it comes to.")


class RewardOrderNotFound(NotFound):
    """No such order of this member."""

    code = "REWARD_ORDER_NOT_FOUND"
    says = "no reward order {order}"
    says_zh = "没有兑换单 {order}"
    order: str = fact("The order that was asked for.")


class RewardOrderNotOpen(Refusal):
    """The order's status does not allow it."""

    code = "REWARD_ORDER_NOT_OPEN"
    says = "reward order {order} is {status}"
    says_zh = "兑换单 {order} 的状态为 {status}"
    order: str = fact("The order.")
    status: str = fact("requested, fulfilled, delivered or cancelled.")


class RewardHasNoStock(InvalidInput):
    """The reward's pieces, or its codes, are not counted."""

    code = "REWARD_HAS_NO_STOCK"
    says = "reward {reward} has no {what}"
    says_zh = "礼品 {reward} 没有 {what}"
    reward: str = fact("The reward.")
    what: str = fact("stock or codes.")


class VoucherCodeRepeated(InvalidInput):
    """The code was added before, or stands in the request twice. No code was added."""

    code = "VOUCHER_CODE_REPEATED"
    says = "{voucher_code} is a code of reward {reward} already, or is given twice"
    says_zh = "{voucher_code} 已是礼品 {reward} 的券码，或重复给出"
    reward: str = fact("The reward.")
    voucher_code: str = fact("The code.")


REFUSALS: list[type[Refusal]] = [
    RewardsNotOffered,
    RewardNotFound,
    RewardNotYetOpen,
    RewardClosed,
    RewardOfOtherTier,
    RewardLimitReached,
    RewardSoldOut,
    RewardPriceChanged,
    RewardOrderNotFound,
    RewardOrderNotOpen,
    RewardHasNoStock,
    VoucherCodeRepeated,
]
