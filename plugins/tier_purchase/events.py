"""What the plugin tells outside, and in which shape."""

from datetime import datetime
from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class TierBought(EventData):
    """A member has bought a tier."""

    former: str = Field(description="The code of the tier before.")
    tier: str = Field(description="The code of the tier now.")
    points: int = Field(description="What it cost.")


class TierKept(EventData):
    """A member has paid to keep a tier."""

    tier: str = Field(description="The tier's code.")
    until: datetime = Field(description="Until when it is kept.")
    points: int = Field(description="What it cost.")


EVENT_TYPES: Final = (
    EventType("tier.bought", 1, TierBought),
    EventType("tier.kept", 1, TierKept),
)
