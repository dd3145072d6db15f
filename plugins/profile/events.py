"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class SectionCompleted(EventData):
    """A member has completed a section of the profile."""

    section: str = Field(description="The section.")


class ProfileCompleted(EventData):
    """A member has completed the profile."""


EVENT_TYPES: Final = (
    EventType("profile.section_completed", 1, SectionCompleted),
    EventType("profile.completed", 1, ProfileCompleted),
)
