"""What buying a tier is answered "no" with."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact
from core.units import Points


class TierPurchaseNotOffered(Refusal):
    """The programme in force has no tier_purchase section, or no tiers."""

    code = "TIER_PURCHASE_NOT_OFFERED"
    says = "the programme in force at {at} sells no tiers"
    says_zh = "{at} 生效的规则不出售等级"
    at: datetime = fact("The time of the request.")


class TierNotForSale(NotFound):
    """There is no such tier, or it has no price."""

    code = "TIER_NOT_FOR_SALE"
    says = "tier {tier} is not for sale; for sale: {tiers}"
    says_zh = "等级 {tier} 不可购买；可购买：{tiers}"
    tier: str = fact("The tier that was asked for.")
    tiers: str = fact("The tiers that are for sale, with commas between them.")


class TierAlreadyReached(Refusal):
    """The member stands on that tier, or above it."""

    code = "TIER_ALREADY_REACHED"
    says = "the member is {tier_reached} already"
    says_zh = "该会员已是 {tier_reached}"
    tier: str = fact("The tier that was asked for.")
    tier_reached: str = fact("The member's tier.")


class TierTooHigh(Refusal):
    """The tier lies further above the member's than one purchase may go."""

    code = "TIER_TOO_HIGH"
    says = "tier {tier} is too far up, {tier_max} is the highest in reach"
    says_zh = "等级 {tier} 过高，最高可购 {tier_max}"
    tier: str = fact("The tier that was asked for.")
    tier_max: str = fact("The highest tier that lies in reach.")


class TierPriceChanged(Refusal):
    """The tier costs another number of points than the caller said."""

    code = "TIER_PRICE_CHANGED"
    says = "it costs {price} points, not {price_expected}"
    says_zh = "需要 {price} 积分，而非 {price_expected}"
    price_expected: Points = fact("What the caller said.")
    price: Points = fact("What it costs.")


class TierNotKept(NotFound):
    """The programme lets nobody keep that tier."""

    code = "TIER_NOT_KEPT"
    says = "tier {tier} cannot be kept; {tiers} can be"
    says_zh = "等级 {tier} 不可保级；可保级：{tiers}"
    tier: str = fact("The tier that was to be kept.")
    tiers: str = fact("The tiers that can be kept, with commas between them.")


class TierNotHeld(Refusal):
    """The member does not stand on the tier that was to be kept."""

    code = "TIER_NOT_HELD"
    says = "the member is {tier_reached}, not {tier}"
    says_zh = "该会员是 {tier_reached}，而非 {tier}"
    tier: str = fact("The tier that was to be kept.")
    tier_reached: str = fact("The member's tier.")


class TierKeptAlready(Refusal):
    """Nothing can lower the member below that tier for so long anyway."""

    code = "TIER_KEPT_ALREADY"
    says = "tier {tier} is kept until {kept_until} already"
    says_zh = "等级 {tier} 已保留至 {kept_until}"
    tier: str = fact("The tier that was to be kept.")
    kept_until: datetime = fact("Until when it is kept.")


REFUSALS: list[type[Refusal]] = [
    TierPurchaseNotOffered,
    TierNotForSale,
    TierAlreadyReached,
    TierTooHigh,
    TierPriceChanged,
    TierNotKept,
    TierNotHeld,
    TierKeptAlready,
]
