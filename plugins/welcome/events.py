"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class WelcomeGiven(EventData):
    """A new member was given the welcome pack."""

    pack: str | None = Field(description="The pack, or null.")
    coupons: list[str] = Field(description="The kinds of coupons.")


EVENT_TYPES: Final = (EventType("welcome.given", 1, WelcomeGiven),)
