"""What the plugin tells outside, and in which shape."""

from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

LEADERBOARD_WON: Final = "leaderboard.won"


class LeaderboardWon(EventData):
    """A member was among the first of a board when its period closed, and has won something."""

    board: str = Field(description="The board's id.")
    title: str = Field(description="What it is called.")
    period: str = Field(description="The period: 2026-06-01, 2026-W23, 2026-06 or 2026-Q2.")
    place: int = Field(description="The member's place. Those who were level share one.")
    pack: dict[str, int] = Field(description="How much it has brought, by unit.")
    coupons: list[str] = Field(description="The coupons that came with it.")


EVENT_TYPES: Final = (EventType(LEADERBOARD_WON, 1, LeaderboardWon),)
