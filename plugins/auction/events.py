"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class BidPlaced(EventData):
    """A member has bid in an auction."""

    auction: str = Field(description="The auction's id.")
    bid: str = Field(description="The bid's number.")
    points: int = Field(description="How many points.")


class AuctionWon(EventData):
    """A member has won an auction."""

    auction: str = Field(description="The auction's id.")
    bid: str = Field(description="The bid's number.")
    points: int = Field(description="What it cost.")


EVENT_TYPES: Final = (
    EventType("auction.bid_placed", 1, BidPlaced),
    EventType("auction.won", 1, AuctionWon),
)
