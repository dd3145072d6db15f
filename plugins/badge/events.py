"""What the plugin tells outside, and in which shape."""

from datetime import date
from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

BADGE_UNLOCKED: Final = "badge.unlocked"
BADGE_TAKEN_BACK: Final = "badge.taken_back"


class BadgeUnlocked(EventData):
    """A member has been given a badge, or the next level of one."""

    badge: str = Field(description="The badge's id.")
    level: int = Field(description="Which of its levels, from 1; 1 for a badge without levels.")
    title: str = Field(description="What it is called.")
    reached_on: date = Field(description="The day on which there was enough for it.")
    pack: dict[str, int] = Field(description="How much it has brought, by unit.")
    coupons: list[str] = Field(description="The coupons that came with it.")


class BadgeTakenBack(EventData):
    """A badge went again, as what it was given for was undone."""

    badge: str = Field(description="The badge's id.")
    level: int = Field(description="Which of its levels.")


EVENT_TYPES: Final = (
    EventType(BADGE_UNLOCKED, 1, BadgeUnlocked),
    EventType(BADGE_TAKEN_BACK, 1, BadgeTakenBack),
)
