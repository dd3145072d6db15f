"""What there is to tell of a member's year: the longest row of days."""

from collections.abc import Sequence

from core.channels.annual import Highlight
from graph.vocabulary import Info, Member

from .models import SignInMonth
from .rules import days_of


async def recall(info: Info, member: Member, year: int) -> Sequence[Highlight]:
    """The longest streak, if there was any."""
    longest = days_of(await info.context.loaders.rows(SignInMonth, member.member_id)).longest(year)
    title = "days in a row on which you signed in", "最长连续签到天数"
    return [Highlight("longest_streak", *title, longest)] if longest else []
