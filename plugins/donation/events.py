"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class DonationMade(EventData):
    """A member has donated points."""

    donation: str = Field(description="The donation's number.")
    project: str = Field(description="The project's id.")
    points: int = Field(description="How many points.")


EVENT_TYPES: Final = (EventType("donation.made", 1, DonationMade),)
