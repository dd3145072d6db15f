"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class StakePlaced(EventData):
    """A member has staked points on a project."""

    stake: str = Field(description="The stake's number.")
    project: str = Field(description="The project's id.")
    points: int = Field(description="How many points.")


class StakePaidBack(EventData):
    """A stake was paid back, as its project ended."""

    stake: str = Field(description="The stake's number.")
    project: str = Field(description="The project's id.")
    outcome: str = Field(description="success or failure.")
    points: int = Field(description="What the member was given.")


EVENT_TYPES: Final = (
    EventType("investment.staked", 1, StakePlaced),
    EventType("investment.paid_back", 1, StakePaidBack),
)
