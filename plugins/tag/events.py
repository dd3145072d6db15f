"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.channels.tags import TAG_GIVEN, TAG_LOST
from core.telling.event_types import EventData, EventType


class TagGiven(EventData):
    """A member has a tag that they had not before: by a rule, by a prediction, or by hand."""

    tag: str = Field(description="The tag's id in the programme: frequent.")
    source: str = Field(
        description="tag where a rule has given it, prediction where a prediction has, operator where somebody has."
    )


class TagLost(EventData):
    """A member has not a tag any more: what gave it does not hold, its time is over, or somebody took it away."""

    tag: str = Field(description="The tag's id in the programme.")
    source: str = Field(
        description="tag where a rule had given it, prediction where a prediction had, operator where somebody had."
    )


EVENT_TYPES: Final = (EventType(TAG_GIVEN, 1, TagGiven), EventType(TAG_LOST, 1, TagLost))
