"""What a bid, or the end of an auction, is answered "no" with."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact
from core.units import Points


class AuctionsNotOffered(Refusal):
    """The programme in force has no auction section."""

    code = "AUCTIONS_NOT_OFFERED"
    says = "the programme in force at {at} has no auctions"
    says_zh = "{at} 生效的规则没有竞拍"
    at: datetime = fact("The time of the request.")


class AuctionNotFound(NotFound):
    """The programme in force has no such auction."""

    code = "AUCTION_NOT_FOUND"
    says = "no auction {auction}"
    says_zh = "没有竞拍 {auction}"
    auction: str = fact("The auction that was asked for.")


class AuctionNotYetOpen(Refusal):
    """The auction takes bids only later."""

    code = "AUCTION_NOT_YET_OPEN"
    says = "auction {auction} takes bids from {opens_at} on"
    says_zh = "竞拍 {auction} 自 {opens_at} 起接受出价"
    auction: str = fact("The auction.")
    opens_at: datetime = fact("From when on it takes bids.")


class AuctionClosed(Refusal):
    """The auction takes no bids any more."""

    code = "AUCTION_CLOSED"
    says = "auction {auction} took bids until {closed_at}"
    says_zh = "竞拍 {auction} 已于 {closed_at} 截止出价"
    auction: str = fact("The auction.")
    closed_at: datetime = fact("From when on it took no more.")


class AuctionOfOtherTier(Refusal):
    """The auction is for members of other tiers."""

    code = "AUCTION_OF_OTHER_TIER"
    says = "auction {auction} is for {tiers}, the member is {tier}"
    says_zh = "竞拍 {auction} 限 {tiers}，该会员为 {tier}"
    auction: str = fact("The auction.")
    tier: str = fact("The member's tier.")
    tiers: str = fact("The tiers that it is for, with commas between them.")


class BidTooLow(InvalidInput):
    """The bid does not outbid the highest one, or is less than the first must be."""

    code = "BID_TOO_LOW"
    says = "auction {auction} takes bids of {needed} points or more now, not {points}"
    says_zh = "竞拍 {auction} 目前至少出价 {needed} 积分，而非 {points}"
    auction: str = fact("The auction.")
    points: Points = fact("What was bid.")
    needed: Points = fact("The lowest bid there can be now.")


class AuctionSettled(Refusal):
    """The auction was closed or cancelled before."""

    code = "AUCTION_SETTLED"
    says = "auction {auction} is {state}"
    says_zh = "竞拍 {auction} 的状态为 {state}"
    auction: str = fact("The auction.")
    state: str = fact("closed or cancelled.")


class AuctionStillOpen(Refusal):
    """The auction takes bids yet, so nobody has won it."""

    code = "AUCTION_STILL_OPEN"
    says = "auction {auction} takes bids until {closes_at}"
    says_zh = "竞拍 {auction} 在 {closes_at} 前仍接受出价"
    auction: str = fact("The auction.")
    closes_at: datetime = fact("Until when it takes bids.")


class AuctionWithoutBids(Refusal):
    """There is no bid in the auction, so that nobody wins and nothing is given back."""

    code = "AUCTION_WITHOUT_BIDS"
    says = "auction {auction} has no bid"
    says_zh = "竞拍 {auction} 无人出价"
    auction: str = fact("The auction.")


class AuctionOutbidMeanwhile(Refusal):
    """Another bid became the highest while the auction was being ended. Ask again."""

    code = "AUCTION_OUTBID_MEANWHILE"
    says = "auction {auction} got a higher bid meanwhile"
    says_zh = "竞拍 {auction} 在此期间有了更高出价"
    auction: str = fact("The auction.")


REFUSALS: list[type[Refusal]] = [
    AuctionsNotOffered,
    AuctionNotFound,
    AuctionNotYetOpen,
    AuctionClosed,
    AuctionOfOtherTier,
    BidTooLow,
    AuctionSettled,
    AuctionStillOpen,
    AuctionWithoutBids,
    AuctionOutbidMeanwhile,
]
