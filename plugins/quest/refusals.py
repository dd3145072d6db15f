"""What the quest channel answers "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact


class QuestsNotOffered(Refusal):
    """The programme in force has no quests."""

    code = "QUESTS_NOT_OFFERED"
    says = "the programme in force at {at} knows no quests"
    says_zh = "{at} 生效的规则没有任务"
    at: datetime = fact("The time of the request.")


class QuestNotFound(NotFound):
    """The programme in force has no such quest."""

    code = "QUEST_NOT_FOUND"
    says = "no quest {quest}"
    says_zh = "没有任务 {quest}"
    quest: str = fact("The quest that was asked for.")


class QuestEventNotFound(NotFound):
    """No quest of the programme in force counts such events."""

    code = "QUEST_EVENT_NOT_FOUND"
    says = "no quest counts {event}"
    says_zh = "没有任务统计 {event}"
    event: str = fact("The event that was told.")


class QuestNotYetOpen(Refusal):
    """The quest has not begun."""

    code = "QUEST_NOT_YET_OPEN"
    says = "quest {quest} opens at {opens_at}"
    says_zh = "任务 {quest} 自 {opens_at} 起开放"
    quest: str = fact("The quest.")
    opens_at: datetime = fact("When it begins.")


class QuestOver(Refusal):
    """The quest has ended."""

    code = "QUEST_OVER"
    says = "quest {quest} closed at {closed_at}"
    says_zh = "任务 {quest} 已于 {closed_at} 结束"
    quest: str = fact("The quest.")
    closed_at: datetime = fact("When it ended.")


class QuestNotForTier(Refusal):
    """The quest is for members of other tiers."""

    code = "QUEST_NOT_FOR_TIER"
    says = "quest {quest} is not for {tier}"
    says_zh = "任务 {quest} 不面向 {tier}"
    quest: str = fact("The quest.")
    tier: str = fact("The member's tier.")


class QuestNotReached(Refusal):
    """There is more to do before the quest can be claimed."""

    code = "QUEST_NOT_REACHED"
    says = "{current} of {required} done of quest {quest}"
    says_zh = "任务 {quest} 完成了 {current}/{required}"
    quest: str = fact("The quest.")
    current: int = fact("How much is done.")
    required: int = fact("How much there is to do.")


class QuestAlreadyDone(Refusal):
    """The quest was paid for this period."""

    code = "QUEST_ALREADY_DONE"
    says = "quest {quest} was paid for {period}"
    says_zh = "任务 {quest} 在 {period} 的奖励已发放"
    quest: str = fact("The quest.")
    period: str = fact("The period: once, 2026-06-01, 2026-W23 or 2026-06.")
    resets_at: datetime | None = fact("When it can be done anew; null for never.")


REFUSALS: list[type[Refusal]] = [
    QuestsNotOffered,
    QuestNotFound,
    QuestEventNotFound,
    QuestNotYetOpen,
    QuestOver,
    QuestNotForTier,
    QuestNotReached,
    QuestAlreadyDone,
]
