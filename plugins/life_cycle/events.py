"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

STAGE_ENTERED: Final = "life_cycle.entered"
GIFT_TAKEN_BACK: Final = "life_cycle.taken_back"
"""Told inside alone."""


class StageEntered(EventData):
    """A member has entered a stage of the life cycle: by what they did, or as time went by."""

    stage: str = Field(description="The stage's id in the programme: dormant.")
    former: str | None = Field(description="The stage before, or null.")
    pack: dict[str, int] = Field(description="What entering it has brought, by unit.")
    coupons: list[str] = Field(description="The kinds of coupons that came with it.")


EVENT_TYPES: Final = (EventType(STAGE_ENTERED, 1, StageEntered),)
