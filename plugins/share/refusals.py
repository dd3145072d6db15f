"""What the share channel answers "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact


class SharesNotOffered(Refusal):
    """The programme in force has no share section."""

    code = "SHARES_NOT_OFFERED"
    says = "the programme in force at {at} rewards no shares"
    says_zh = "{at} 生效的规则没有分享奖励"
    at: datetime = fact("The time of the share.")


class AlreadyShared(Refusal):
    """The member has shared the same thing today."""

    code = "ALREADY_SHARED"
    says = "{item} was shared today; again from {resets_at}"
    says_zh = "{item} 今天已分享过；{resets_at} 后可再次分享"
    item: str = fact("What was to be shared.")
    resets_at: datetime | None = fact("When the next day begins.")


class SharesUsedUp(Refusal):
    """The member's shares were rewarded as often as the programme allows."""

    code = "SHARES_USED_UP"
    says = "all shares of the {period} are used up; again from {resets_at}"
    says_zh = "{period}的分享次数已用完；{resets_at} 后可再次分享"
    period: str = fact("The limit that was reached: day, month or lifetime.")
    resets_at: datetime | None = fact("When the period begins anew; null when it is the member's lifetime.")


class TooManySharesOpen(Refusal):
    """As many of the member's shares wait for proof as may at a time."""

    code = "TOO_MANY_SHARES_OPEN"
    says = "{limit} share(s) wait for proof; again from {resets_at}"
    says_zh = "{limit} 次分享待确认；{resets_at} 后可再次分享"
    limit: int = fact("How many shares may wait at a time.")
    resets_at: datetime | None = fact("When the first of them has waited too long.")


class ShareNotFound(NotFound):
    """No share has this code."""

    code = "SHARE_NOT_FOUND"
    says = "no share has the code {share_code}"
    says_zh = "没有分享的码是 {share_code}"
    share_code: str = fact("The code that was given.")


class ShareAlreadyConfirmed(Refusal):
    """The share was confirmed before; it is rewarded once."""

    code = "SHARE_ALREADY_CONFIRMED"
    says = "the share with the code {share_code} was confirmed at {confirmed_at}"
    says_zh = "分享码 {share_code} 已于 {confirmed_at} 确认"
    share_code: str = fact("The code that was given.")
    confirmed_at: datetime | None = fact("When it was confirmed.")


class ShareCodeExpired(Refusal):
    """Nobody came by the code in time."""

    code = "SHARE_CODE_EXPIRED"
    says = "the code {share_code} was good until {expired_at}"
    says_zh = "分享码 {share_code} 的有效期至 {expired_at}"
    share_code: str = fact("The code that was given.")
    expired_at: datetime = fact("The instant from which it proves nothing.")


class OwnVisit(Refusal):
    """The visitor is the member who shared it."""

    code = "OWN_VISIT"
    says = "who shared it proves nothing by coming themselves"
    says_zh = "分享者本人的访问不能作为凭证"
    share_code: str = fact("The code that was given.")


REFUSALS: list[type[Refusal]] = [
    SharesNotOffered,
    AlreadyShared,
    SharesUsedUp,
    TooManySharesOpen,
    ShareNotFound,
    ShareAlreadyConfirmed,
    ShareCodeExpired,
    OwnVisit,
]
