"""What the lottery answers "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact
from core.units import Points


class LotteryNotOffered(Refusal):
    """The programme in force has no lottery section."""

    code = "LOTTERY_NOT_OFFERED"
    says = "the programme in force at {at} knows no lottery"
    says_zh = "{at} 生效的规则没有抽奖"
    at: datetime = fact("The time of the request.")


class LotteryPoolNotFound(NotFound):
    """The programme in force has no such pool."""

    code = "LOTTERY_POOL_NOT_FOUND"
    says = "no lottery pool {pool}"
    says_zh = "没有奖池 {pool}"
    pool: str = fact("The pool that was asked for.")


class LotteryNotYetOpen(Refusal):
    """The pool can be drawn from only later."""

    code = "LOTTERY_NOT_YET_OPEN"
    says = "pool {pool} can be drawn from at {opens_at} and later"
    says_zh = "奖池 {pool} 自 {opens_at} 起可抽奖"
    pool: str = fact("The pool.")
    opens_at: datetime = fact("From when on it can be drawn from.")


class LotteryClosed(Refusal):
    """The pool can no longer be drawn from."""

    code = "LOTTERY_CLOSED"
    says = "pool {pool} could be drawn from until {closed_at}"
    says_zh = "奖池 {pool} 已于 {closed_at} 截止抽奖"
    pool: str = fact("The pool.")
    closed_at: datetime = fact("From when on it could not be drawn from any more.")


class LotteryOfOtherTier(Refusal):
    """The pool is for members of other tiers."""

    code = "LOTTERY_OF_OTHER_TIER"
    says = "pool {pool} is for {tiers}, the member is {tier}"
    says_zh = "奖池 {pool} 限 {tiers}，该会员为 {tier}"
    pool: str = fact("The pool.")
    tier: str = fact("The member's tier.")
    tiers: str = fact("The tiers that it is for, with commas between them.")


class LotteryLimitReached(Refusal):
    """The member may not draw so often. None of the draws was made."""

    code = "LOTTERY_LIMIT_REACHED"
    says = "{asked} draws from pool {pool} asked for, {limit_left} left by the limit per {period}"
    says_zh = "要在奖池 {pool} 抽 {asked} 次，按{period}上限还可抽 {limit_left} 次"
    pool: str = fact("The pool.")
    period: str = fact("The limit's period: day, month or lifetime.")
    asked: int = fact("How many draws were asked for.")
    limit_left: int = fact("How many the limit leaves.")
    resets_at: datetime | None = fact("When the period is over; null when it never is.")


class LotteryPriceChanged(Refusal):
    """The draws come to something else than the caller said."""

    code = "LOTTERY_PRICE_CHANGED"
    says = "the draws come to {price} points, not to {price_expected}"
    says_zh = "共需 {price} 积分，而非 {price_expected}"
    pool: str = fact("The pool.")
    price_expected: Points = fact("What the caller said.")
    price: Points = fact("What they come to.")


class LotteryNotReady(Refusal):
    """The seed of the pool's period has not been committed to. Ask for the pool first, which does so."""

    code = "LOTTERY_NOT_READY"
    says = "pool {pool} has no seed for {period}"
    says_zh = "奖池 {pool} 在 {period} 没有种子"
    pool: str = fact("The pool.")
    period: str = fact("The period's name.")


class LotteryDrawNotFound(NotFound):
    """No such draw."""

    code = "LOTTERY_DRAW_NOT_FOUND"
    says = "no draw {draw}"
    says_zh = "没有抽奖 {draw}"
    draw: str = fact("The draw that was asked for.")


class LotteryPrizeNotOpen(Refusal):
    """What the draw won is not to be handed over, or not any more."""

    code = "LOTTERY_PRIZE_NOT_OPEN"
    says = "the prize of draw {draw} is {status}"
    says_zh = "抽奖 {draw} 的奖品状态为 {status}"
    draw: str = fact("The draw.")
    status: str = fact("fulfilled, delivered, reversed, or none when there is nothing to hand over.")


class LotterySeedNotRevealed(Refusal):
    """The draw can be verified only when its period is over and the seed has been revealed."""

    code = "LOTTERY_SEED_NOT_REVEALED"
    says = "the seed of pool {pool} is revealed at {reveals_at}"
    says_zh = "奖池 {pool} 的种子将于 {reveals_at} 公布"
    pool: str = fact("The pool.")
    reveals_at: datetime = fact("When it can be verified: minutes after the end of the period.")


REFUSALS: list[type[Refusal]] = [
    LotteryNotOffered,
    LotteryPoolNotFound,
    LotteryNotYetOpen,
    LotteryClosed,
    LotteryOfOtherTier,
    LotteryLimitReached,
    LotteryPriceChanged,
    LotteryNotReady,
    LotteryDrawNotFound,
    LotteryPrizeNotOpen,
    LotterySeedNotRevealed,
]
