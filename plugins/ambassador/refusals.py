"""What is answered "no" to who wants to be an ambassador."""

from datetime import datetime

from core.errors import Refusal, fact


class AmbassadorsNotOffered(Refusal):
    """The programme in force has no ambassadors."""

    code = "AMBASSADORS_NOT_OFFERED"
    says = "the programme in force at {at} has no ambassadors"
    says_zh = "{at} 生效的规则没有推广大使"
    at: datetime = fact("The time of the request.")


class AmbassadorTierMissing(Refusal):
    """Ambassadors are members of other tiers."""

    code = "AMBASSADOR_TIER_MISSING"
    says = "ambassadors are {tiers}, and the member is {tier}"
    says_zh = "推广大使仅限等级 {tiers}，该会员的等级为 {tier}"
    tier: str = fact("The member's tier.")
    tiers: str = fact("The tiers whose members may be ambassadors.")


class AlreadyAmbassador(Refusal):
    """The member is an ambassador."""

    code = "ALREADY_AMBASSADOR"
    says = "the member has been an ambassador since {appointed_at}"
    says_zh = "该会员自 {appointed_at} 起已是推广大使"
    appointed_at: datetime = fact("Since when.")


class AmbassadorApplicationPending(Refusal):
    """The member has applied, and nobody has decided yet."""

    code = "AMBASSADOR_APPLICATION_PENDING"
    says = "the member applied at {applied_at}, which is not decided yet"
    says_zh = "该会员已于 {applied_at} 申请成为推广大使，尚未审批"
    applied_at: datetime = fact("When.")


class NotAnAmbassador(Refusal):
    """The member is no ambassador, nor has applied."""

    code = "NOT_AN_AMBASSADOR"
    says = "member {member} is no ambassador, nor has applied"
    says_zh = "会员 {member} 不是推广大使，也没有申请"
    member: str = fact("The member's number.")


class NoAmbassadorApplication(Refusal):
    """There is no application to decide."""

    code = "NO_AMBASSADOR_APPLICATION"
    says = "member {member} has no open application"
    says_zh = "会员 {member} 没有待审批的推广大使申请"
    member: str = fact("The member's number.")


REFUSALS: list[type[Refusal]] = [
    AmbassadorsNotOffered,
    AmbassadorTierMissing,
    AlreadyAmbassador,
    AmbassadorApplicationPending,
    NotAnAmbassador,
    NoAmbassadorApplication,
]
