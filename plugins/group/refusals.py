"""What the groups answer "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact


class GroupsNotOffered(Refusal):
    """The programme in force has no groups."""

    code = "GROUPS_NOT_OFFERED"
    says = "the programme in force at {at} has no groups"
    says_zh = "{at} 生效的规则没有会员社群"
    at: datetime = fact("The time of the request.")


class GroupNotFound(NotFound):
    """The programme has no such group."""

    code = "GROUP_NOT_FOUND"
    says = "no group {group!r}; there are: {groups}"
    says_zh = "没有社群 {group!r}；现有：{groups}"
    group: str = fact("The group that was named.")
    groups: str = fact("Those that there are.")


class GroupTierMissing(Refusal):
    """The group is for members of other tiers."""

    code = "GROUP_TIER_MISSING"
    says = "the group {group} is for {tiers}, and the member is {tier}"
    says_zh = "社群 {group} 仅限等级 {tiers}，该会员的等级为 {tier}"
    group: str = fact("The group.")
    tier: str = fact("The member's tier.")
    tiers: str = fact("The tiers that it is for.")


class GroupConditionNotMet(Refusal):
    """What the group asks of its members does not hold."""

    code = "GROUP_CONDITION_NOT_MET"
    says = "the group {group} asks for {condition}"
    says_zh = "社群 {group} 要求 {condition}"
    group: str = fact("The group.")
    condition: str = fact("The condition, as the programme has it.")


class AlreadyInGroup(Refusal):
    """The member belongs to the group."""

    code = "ALREADY_IN_GROUP"
    says = "the member has belonged to {group} since {joined_at}"
    says_zh = "该会员自 {joined_at} 起已在社群 {group} 中"
    group: str = fact("The group.")
    joined_at: datetime = fact("Since when.")


class GroupApplicationPending(Refusal):
    """The member has applied, and nobody has decided yet."""

    code = "GROUP_APPLICATION_PENDING"
    says = "the member applied for {group} at {applied_at}, which is not decided yet"
    says_zh = "该会员已于 {applied_at} 申请加入社群 {group}，尚未审批"
    group: str = fact("The group.")
    applied_at: datetime = fact("When.")


class NotInGroup(Refusal):
    """The member does not belong to the group, nor has applied."""

    code = "NOT_IN_GROUP"
    says = "the member does not belong to {group}, nor has applied"
    says_zh = "该会员不在社群 {group} 中，也没有申请"
    group: str = fact("The group.")


class NoGroupApplication(Refusal):
    """There is no application to decide."""

    code = "NO_GROUP_APPLICATION"
    says = "the member has no open application for {group}"
    says_zh = "该会员没有待审批的社群 {group} 申请"
    group: str = fact("The group.")


REFUSALS: list[type[Refusal]] = [
    GroupsNotOffered,
    GroupNotFound,
    GroupTierMissing,
    GroupConditionNotMet,
    AlreadyInGroup,
    GroupApplicationPending,
    NotInGroup,
    NoGroupApplication,
]
