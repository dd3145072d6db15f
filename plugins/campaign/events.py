"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class BonusGiven(EventData):
    """A campaign has added to what something earned."""

    campaign: str = Field(description="The campaign's id.")
    reference: str = Field(description="What it was given for.")
    points: int = Field(description="What it has added.")


class BonusTakenBack(EventData):
    """A campaign's bonus was taken back."""

    campaign: str = Field(description="The campaign's id.")
    reference: str = Field(description="What it had been given for.")
    points: int = Field(description="What was taken back.")


EVENT_TYPES: Final = (
    EventType("campaign.bonus_given", 1, BonusGiven),
    EventType("campaign.bonus_taken_back", 1, BonusTakenBack),
)
