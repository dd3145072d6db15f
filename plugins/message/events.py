"""What the plugin tells itself, and in which shape."""

from datetime import date
from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

MEMBER_ABSENT: Final = "member.absent"
TIER_WITHIN_REACH: Final = "tier.within_reach"


class MemberAbsent(EventData):
    """A member has not been there for long: told once for each time that the programme asks for."""

    since: date = Field(description="The last day on which the member did something, in the programme's time zone.")
    days: int = Field(description="So many days ago, as the programme says; after a standstill it may be more.")


class TierWithinReach(EventData):
    """A member is close to the next tier: told once for as long as the member stays in the one before."""

    tier: str = Field(description="The code of the tier now.")
    next: str = Field(description="The code of the next one.")
    percent: int = Field(description="How much of the way is done, in whole per cent.")


EVENT_TYPES: Final = (
    EventType(MEMBER_ABSENT, 1, MemberAbsent),
    EventType(TIER_WITHIN_REACH, 1, TierWithinReach),
)
