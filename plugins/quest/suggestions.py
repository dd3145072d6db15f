"""Which quests fit a member now: those that are done and wait to be claimed, and those that are nearest to it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from core.channels.suggestions import Suggestion, SuggestionKind
from graph.vocabulary import Info, Member, MemberStatus

from .mutations import QuestStatus, QuestType, quest_of
from .rules import CHANNEL, Quest, QuestSettings

_SOON: Final = timedelta(days=7)
_READY, _NEW, _NEARLY, _HURRY = 95, 30, 40, 10


async def suggest(info: Info, member: Member) -> Sequence[Suggestion]:
    """The quests that can be claimed, and those in which there is more to do."""
    programme = (await info.context.version()).programme
    settings = programme.channels[CHANNEL]
    assert isinstance(settings, QuestSettings)
    if member.status != MemberStatus.ACTIVE:
        return []
    shown = await asyncio.gather(
        *(
            quest_of(info, member, programme, settings, quest)
            for quest in settings.quests
            if quest.is_for(member.tier_id)
        )
    )
    by_id = {quest.id: quest for quest in settings.quests}
    return [
        _suggestion(info, by_id[one.name], one) for one in shown if one.status in (QuestStatus.READY, QuestStatus.OPEN)
    ]


def _suggestion(info: Info, quest: Quest, shown: QuestType) -> Suggestion:
    progress = shown.progress
    until = min((at for at in (shown.resets_at, shown.closes_at) if at is not None), default=None)
    weight = _NEW + _NEARLY * progress.current // progress.required
    if shown.status == QuestStatus.READY:
        weight = _READY
        said = f"It is done: claim its {quest.points} points.", f"任务已完成，可领取 {quest.points} 积分。"
    elif progress.current:
        if until is not None and until - info.context.now <= _SOON:
            weight += _HURRY
        said = (
            f"{progress.current} of {progress.required} are done, and it brings {quest.points} points.",
            f"已完成 {progress.current}/{progress.required}，完成可得 {quest.points} 积分。",
        )
    else:
        said = f"It brings {quest.points} points.", f"完成可得 {quest.points} 积分。"
    return Suggestion(
        SuggestionKind.EARN,
        quest.id,
        quest.title,
        *said,
        weight=weight,
        points=quest.points,
        until=until,
        suits=quest.suits,
    )
