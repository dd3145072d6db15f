"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.channels.bringing import BRINGING_PAID
from core.telling.event_types import EventData, EventType


class ReferralCompleted(EventData):
    """A friend whom somebody has invited has done what the bonuses are for."""

    points: int = Field(description="What the inviter is given.")


class ReferralUndone(EventData):
    """What the bonuses of a referral were for was undone."""

    points: int = Field(description="What the inviter had been given.")


EVENT_TYPES: Final = (
    EventType(BRINGING_PAID, 1, ReferralCompleted),
    EventType("referral.undone", 1, ReferralUndone),
)
