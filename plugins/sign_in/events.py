"""What the plugin tells outside, and in which shape."""

from datetime import date
from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class SignedIn(EventData):
    """A member has signed in."""

    day: date = Field(description="The programme's local day.")
    streak: int = Field(description="How many days in a row.")


EVENT_TYPES: Final = (EventType("sign_in.recorded", 1, SignedIn),)
