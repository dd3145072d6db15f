"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class ShareRecorded(EventData):
    """A member has shared something."""

    item: str = Field(description="What was shared.")


class ShareRewarded(EventData):
    """A share has earned."""

    item: str = Field(description="What was shared.")


EVENT_TYPES: Final = (
    EventType("share.recorded", 1, ShareRecorded),
    EventType("share.rewarded", 1, ShareRewarded),
)
