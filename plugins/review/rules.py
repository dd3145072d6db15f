"""The channel's section of the programme: what a review brings, and what it is that earns once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import RuleSet, UnitName
from core.wording.facts import FactWords, TallyWords, Wording
from core.wording.words import Said, Topic, Words

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

    called = ("Review", "评价")

    facts: ClassVar[Mapping[str, Any]] = {"review": ReviewFacts, "member": MemberFacts}
    wording: ClassVar[Wording] = Wording(
        occasion=("each review", "每条评价"),
        facts={
            "review.pictures": FactWords(
                ("the number of its pictures", "图片数"),
                some=("it has a picture", "附有图片"),
                per=("for each picture", "for every {n} pictures", "每 {n} 张图片"),
            ),
            "review.rating": FactWords(("its rating", "评分")),
            "review.length": FactWords(("the number of its characters", "字数")),
            "review.quality": FactWords(
                ("whether it is a good one", "是否优质评价"),
                holds=("it was found to be a good one", "被评为优质评价"),
                fails=("it was not found to be a good one", "未被评为优质评价"),
            ),
            "review.at": FactWords(("the time of the review", "评价时间")),
        },
        tallies={REVIEWS: TallyWords("a review", "{n} reviews", "发表评价 {n} 条", ("reviews", "评价数"), "发表评价")},
    )

    earn: dict[UnitName, RuleSet] = Field(min_length=1)
    once_per: Annotated[
        tuple[Literal["order", "product"], ...], Field(min_length=1, max_length=2), AfterValidator(_once_each)
    ] = ("order",)
    a_day: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 20

    def adds_to(self) -> Collection[str]:
        return {*super().adds_to(), REVIEWS}

    def says(self, words: Words) -> Iterable[Said]:
        yield from super().says(words)
        once = words.say(*_ONCE[frozenset(self.once_per)])
        text = words.say(
            "A review earns when it is approved, once for {once}.", "评价审核通过后发放，{once}仅计一次。", once=once
        )
        yield Said(Topic.EARNING, text, ("once_per",))
        text = words.count(
            self.a_day,
            "You can submit {n} review a day.",
            "You can submit {n} reviews a day.",
            "每日最多提交 {n} 条评价。",
        )
        yield Said(Topic.EARNING, text, ("a_day",))


_ONCE: Final[Mapping[frozenset[str], tuple[str, str]]] = {
    frozenset({"order"}): ("each order", "每笔订单"),
    frozenset({"product"}): ("each product", "每件商品"),
    frozenset({"order", "product"}): ("each product of an order", "每笔订单的每件商品"),
}
