"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class ReviewSubmitted(EventData):
    """A review waits for a moderator."""

    reference: str = Field(description="The review's number with the brand.")


class ReviewApproved(EventData):
    """A review was approved."""

    reference: str = Field(description="The review's number with the brand.")
    rating: int = Field(description="From 1 to 5.")
    pictures: int = Field(description="How many pictures it has.")


class ReviewRejected(EventData):
    """A review was rejected."""

    reference: str = Field(description="The review's number with the brand.")
    reason: str = Field(description="What the moderator gave as the reason.")


class ReviewWithdrawn(EventData):
    """A member has deleted a review."""

    reference: str = Field(description="The review's number with the brand.")


EVENT_TYPES: Final = (
    EventType("review.submitted", 1, ReviewSubmitted),
    EventType("review.approved", 1, ReviewApproved),
    EventType("review.rejected", 1, ReviewRejected),
    EventType("review.withdrawn", 1, ReviewWithdrawn),
)
