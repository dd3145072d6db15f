"""What the leaderboards answer "no" to."""

from datetime import datetime

from core.errors import InvalidInput, NotFound, Refusal, fact


class LeaderboardsNotOffered(Refusal):
    """The programme in force has no leaderboards."""

    code = "LEADERBOARDS_NOT_OFFERED"
    says = "the programme in force at {at} knows no leaderboards"
    says_zh = "{at} 生效的规则没有排行榜"
    at: datetime = fact("The time of the request.")


class LeaderboardNotFound(NotFound):
    """The programme has no such leaderboard."""

    code = "LEADERBOARD_NOT_FOUND"
    says = "no leaderboard {leaderboard}"
    says_zh = "没有排行榜 {leaderboard}"
    leaderboard: str = fact("The leaderboard that was asked for.")


class LeaderboardPeriodUnknown(InvalidInput):
    """The leaderboard has no period of that name, or the programme had not begun in it."""

    code = "LEADERBOARD_PERIOD_UNKNOWN"
    says = "leaderboard {leaderboard} has no period {period}; the present one is {period_now}"
    says_zh = "排行榜 {leaderboard} 没有周期 {period}，当前周期为 {period_now}"
    leaderboard: str = fact("The leaderboard.")
    period: str = fact("The period that was asked for.")
    period_now: str = fact("How the present one is called.")


class LeaderboardPeriodAhead(InvalidInput):
    """The period has not begun."""

    code = "LEADERBOARD_PERIOD_AHEAD"
    says = "period {period} of leaderboard {leaderboard} begins at {opens_at}"
    says_zh = "排行榜 {leaderboard} 的周期 {period} 自 {opens_at} 开始"
    leaderboard: str = fact("The leaderboard.")
    period: str = fact("The period that was asked for.")
    opens_at: datetime = fact("When it begins.")


REFUSALS: list[type[Refusal]] = [
    LeaderboardsNotOffered,
    LeaderboardNotFound,
    LeaderboardPeriodUnknown,
    LeaderboardPeriodAhead,
]
