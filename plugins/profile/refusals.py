"""What the profile channel answers "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact


class ProfileNotOffered(Refusal):
    """The programme in force has no profile section."""

    code = "PROFILE_NOT_OFFERED"
    says = "the programme in force at {at} rewards no profile"
    says_zh = "{at} 生效的规则没有资料奖励"
    at: datetime = fact("The time of the request.")


class ProfileSectionNotFound(NotFound):
    """The programme in force knows no such section of the profile."""

    code = "PROFILE_SECTION_NOT_FOUND"
    says = "the profile has no section {section}"
    says_zh = "资料中没有 {section}"
    section: str = fact("The section that was named.")


class ProfileSectionAlreadyCompleted(Refusal):
    """The member has completed the section before; it is rewarded once in a life."""

    code = "PROFILE_SECTION_ALREADY_COMPLETED"
    says = "section {section} was completed at {completed_at}"
    says_zh = "资料 {section} 已于 {completed_at} 完善"
    section: str = fact("The section that was named.")
    completed_at: datetime = fact("When it was completed.")
    transaction: str = fact("The transaction that recorded it.")


REFUSALS: list[type[Refusal]] = [ProfileNotOffered, ProfileSectionNotFound, ProfileSectionAlreadyCompleted]
