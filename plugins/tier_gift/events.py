"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class TierGiftGiven(EventData):
    """A member was given something for reaching a tier."""

    tier: str = Field(description="The tier's code.")
    pack: str | None = Field(description="The pack, or null.")
    coupons: list[str] = Field(description="The kinds of coupons.")


EVENT_TYPES: Final = (EventType("tier_gift.given", 1, TierGiftGiven),)
