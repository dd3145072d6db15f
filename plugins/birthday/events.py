"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class BirthdayGiftGiven(EventData):
    """A member was given something for a birthday."""

    points: int = Field(description="The points.")
    coupons: list[str] = Field(description="The kinds of coupons.")


EVENT_TYPES: Final = (EventType("birthday.gift_given", 1, BirthdayGiftGiven),)
