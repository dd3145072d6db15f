"""What staking points, and paying them back, is answered "no" with."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact
from core.units import Points


class InvestmentsNotOffered(Refusal):
    """The programme in force has no investment section."""

    code = "INVESTMENTS_NOT_OFFERED"
    says = "the programme in force at {at} knows no projects to stake points on"
    says_zh = "{at} 生效的规则没有积分投资项目"
    at: datetime = fact("The time of the request.")


class InvestmentProjectNotFound(NotFound):
    """The programme in force has no such project, and nobody has staked points on one of that name."""

    code = "INVESTMENT_PROJECT_NOT_FOUND"
    says = "no project {project}"
    says_zh = "没有项目 {project}"
    project: str = fact("The project that was asked for.")


class InvestmentNotYetOpen(Refusal):
    """The project takes points only later."""

    code = "INVESTMENT_NOT_YET_OPEN"
    says = "project {project} takes points from {opens_at} on"
    says_zh = "项目 {project} 自 {opens_at} 起接受积分"
    project: str = fact("The project.")
    opens_at: datetime = fact("From when on it takes points.")


class InvestmentClosed(Refusal):
    """The project's time is over: nobody stakes points on it any more, and nobody takes them away."""

    code = "INVESTMENT_CLOSED"
    says = "project {project} closed at {closed_at}"
    says_zh = "项目 {project} 已于 {closed_at} 截止"
    project: str = fact("The project.")
    closed_at: datetime = fact("From when on it was closed.")


class InvestmentTooSmall(InvalidInput):
    """With these points the member would have staked fewer on the project than the least."""

    code = "INVESTMENT_TOO_SMALL"
    says = "project {project} takes {needed} points or more now, not {points}"
    says_zh = "项目 {project} 目前至少投入 {needed} 积分，而非 {points}"
    project: str = fact("The project.")
    points: Points = fact("What was to be staked.")
    needed: Points = fact("The fewest that this member can stake now.")


class InvestmentTooLarge(Refusal):
    """With these points the member would have staked more on the project than one member may."""

    code = "INVESTMENT_TOO_LARGE"
    says = "project {project} takes {left} more points of this member, not {points}"
    says_zh = "项目 {project} 还可接受该会员 {left} 积分，而非 {points}"
    project: str = fact("The project.")
    points: Points = fact("What was to be staked.")
    left: Points = fact("The most that this member can still stake.")


class InvestmentGoalReached(Refusal):
    """The project's goal is reached, or fewer points are left to it than were to be staked."""

    code = "INVESTMENT_GOAL_REACHED"
    says = "project {project} takes {goal_left} more points to its goal of {goal}"
    says_zh = "项目 {project} 的目标为 {goal}，还可接受 {goal_left} 积分"
    project: str = fact("The project.")
    goal: Points = fact("The goal.")
    goal_left: Points = fact("What can still be staked.")


class InvestmentSettled(Refusal):
    """It has been decided how the project ended."""

    code = "INVESTMENT_SETTLED"
    says = "project {project} was settled as {outcome} at {settled_at}"
    says_zh = "项目 {project} 已于 {settled_at} 结算，结果为 {outcome}"
    project: str = fact("The project.")
    outcome: str = fact("succeeded or failed.")
    settled_at: datetime = fact("When that was decided.")


class InvestmentStillOpen(Refusal):
    """The project still takes points; what is settled takes none."""

    code = "INVESTMENT_STILL_OPEN"
    says = "project {project} is open until {closes_at}"
    says_zh = "项目 {project} 开放至 {closes_at}"
    project: str = fact("The project.")
    closes_at: datetime = fact("From when on it can be settled, unless its goal is reached before.")


class InvestmentWithoutStakes(Refusal):
    """Nobody has points on the project, so there is nothing to pay back."""

    code = "INVESTMENT_WITHOUT_STAKES"
    says = "nobody has points on project {project}"
    says_zh = "项目 {project} 无人投入积分"
    project: str = fact("The project.")


class StakeNotFound(NotFound):
    """The member has no such stake."""

    code = "STAKE_NOT_FOUND"
    says = "no stake {stake}"
    says_zh = "没有投入 {stake}"
    stake: str = fact("The stake that was asked for.")


class StakeNotOpen(Refusal):
    """The stake was paid back before."""

    code = "STAKE_NOT_OPEN"
    says = "stake {stake} is {state}"
    says_zh = "投入 {stake} 的状态为 {state}"
    stake: str = fact("The stake.")
    state: str = fact("cancelled, reversed, succeeded or failed.")


class StakeNotCancellable(Refusal):
    """The programme lets nobody take points away from this project."""

    code = "STAKE_NOT_CANCELLABLE"
    says = "points stay on project {project} until it is settled"
    says_zh = "投入项目 {project} 的积分在结算前不能取回"
    project: str = fact("The project.")


REFUSALS: list[type[Refusal]] = [
    InvestmentsNotOffered,
    InvestmentProjectNotFound,
    InvestmentNotYetOpen,
    InvestmentClosed,
    InvestmentTooSmall,
    InvestmentTooLarge,
    InvestmentGoalReached,
    InvestmentSettled,
    InvestmentStillOpen,
    InvestmentWithoutStakes,
    StakeNotFound,
    StakeNotOpen,
    StakeNotCancellable,
]
