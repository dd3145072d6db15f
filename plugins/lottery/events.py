"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType


class LotteryDrawn(EventData):
    """A member has drawn in a lottery."""

    pool: str = Field(description="The pool's id.")
    prizes: list[str] = Field(description="The ids of the prizes, a draw each.")


EVENT_TYPES: Final = (EventType("lottery.drawn", 1, LotteryDrawn),)
