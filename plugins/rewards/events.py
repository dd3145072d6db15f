"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class RewardRedeemed(EventData):
    """A member has redeemed a reward."""

    order: str = Field(description="The number of the redemption.")
    reward: str = Field(description="The reward's id.")
    quantity: int = Field(description="How many.")
    points: int = Field(description="What it cost.")


class RewardCancelled(EventData):
    """A redemption was cancelled, and its points given back."""

    order: str = Field(description="The number of the redemption.")
    reward: str = Field(description="The reward's id.")
    quantity: int = Field(description="How many.")


EVENT_TYPES: Final = (
    EventType("reward.redeemed", 1, RewardRedeemed),
    EventType("reward.cancelled", 1, RewardCancelled),
)
