"""What the plugin tells itself, and in which shape."""

from typing import Final

from pydantic import Field

from core.event_types import EventData, EventType

TIER_WITHIN_REACH: Final = "tier.within_reach"


class TierWithinReach(EventData):
    """A member is close to the next tier: told once for as long as the member stays in the one before."""

    tier: str = Field(description="The code of the tier now.")
    next: str = Field(description="The code of the next one.")
    percent: int = Field(description="How much of the way is done, in whole per cent.")


EVENT_TYPES: Final = (EventType(TIER_WITHIN_REACH, 1, TierWithinReach),)
