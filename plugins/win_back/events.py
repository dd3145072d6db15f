"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class WinBackGiven(EventData):
    """A member who had been away was given something for coming back."""

    points: int = Field(description="The points.")
    coupons: list[str] = Field(description="The kinds of coupons.")


EVENT_TYPES: Final = (EventType("win_back.given", 1, WinBackGiven),)
