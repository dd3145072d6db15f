"""What the plugin tells outside, and in which shape: whoever runs the group's chat follows it by these."""

from datetime import datetime
from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

GROUP_APPLIED: Final = "group.applied"
GROUP_JOINED: Final = "group.joined"
GROUP_DECLINED: Final = "group.declined"
GROUP_ENDING: Final = "group.ending"
GROUP_LEFT: Final = "group.left"

_GROUP: Final = "The group's id."
_TITLE: Final = "What it is called."


class GroupApplied(EventData):
    """A member has applied for a group; an operator is to decide."""

    group: str = Field(description=_GROUP)
    title: str = Field(description=_TITLE)


class GroupJoined(EventData):
    """A member belongs to a group from now on."""

    group: str = Field(description=_GROUP)
    title: str = Field(description=_TITLE)


class GroupDeclined(EventData):
    """An operator has declined an application."""

    group: str = Field(description=_GROUP)
    title: str = Field(description=_TITLE)


class GroupEnding(EventData):
    """A member has lost the tier that a group is for, and leaves it unless the tier comes back in time."""

    group: str = Field(description=_GROUP)
    title: str = Field(description=_TITLE)
    ends_at: datetime = Field(description="When the member leaves.")


class GroupLeft(EventData):
    """A member does not belong to a group any more."""

    group: str = Field(description=_GROUP)
    title: str = Field(description=_TITLE)
    why: str = Field(
        description="left (the member wanted to), lapsed (the tier was lost, or the membership closed), removed, or "
        "merged (into another member)."
    )


EVENT_TYPES: Final = (
    EventType(GROUP_APPLIED, 1, GroupApplied),
    EventType(GROUP_JOINED, 1, GroupJoined),
    EventType(GROUP_DECLINED, 1, GroupDeclined),
    EventType(GROUP_ENDING, 1, GroupEnding),
    EventType(GROUP_LEFT, 1, GroupLeft),
)
