"""The channel's section of the programme: what a review brings, and what it is that earns once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import RuleSet, UnitName

CHANNEL: Final = "review"
REVIEWS: Final = "reviews"


@dataclass(slots=True)
class ReviewFacts:
    """``review``. ``length`` counts the characters of its text; ``quality`` is what the moderator has said of it."""

    rating: int
    length: int
    pictures: int
    quality: bool
    at: datetime


@dataclass(slots=True)
class MemberFacts:
    """``member``: who wrote it, as they are when it is approved."""

    tier: str


def _once_each(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parts))


class ReviewSettings(ChannelSettings):
    """The programme's section ``channels: review:``.

    ``once_per`` names what earns once, however often it is reviewed: the order, the product, or each product of an
    order. ``a_day`` is how many reviews a member may submit in a day.
    """

    facts: ClassVar[Mapping[str, Any]] = {"review": ReviewFacts, "member": MemberFacts}

    earn: dict[UnitName, RuleSet] = Field(min_length=1)
    once_per: Annotated[
        tuple[Literal["order", "product"], ...], Field(min_length=1, max_length=2), AfterValidator(_once_each)
    ] = ("order",)
    a_day: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 20

    def adds_to(self) -> Collection[str]:
        return {*super().adds_to(), REVIEWS}
