"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class QuestCompleted(EventData):
    """A member has completed a quest."""

    quest: str = Field(description="The quest's id.")
    period: str = Field(description="The period in which it was: a day, a week, a month.")
    points: int = Field(description="What it brings.")


class QuestUndone(EventData):
    """A quest is not complete any more, as something that it counted was undone."""

    quest: str = Field(description="The quest's id.")
    period: str = Field(description="The period in which it was.")
    points: int = Field(description="What was taken back.")


EVENT_TYPES: Final = (
    EventType("quest.completed", 1, QuestCompleted),
    EventType("quest.undone", 1, QuestUndone),
)
