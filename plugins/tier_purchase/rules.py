"""The tiers that can be bought or kept, and for how much. All of it is pure."""

from collections.abc import Iterable
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.ladder.tiers import Ladder
from core.rulebook.document import Identifier, Section
from core.rulebook.programme import ChannelSettings, Misfit, Programme, unknown_tiers
from core.units import AMOUNT_MAX
from core.wording.words import Said, Topic, Words

from .refusals import TierAlreadyReached, TierNotForSale, TierNotKept, TierTooHigh

CHANNEL: Final = "tier_purchase"

Price = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]


class Keep(Section):
    """Tiers that members can keep: nothing lowers them below it for so many ``months``, today included."""

    prices: Annotated[dict[Identifier, Price], Field(min_length=1, max_length=20)]
    months: Annotated[int, Field(strict=True, ge=1, le=120)]

    def price(self, tier: str) -> int:
        """What keeping the tier costs. Raises TierNotKept."""
        if tier not in self.prices:
            raise TierNotKept(tier=tier[:64], tiers=", ".join(self.prices))
        return self.prices[tier]


class TierPurchaseSettings(ChannelSettings):
    """The programme's section ``channels: tier_purchase:``.

    ``prices`` are points by tier; a tier without one is not for sale. ``steps`` is how many tiers up one purchase may
    go at most. ``keep`` says what keeping a tier costs.
    """

    called = ("Tier bought", "购买等级")

    prices: Annotated[dict[Identifier, Price], Field(max_length=20)] = Field(default_factory=dict)
    steps: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    keep: Keep | None = None

    @model_validator(mode="after")
    def _offers_something(self) -> Self:
        if not self.prices and self.keep is None:
            raise PydanticCustomError("tier_purchase", "nothing is for sale: prices or keep is missing")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        named = [(("prices", tier), tier) for tier in self.prices]
        kept = [(("keep", "prices", tier), tier) for tier in (self.keep.prices if self.keep else ())]
        yield from unknown_tiers(programme, [*named, *kept])
        if programme.tiers is not None:
            for path, tier in (*named, *kept):
                if tier == programme.tiers.entry:
                    yield Misfit(path, "everybody begins there; nobody falls below it")

    def price(self, ladder: Ladder, tier: str, member_tier: str) -> int:
        """What the tier costs a member of that other tier.

        Raises TierNotForSale, TierAlreadyReached, TierTooHigh. Where everybody begins cannot be bought.
        """
        wanted, reached = ladder.rank(tier), ladder.rank(member_tier)
        if tier not in self.prices or wanted < 1:
            raise TierNotForSale(tier=tier[:64], tiers=", ".join(self.for_sale(ladder)))
        if wanted <= reached:
            raise TierAlreadyReached(tier=tier, tier_reached=member_tier)
        # Who stands on no tier that the ladder knows begins at its foot.
        highest = max(reached, 0) + self.steps
        if wanted > highest:
            raise TierTooHigh(tier=tier, tier_max=ladder.ladder[highest].id)
        return self.prices[tier]

    def for_sale(self, ladder: Ladder) -> list[str]:
        """The tiers with a price that the ladder has, from the lowest up."""
        return [tier.id for tier in ladder.ladder[1:] if tier.id in self.prices]

    def says(self, words: Words) -> Iterable[Said]:
        for tier, price in self.prices.items():
            text = words.say(
                "You can buy {tier} for {price}.",
                "可用{price}购买{tier}等级。",
                tier=words.tier(tier),
                price=words.points(price),
            )
            yield Said(Topic.SPENDING, text, ("prices", tier))
        if self.prices:
            text = words.count(
                self.steps,
                "That takes you {n} tier up at most.",
                "That takes you {n} tiers up at most.",
                "每次最多提升 {n} 级。",
            )
            yield Said(Topic.SPENDING, text, ("steps",))
        for tier, price in (self.keep.prices if self.keep else {}).items():
            assert self.keep is not None
            text = words.say(
                "You can keep {tier} for {months} for {price}.", "可用{price}保留{tier}等级{months}。",
                tier=words.tier(tier), months=words.months(self.keep.months), price=words.points(price),
            )  # fmt: skip
            yield Said(Topic.SPENDING, text, ("keep", "prices", tier))
