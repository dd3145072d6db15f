"""What the referral channel answers "no" to."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact


class ReferralNotOffered(Refusal):
    """The programme in force has no referral section."""

    code = "REFERRAL_NOT_OFFERED"
    says = "the programme in force at {at} knows no referrals"
    says_zh = "{at} 生效的规则没有邀请奖励"
    at: datetime = fact("The time of the request.")


class ReferralCodeMalformed(InvalidInput):
    """The text cannot be a referral code: a letter is missing, or wrong."""

    code = "REFERRAL_CODE_MALFORMED"
    says = "{referral_code} is not a referral code"
    says_zh = "{referral_code} 不是邀请码"
    referral_code: str = fact("The code as it was given.")


class ReferralCodeNotFound(NotFound):
    """Nobody has this referral code."""

    code = "REFERRAL_CODE_NOT_FOUND"
    says = "nobody has the referral code {referral_code}"
    says_zh = "没有人的邀请码是 {referral_code}"
    referral_code: str = fact("The code that was given.")


class ReferralCodeExpired(Refusal):
    """The referral code is not valid any more; its member can renew it."""

    code = "REFERRAL_CODE_EXPIRED"
    says = "the referral code {referral_code} expired at {expired_at}"
    says_zh = "邀请码 {referral_code} 已于 {expired_at} 过期"
    referral_code: str = fact("The code that was given.")
    expired_at: datetime = fact("When it expired.")


class SelfReferral(Refusal):
    """The code is the member's own."""

    code = "SELF_REFERRAL"
    says = "{referral_code} is the member's own code"
    says_zh = "{referral_code} 是该会员自己的邀请码"
    referral_code: str = fact("The code that was given.")


class ReferralLoop(Refusal):
    """Who has invited others cannot be invited any more, so that nobody comes to have invited themselves."""

    code = "REFERRAL_LOOP"
    says = "the member has invited {invited} others already"
    says_zh = "该会员已邀请过 {invited} 人"
    invited: int = fact("How many the member has invited.")


class AlreadyInvited(Refusal):
    """The member has accepted an invitation before."""

    code = "ALREADY_INVITED"
    says = "the member accepted an invitation at {accepted_at}"
    says_zh = "该会员已于 {accepted_at} 接受过邀请"
    accepted_at: datetime = fact("When that was.")


class NotANewcomer(Refusal):
    """Only new members can be invited: those who joined lately and have bought nothing yet."""

    code = "NOT_A_NEWCOMER"
    says = "the member joined at {enrolled_at} and has bought {orders} times"
    says_zh = "该会员于 {enrolled_at} 入会，已购买 {orders} 次"
    enrolled_at: datetime = fact("When the member joined.")
    orders: int = fact("How many orders there are, those that came back not counted.")


class InvitationsUsedUp(Refusal):
    """The inviter has brought as many friends this month as the programme allows."""

    code = "INVITATIONS_USED_UP"
    says = "{limit} friends a month can be invited"
    says_zh = "每月可邀请 {limit} 位好友"
    limit: int = fact("How many the programme allows a month.")
    resets_at: datetime | None = fact("When the next month begins, in the programme's time zone.")


REFUSALS: list[type[Refusal]] = [
    ReferralNotOffered,
    ReferralCodeMalformed,
    ReferralCodeNotFound,
    ReferralCodeExpired,
    SelfReferral,
    ReferralLoop,
    AlreadyInvited,
    NotANewcomer,
    InvitationsUsedUp,
]
