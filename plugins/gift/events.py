"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class GiftGiven(EventData):
    """A member has given points to another."""

    gift: str = Field(description="The gift's number.")
    message: str | None = Field(description="What the giver wrote, or null.")


class GiftReceived(EventData):
    """A member was given points by another."""

    gift: str = Field(description="The gift's number.")
    points: int = Field(description="How many points.")


EVENT_TYPES: Final = (
    EventType("gift.given", 1, GiftGiven),
    EventType("gift.received", 1, GiftReceived),
)
