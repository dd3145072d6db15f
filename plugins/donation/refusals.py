"""What a donation is answered "no" with."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact
from core.units import Points


class DonationsNotOffered(Refusal):
    """The programme in force has no donation section."""

    code = "DONATIONS_NOT_OFFERED"
    says = "the programme in force at {at} knows no projects to give to"
    says_zh = "{at} 生效的规则没有捐赠项目"
    at: datetime = fact("The time of the request.")


class DonationProjectNotFound(NotFound):
    """The programme in force has no such project."""

    code = "DONATION_PROJECT_NOT_FOUND"
    says = "no project {project}"
    says_zh = "没有项目 {project}"
    project: str = fact("The project that was asked for.")


class DonationNotYetOpen(Refusal):
    """The project takes points only later."""

    code = "DONATION_NOT_YET_OPEN"
    says = "project {project} takes points from {opens_at} on"
    says_zh = "项目 {project} 自 {opens_at} 起接受捐赠"
    project: str = fact("The project.")
    opens_at: datetime = fact("From when on it takes points.")


class DonationClosed(Refusal):
    """The project takes no points any more."""

    code = "DONATION_CLOSED"
    says = "project {project} took points until {closed_at}"
    says_zh = "项目 {project} 已于 {closed_at} 截止捐赠"
    project: str = fact("The project.")
    closed_at: datetime = fact("From when on it took no more.")


class DonationTooSmall(InvalidInput):
    """The project takes more points at once."""

    code = "DONATION_TOO_SMALL"
    says = "project {project} takes {needed} points or more at once, not {points}"
    says_zh = "项目 {project} 每次至少捐 {needed} 积分，而非 {points}"
    project: str = fact("The project.")
    points: Points = fact("What was to be given.")
    needed: Points = fact("The fewest that can be given.")


class DonationGoalReached(Refusal):
    """The project's goal is reached, or fewer points are left to it than were to be given."""

    code = "DONATION_GOAL_REACHED"
    says = "project {project} takes {goal_left} more points to its goal of {goal}"
    says_zh = "项目 {project} 的目标为 {goal}，还可接受 {goal_left} 积分"
    project: str = fact("The project.")
    goal: Points = fact("The goal.")
    goal_left: Points = fact("What can still be given.")


REFUSALS: list[type[Refusal]] = [
    DonationsNotOffered,
    DonationProjectNotFound,
    DonationNotYetOpen,
    DonationClosed,
    DonationTooSmall,
    DonationGoalReached,
]
