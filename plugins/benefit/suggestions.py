"""Which benefits fit a member now: those that can be used at this moment and would lapse."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from core.channels.suggestions import Suggestion, SuggestionKind
from core.errors import Refusal
from core.time.calendar import local_day
from graph.vocabulary import Info, Member, MemberStatus

from .mutations import had_by
from .rules import CHANNEL, BenefitSettings

_WEEK: Final = timedelta(days=7)
_MONTH: Final = timedelta(days=31)
_LAPSES_IN_A_WEEK, _LAPSES, _LATER = 80, 60, 45


async def suggest(info: Info, member: Member) -> Sequence[Suggestion]:
    """The benefits of which something is left. What a member has all the time is nothing to be told of."""
    programme = (await info.context.version()).programme
    settings = programme.channels[CHANNEL]
    assert isinstance(settings, BenefitSettings)
    if member.status != MemberStatus.ACTIVE:
        return []
    found = []
    for had in await had_by(info, member, programme, settings):
        quota, ends_at = had.benefit.quota, had.period.ends_at
        if quota is None:
            continue
        try:
            had.check(programme)
        except Refusal:
            continue
        left, weight = quota - had.used, _LATER
        en = "once more" if left == 1 else f"{left} more times"
        zh = f"还可使用 {left} 次"
        if ends_at is None:
            said = f"You can have it {en}.", f"{zh}。"
        else:
            waits = ends_at - info.context.now
            weight = _LAPSES_IN_A_WEEK if waits <= _WEEK else _LAPSES if waits <= _MONTH else _LATER
            day = local_day(ends_at - timedelta(microseconds=1), programme.zone)
            said = f"You can have it {en} until {day}.", f"{zh}，至 {day} 止。"
        found.append(
            Suggestion(SuggestionKind.USE, had.benefit.id, had.benefit.name, *said, weight=weight, until=ends_at)
        )
    return found
